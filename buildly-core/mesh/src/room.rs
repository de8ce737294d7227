//! Keeps a joined answer within its bounds, before any of it is written.

use bytes::Bytes;

use crate::plan::PlannedBranch;

/// The most bytes of an answer with everything that is joined to it.
pub const JOINED_OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What stands around a branch's list in each record, beside its name: `,"":[]`.
const LIST_BYTES: usize = 6;

/// Leaves out of `lists` (a list for each record of the answer, for each branch) what does not
/// fit, the last records of a branch first. Says how many records each branch lacks, and how
/// many bytes the answer will have; `None` if even empty lists are too much.
///
/// A record counts every time it is shown: 20 000 links to a few large records make an answer
/// that is far larger than what was fetched for it.
pub(crate) fn fit(
    branches: &[PlannedBranch],
    lists: &mut [Vec<Vec<Bytes>>],
    document_bytes: usize,
    records: usize,
    bytes_max: usize,
) -> Option<(Vec<usize>, usize)> {
    let names = branches.iter().map(|branch| branch.key.len().saturating_add(LIST_BYTES));
    let around = names.fold(0usize, usize::saturating_add).saturating_mul(records);
    let mut left = bytes_max.checked_sub(document_bytes.saturating_add(around))?;
    let mut lacking = Vec::with_capacity(lists.len());
    for branch in lists {
        let mut lacks = 0;
        for list in branch {
            let fits = |record: &&Bytes| match left.checked_sub(record.len() + 1) {
                Some(after) if lacks == 0 => {
                    left = after;
                    true
                }
                _ => false,
            };
            let kept = list.iter().take_while(fits).count();
            lacks += list.len() - kept;
            list.truncate(kept);
        }
        lacking.push(lacks);
    }
    Some((lacking, bytes_max - left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Documents, Rights, catalog, member, type_id, view};
    use crate::{Grants, Shape, plan};

    #[test]
    fn what_does_not_fit_is_left_out_from_the_end_and_counted() {
        let catalog = catalog();
        let shape = Shape::all(&catalog, type_id(1));
        let view = view(Rights::everything(), Documents::usual());
        let grants = Grants::of(&shape, &view, &member());
        let branches = plan(&shape, &catalog, &*view.services, &grants).branches;
        let names: usize = branches.iter().map(|branch| branch.key.len() + LIST_BYTES).sum();
        let (record, large) = (Bytes::from_static(b"1234"), Bytes::from_static(b"123456789"));
        for (case, room, expected) in [
            ("all", 35, (vec![0, 0, 0], 35)),
            ("not the last one", 34, (vec![0, 0, 1], 30)),
            ("a small one where a large one does not fit", 20, (vec![0, 1, 1], 20)),
            ("none", 0, (vec![3, 1, 2], 0)),
        ] {
            let mut lists = vec![
                vec![vec![record.clone(), record.clone()], vec![record.clone()]],
                vec![vec![large.clone()], vec![]],
                vec![vec![record.clone()], vec![record.clone()]],
            ];
            let before = 10 + 2 * names;
            let (lacking, bytes) = fit(&branches, &mut lists, 10, 2, before + room).unwrap();
            assert_eq!((lacking, bytes - before), expected, "{case}");
        }
        assert_eq!(fit(&branches, &mut [], 10, 2, 10 + 2 * names - 1), None, "even without records");
    }
}
