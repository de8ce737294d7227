//! What the fuzzer asks of a list: any query, on either database.

use buildly_model::PageSize;

use crate::fixture::{Thing, acme};
use crate::list::{self, Position};
use crate::shape::Shape;
use crate::statement::Dialect;

/// The most values that SQLite binds.
const SQLITE_VALUES_MAX: usize = 32_766;

/// Reads `bytes` as the query of a list; what is taken becomes a statement for each database.
///
/// # Panics
/// If anything of the query stands in a statement, if there are more values than a database
/// binds, or if a cursor or the parameters of the next page are not read as they were written.
pub fn check_list(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(pairs) = crate::query::parse(text) {
        let written = crate::query::write(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        assert_eq!(crate::query::parse(&written), Some(pairs), "{written}");
    }
    let shape = Shape::of::<Thing>();
    assert!(shape.is_ok(), "the fixture is a record");
    let Ok(shape) = shape else { return };
    let Ok(list) = list::parse(&shape, Some(text)) else { return };
    assert!((1..=PageSize::MAX).contains(&list.size.rows()), "{text}");
    if let Some(position) = &list.position {
        let written = position.write(&list.order);
        assert_eq!(Position::parse(&written, &list.order).as_ref(), Some(position), "{written}");
    }
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let statement = list::select(dialect, (&[], &shape), acme().into(), &list);
        assert!(statement.cells.len() <= SQLITE_VALUES_MAX, "{text}");
        let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b" \n\"_.,()=<>*?$|+-:'%\\".contains(&byte);
        assert!(statement.sql.bytes().all(is_ours), "{}", statement.sql);
        for foreign in [";", "--", "/*"] {
            assert!(!statement.sql.contains(foreign), "{}", statement.sql);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/list");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 10, "{} files", files.len());
        for file in files {
            check_list(&std::fs::read(&file).unwrap());
        }
    }
}
