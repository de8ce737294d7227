//! The example as a process: its own routes and those of Buildly on one port.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use uuid::Uuid;

struct Program {
    child: Child,
    address: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Program {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_example-embedded-axum"))
            .arg(folder)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("it says where").to_owned();
        Self { child, address }
    }

    fn ask(&self, method: &str, path: &str, token: &str, form: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let token =
            if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        write!(stream, "{head}{token}{kind}\r\nContent-Length: {}\r\n\r\n{form}", form.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn sign_in(&self) -> String {
        let form = "username=ada&password=Correct-horse-9-battery";
        let (status, token) = self.ask("POST", "/sign-in", "", form);
        assert_eq!(status, 200, "{token}");
        token
    }

    /// Tells it to end, and waits until it has: its exit code.
    fn end(mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap().code()
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn its_own_routes_and_those_of_the_gateway_share_a_port() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    let program = Program::start(&folder);
    assert_eq!(program.ask("GET", "/", "", ""), (200, "A shop, with Buildly inside.\n".to_owned()));
    let (status, refused) = program.ask("POST", "/sign-in", "", "username=ada&password=wrong");
    assert_eq!((status, &json_of(&refused)["detail"]), (401, &json!("invalid credentials given")));
    let token = program.sign_in();

    let items = json!([{"id": 1, "name": "Lamp", "quantity": 3}]);
    let (status, body) = program.ask("GET", "/stock/items/", &token, "");
    assert_eq!((status, json_of(&body)), (200, items.clone()));
    for (case, path, token, expected) in [
        ("nobody is signed in", "/stock/items/", "", 401),
        ("nobody is signed in, at a route of the program", "/me", "", 401),
        ("a token that is none", "/me", "abc", 401),
        ("a path that the service's document does not have", "/stock/shelves/", token.as_str(), 404),
        ("a service that is not there", "/nothing/", token.as_str(), 404),
    ] {
        assert_eq!(program.ask("GET", path, token, "").0, expected, "{case}");
    }
    let (status, me) = program.ask("GET", "/me", &token, "");
    let me = json_of(&me);
    assert_eq!((status, &me["may_delete_stock"]), (200, &json!(true)), "{me}");
    assert!(me["i_am"].as_str().unwrap().starts_with("user:"), "{me}");
    assert_eq!(program.end(), Some(0));

    let again = Program::start(&folder);
    let (status, body) = again.ask("GET", "/stock/items/", &token, "");
    assert_eq!((status, json_of(&body)), (200, items), "the token is good after a restart");
    assert_eq!(again.end(), Some(0));
    std::fs::remove_dir_all(folder).unwrap();
}
