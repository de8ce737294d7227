use super::*;

const KNOWN: &[Migration] = &[
    Migration::new(1, "journal", "CREATE TABLE a (b)"),
    Migration::new(2, "identity", "CREATE TABLE c (d)"),
];

fn applied(rows: &[(u32, &str)]) -> Vec<(u32, String)> {
    rows.iter().map(|(number, name)| (*number, (*name).to_owned())).collect()
}

#[test]
fn only_what_is_missing_is_applied() {
    for (case, rows, expected) in [
        ("an empty file", &[][..], vec![1, 2]),
        ("half way", &[(1, "journal")], vec![2]),
        ("up to date", &[(1, "journal"), (2, "identity")], vec![]),
    ] {
        let numbers: Vec<u32> =
            pending(&applied(rows), KNOWN).unwrap().iter().map(|migration| migration.number).collect();
        assert_eq!(numbers, expected, "{case}");
    }
}

#[test]
fn an_unknown_schema_is_refused_with_what_to_do() {
    for (case, rows, expected) in [
        ("newer", &[(1, "journal"), (2, "identity"), (3, "later")][..], "at least as new"),
        ("another program's", &[(1, "contacts")], "another program"),
    ] {
        let error = pending(&applied(rows), KNOWN).unwrap_err().to_string();
        assert!(error.contains(expected), "{case}: {error}");
    }
}
