//! `docs/embedding.md`, checked: its code is that of the examples, and what it shows this example
//! to print is what it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of the page, as their language and their lines.
fn blocks() -> Vec<(String, Vec<String>)> {
    let page = std::fs::read_to_string(root().join("docs/embedding.md")).unwrap();
    let mut lines = page.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
        blocks.push((language.to_owned(), block));
    }
    blocks
}

fn blocks_of(language: &str) -> Vec<Vec<String>> {
    blocks().into_iter().filter(|(of, _)| of == language).map(|(_, lines)| lines).collect()
}

#[test]
fn the_code_of_the_guide_is_that_of_the_examples() {
    let blocks = blocks_of("rust");
    assert!(blocks.len() >= 20, "the page has only {} blocks of code", blocks.len());
    for block in blocks {
        let name = block[0].strip_prefix("// ").expect("a block of code begins with its file's name");
        assert!(name.starts_with("examples/"), "`{name}` is no file of an example");
        let file = std::fs::read_to_string(root().join(name)).unwrap();
        let file: Vec<&str> = file.lines().map(str::trim).collect();
        let block: Vec<&str> = block[1..].iter().map(|line| line.trim()).collect();
        if let Err(missing) = is_in(&file, &block) {
            panic!("{name} does not have, after what the block shows before:\n{missing}");
        }
    }
}

/// Whether the pieces of a block, between lines that stand for others, are in the file in their
/// order; the first that is not.
fn is_in(file: &[&str], block: &[&str]) -> Result<(), String> {
    let mut place = 0;
    for piece in block.split(|line| *line == "// …") {
        let found = file[place..].windows(piece.len()).position(|lines| lines == piece);
        place += found.ok_or_else(|| piece.join("\n"))? + piece.len();
    }
    Ok(())
}

#[test]
fn what_the_guide_shows_is_what_the_example_prints() {
    let consoles = blocks_of("console");
    let [shown] = consoles.as_slice() else { panic!("the page shows one run") };
    assert_eq!(shown[0], concat!("$ cargo run -p ", env!("CARGO_PKG_NAME")));
    let output = Command::new(env!("CARGO_BIN_EXE_example-embedded-headless")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = printed.lines().collect();
    let shown = &shown[1..];
    // Only Linux says how many sockets a process has.
    let shown = if cfg!(target_os = "linux") { shown } else { &shown[..shown.len() - 1] };
    assert_eq!(printed.len(), shown.len(), "{printed:#?}");
    for (shown, printed) in shown.iter().zip(printed) {
        let (before, after) = shown.split_once('…').unwrap_or((shown, ""));
        let is_as_shown = match shown.contains('…') {
            true => printed.starts_with(before) && printed.ends_with(after),
            false => printed == shown,
        };
        assert!(is_as_shown, "shown\n{shown}\nprinted\n{printed}");
    }
}

#[test]
fn the_features_that_the_guide_names_are_there() {
    let manifest = std::fs::read_to_string(root().join("buildly-core/Cargo.toml")).unwrap();
    let tomls = blocks_of("toml");
    let line = tomls.iter().flatten().find(|line| line.starts_with("buildly-core = ")).unwrap();
    let named = line.split_once("features = [").unwrap().1.split(']').next().unwrap();
    for feature in named.split(", ").map(|name| name.trim_matches('"')) {
        assert!(manifest.lines().any(|line| line.starts_with(&format!("{feature} = ["))), "{feature}");
    }
}

#[test]
fn every_block_of_the_guide_is_checked() {
    for (language, lines) in blocks() {
        assert!(["rust", "console", "toml"].contains(&language.as_str()), "`{language}`: {lines:?}");
    }
}

#[test]
fn pieces_are_found_in_their_order_only() {
    let file = ["a", "b", "c", "d"];
    for (block, is_there) in [
        (vec!["b", "c"], true),
        (vec!["a", "// …", "c", "d"], true),
        (vec!["c", "// …", "a"], false),
        (vec!["a", "c"], false),
        (vec!["e"], false),
    ] {
        assert_eq!(is_in(&file, &block).is_ok(), is_there, "{block:?}");
    }
}
