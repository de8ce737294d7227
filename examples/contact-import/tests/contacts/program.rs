//! The example as a process.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use buildly_core::gateway_http::Outbound;
use bytes::Bytes;
use http::Request;
use serde_json::Value;
use uuid::Uuid;

const PASSWORD: &str = "Correct-horse-9-battery";
const ANSWER_BYTES_MAX: usize = 16 << 20;

pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    origin: String,
    network: Outbound,
}

impl Drop for Program {
    /// As the machine would: no signal that can be caught.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn new_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string())
}

impl Program {
    pub(crate) fn start(folder: &Path, feed: &str, every: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_example-contact-import"))
            .arg(folder)
            .args(["127.0.0.1:0", feed])
            .env("ADMIN_PASSWORD", PASSWORD)
            .env("REACH_PRIVATE", "true")
            .env("EVERY", every)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let origin = line.strip_prefix("listening on ").expect("it says where").to_owned();
        Self { child, lines, origin, network: Outbound::new(true).unwrap() }
    }

    /// What it says next about an import.
    pub(crate) async fn next_import(&mut self) -> String {
        tokio::task::block_in_place(|| self.lines.next().unwrap().unwrap())
    }

    /// What it says of the first import from now on that comes out otherwise.
    pub(crate) async fn import_other_than(&mut self, before: &str) -> String {
        loop {
            let line = self.next_import().await;
            if line != before {
                return line;
            }
        }
    }

    async fn ask(&self, request: http::request::Builder, body: &str) -> (u16, String) {
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        let answer = self.network.fetch(request, ANSWER_BYTES_MAX).await.unwrap();
        (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
    }

    pub(crate) async fn token(&self) -> String {
        let request = Request::post(format!("{}/sign-in", self.origin))
            .header("content-type", "application/x-www-form-urlencoded");
        let (status, token) = self.ask(request, &format!("username=admin&password={PASSWORD}")).await;
        assert_eq!(status, 200, "{token}");
        token
    }

    /// All contacts of the CRM, by name.
    pub(crate) async fn contacts(&self) -> Vec<Value> {
        let token = self.token().await;
        let (mut contacts, mut query) = (Vec::new(), "?limit=100".to_owned());
        loop {
            let request = Request::get(format!("{}/crm/contacts/{query}", self.origin))
                .header("authorization", format!("Bearer {token}"));
            let (status, text) = self.ask(request, "").await;
            assert_eq!(status, 200, "{text}");
            let page: Value = serde_json::from_str(&text).unwrap();
            contacts.extend(page["results"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => query = next.to_owned(),
                None => return contacts,
            }
        }
    }

    /// Changes a contact, as a person would.
    pub(crate) async fn change(&self, contact: &Value, change: &Value) {
        let token = self.token().await;
        let request =
            Request::patch(format!("{}/crm/contacts/{}/", self.origin, contact["id"].as_str().unwrap()))
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json");
        let (status, text) = self.ask(request, &change.to_string()).await;
        assert_eq!(status, 200, "{text}");
    }
}
