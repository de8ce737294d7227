//! Every migration exists for both databases, under the same number and name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

pub(super) fn check(root: &Path) -> Vec<String> {
    let of = |database: &str| {
        let folder = root.join("buildly-core/storage").join(database).join("migrations");
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect::<BTreeSet<String>>()
    };
    compare(&of("sqlite"), &of("postgres"))
}

fn compare(sqlite: &BTreeSet<String>, postgres: &BTreeSet<String>) -> Vec<String> {
    let unpaired = sqlite.symmetric_difference(postgres);
    let mut findings: Vec<String> =
        unpaired.map(|name| format!("migration {name} exists for one of the two databases only")).collect();
    for (place, name) in sqlite.iter().enumerate() {
        let expected = format!("{:04}_", place + 1);
        if !name.starts_with(&expected) {
            findings.push(format!("migration {name} should begin with {expected}: numbers have no gaps"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_missing_twin_and_a_gap_are_found() {
        let both = names(&["0001_a.sql", "0002_b.sql"]);
        assert_eq!(compare(&both, &both), Vec::<String>::new());
        assert_eq!(compare(&both, &names(&["0001_a.sql"])).len(), 1);
        let gap = names(&["0001_a.sql", "0003_b.sql"]);
        assert_eq!(compare(&gap, &gap).len(), 1);
    }
}
