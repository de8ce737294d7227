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

#[test]
fn a_failed_migration_leaves_nothing_behind() {
    let mut connection = Connection::open_in_memory().unwrap();
    let broken = [KNOWN[0].clone(), Migration::new(2, "broken", "CREATE TABLE e (f); NONSENSE")];
    let error = run(&mut connection, &broken).unwrap_err();
    assert!(error.to_string().contains("migration 2 (broken)"), "{error}");
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
    run(&mut connection, KNOWN).unwrap();
    run(&mut connection, KNOWN).unwrap();
}
