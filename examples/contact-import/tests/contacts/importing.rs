use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::book::{Book, card};
use crate::program::{Program, new_folder};

/// How often the tests import, in seconds.
const EVERY: &str = "1";

fn names(contacts: &[Value]) -> Vec<&str> {
    contacts.iter().map(|contact| contact["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_follow_the_address_book_and_a_second_import_makes_nothing_twice() {
    let (book, folder) = (Book::open().await, new_folder());
    let cards = [card("1", "Ada", "ada@example.org"), card("2", "Bob", "bob@example.org")];
    book.has(&cards);
    let mut program = Program::start(&folder, &book.address, EVERY);
    let two = r#"import completed: {"cards":2,"refused":[]}"#;
    assert_eq!(program.next_import().await, two);
    let first = program.contacts().await;
    assert_eq!(names(&first), ["Ada", "Bob"]);
    // What the book knows nothing of is a person's.
    program.change(&first[0], &json!({"position": "Countess"})).await;
    assert_eq!(program.next_import().await, two);
    let second = program.contacts().await;
    assert_eq!(second[1], first[1], "what has not changed is not written: neither version nor time");

    let changed = card("2", "Robert", "bob@example.org");
    book.has(&[cards[0].clone(), changed, card("3", "Eve", "eve@example.org")]);
    program.import_other_than(two).await;
    let third = program.contacts().await;
    assert_eq!(names(&third), ["Ada", "Eve", "Robert"]);
    assert_eq!(third[2]["id"], first[1]["id"], "the same record under another name");
    drop(program);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_cards_are_reported_and_stop_no_other() {
    let (book, folder) = (Book::open().await, new_folder());
    book.has(&[
        card("1", "Ada", "ada@example.org"),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Nobody\r\nEND:VCARD\r\n".to_owned(),
        card("3", "Eve", "no address"),
        card("4", "Dora", "dora@example.org"),
    ]);
    let mut program = Program::start(&folder, &book.address, EVERY);
    let line = program.next_import().await;
    let told: Value = serde_json::from_str(line.strip_prefix("import completed: ").expect(&line)).unwrap();
    assert_eq!(told["cards"], 4);
    assert_eq!(told["refused"][0], json!({"card": 2, "reason": "it has no UID"}));
    assert_eq!(told["refused"][1]["uid"], "3");
    assert!(told["refused"][1]["reason"].as_str().unwrap().contains("400"), "{told}");
    assert_eq!(names(&program.contacts().await), ["Ada", "Dora"]);

    book.answers(404, "");
    let gone = program.import_other_than(&line).await;
    assert_eq!(
        gone,
        "import failed: the service answered 422 Unprocessable Entity: the address book answered 404 Not Found"
    );
    assert_eq!(names(&program.contacts().await), ["Ada", "Dora"], "nothing is lost by it");
    book.has(&[card("1", "Ada", "ada@example.org")]);
    let again = program.import_other_than(&gone).await;
    assert_eq!(again, r#"import completed: {"cards":1,"refused":[]}"#);
    drop(program);
    std::fs::remove_dir_all(folder).unwrap();
}

/// As many that a program which is killed at once is killed in the middle of them.
const MANY: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_goes_on_where_a_killed_program_left_it() {
    let (book, folder) = (Book::open().await, new_folder());
    let cards: Vec<String> = (0..MANY)
        .map(|number| {
            card(&number.to_string(), &format!("Person {number:04}"), &format!("{number}@example.org"))
        })
        .collect();
    book.has(&cards);
    // One due time: whoever is there when it is over starts no second run.
    let hour = "3600";
    let program = Program::start(&folder, &book.address, hour);
    let written = async |program: &Program| program.contacts().await.len();
    while written(&program).await == 0 {}
    drop(program);
    // The book is gone: what is left to do needs it no more.
    book.answers(500, "");
    let mut again = Program::start(&folder, &book.address, hour);
    let found = written(&again).await;
    assert!(found < MANY, "it was killed too late: {found}");
    let line = again.next_import().await;
    assert_eq!(line, format!(r#"import completed: {{"cards":{MANY},"refused":[]}}"#));
    let contacts = again.contacts().await;
    let distinct: BTreeSet<&str> = names(&contacts).into_iter().collect();
    assert_eq!((contacts.len(), distinct.len()), (MANY, MANY));
    drop(again);
    std::fs::remove_dir_all(folder).unwrap();
}
