//! `docs/extensions.md`, checked: its code is that of the examples, and what it shows this example
//! to print is what it prints.

use std::path::{Path, PathBuf};

use crate::book::{Book, card};
use crate::program::{Program, new_folder};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of the page, as their language and their lines.
fn blocks() -> Vec<(String, Vec<String>)> {
    let page = std::fs::read_to_string(root().join("docs/extensions.md")).unwrap();
    let mut lines = page.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
        blocks.push((language.to_owned(), block));
    }
    blocks
}

#[test]
fn the_code_of_the_guide_is_that_of_the_examples() {
    let blocks: Vec<Vec<String>> =
        blocks().into_iter().filter(|(language, _)| language != "console").map(|(_, lines)| lines).collect();
    assert!(blocks.len() >= 8, "the page has only {} blocks of code", blocks.len());
    for block in blocks {
        let name = block[0].strip_prefix("// ").expect("a block of code begins with its file's name");
        assert!(name.starts_with("examples/"), "`{name}` is no file of an example");
        let file = std::fs::read_to_string(root().join(name)).unwrap();
        let file: Vec<&str> = file.lines().map(str::trim).collect();
        let block: Vec<&str> = block[1..].iter().map(|line| line.trim()).collect();
        let mut place = 0;
        for piece in block.split(|line| *line == "// …") {
            let found = file[place..].windows(piece.len()).position(|lines| lines == piece);
            let missing =
                || panic!("{name} does not have, after what the block shows before:\n{}", piece.join("\n"));
            place += found.unwrap_or_else(missing) + piece.len();
        }
    }
}

#[test]
fn the_files_that_the_guide_names_are_there() {
    let page = std::fs::read_to_string(root().join("docs/extensions.md")).unwrap();
    let named: Vec<&str> = page.split('`').filter(|part| part.starts_with("examples/")).collect();
    assert!(named.len() >= 6, "{named:?}");
    for name in named {
        assert!(root().join(name).exists(), "`{name}` is not there");
    }
}

/// The addresses are those of the test: the page's may be somebody else's here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_prints_what_the_guide_shows() {
    let (_, shown) = blocks().into_iter().find(|(language, _)| language == "console").expect("a session");
    let command =
        shown.iter().find_map(|line| line.strip_prefix("$ cargo run -p example-contact-import -- "));
    let arguments: Vec<&str> = command.expect("the program is started").split(' ').collect();
    assert_eq!(arguments.len(), 3, "a folder, where it listens, and the feed");
    let (book, folder) = (Book::open().await, new_folder());
    book.has(&[
        card("1", "Ada", "ada@example.org"),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Nobody\r\nEND:VCARD\r\n".to_owned(),
        card("3", "Eve", "eve@example.org"),
    ]);
    let mut program = Program::start(&folder, &book.address, "3600");
    let printed = program.next_import().await;
    assert_eq!(shown.last(), Some(&printed));
    assert!(shown.iter().any(|line| line == &format!("listening on http://{}", arguments[1])));
    drop(program);
    std::fs::remove_dir_all(folder).unwrap();
}
