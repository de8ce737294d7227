//! What each binding calls each operation: `docs/bindings.md`, made from the one list of them.
//! `PARITY=write cargo test -p buildly-c parity` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use buildly_deployment::operation::NAMES;

const HEAD: &str = "# The operations of the bindings

Made from one list (`bindings/deployment/src/operation.rs`) and checked by the tests. What each
takes and answers is in [python.md](python.md) and [c.md](c.md); in Rust the areas of `buildly-core`
have the same operations and more. In C, `buildly_perform` reaches every operation by its name, with
JSON. Everything else that the gateway answers, joined pages among it, comes through
`request` and `buildly_request`; functions of the program become services through
`register_service` and `buildly_register_function`.

| operation | Python (also `asyncio`) | C |
|---|---|---|
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The methods whose lines hold the text, by the text.
fn methods_with(source: &str, text: &str) -> Vec<String> {
    let (mut method, mut found) = ("", Vec::new());
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("    def ") {
            method = rest.split('(').next().unwrap_or_default();
        }
        if line.contains(text) && !found.iter().any(|known| known == method) {
            found.push(method.to_owned());
        }
    }
    found
}

fn python_methods(source: &str, operation: &str) -> Vec<String> {
    let direct = methods_with(source, &format!("\"{operation}\""));
    let open = |method: String| {
        if method.starts_with('_') { methods_with(source, &format!("self.{method}(")) } else { vec![method] }
    };
    direct.into_iter().flat_map(open).collect()
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_operation_is_in_both_bindings_and_the_table_says_how() {
    let python = fs::read_to_string(root().join("bindings/python/python/buildly/_operations.py"));
    let python = python.expect("the binding is there");
    let header =
        fs::read_to_string(root().join("bindings/c/include/buildly.h")).expect("the header is there");
    let mut table = HEAD.to_owned();
    let mut missing = BTreeMap::new();
    for operation in NAMES {
        let methods = python_methods(&python, operation);
        if methods.is_empty() {
            missing.insert(*operation, "Python");
        }
        let own = format!("buildly_{operation}");
        let c = if header.contains(&format!("{own}(")) { own } else { "buildly_perform".to_owned() };
        let _ = writeln!(table, "| {operation} | {} | `{c}` |", list(&methods));
    }
    assert!(missing.is_empty(), "not offered: {missing:?}");
    let page = root().join("docs/bindings.md");
    if std::env::var_os("PARITY").is_some_and(|wish| wish == "write") {
        fs::write(&page, &table).expect("it can be written");
    }
    let written = fs::read_to_string(page).expect("the page is there");
    assert_eq!(written, table, "write docs/bindings.md anew: PARITY=write cargo test -p buildly-c parity");
}
