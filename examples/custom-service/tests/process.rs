//! The example as a process: it says where it listens, keeps what it is given, and ends when told.
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

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::Clock as _;
use buildly_model::system::System;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use uuid::Uuid;

struct Service {
    child: Child,
    address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Service {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_example-custom-service"))
            .arg("--jwks")
            .arg(folder.join("jwks.json"))
            .arg("--data-dir")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("it says where").to_owned();
        Self { child, address }
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let length = body.len();
        write!(stream, "{head}Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Tells it to end, and waits until it has: its exit code.
    fn end(mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap().code()
    }
}

/// Writes the key set of an issuer and gives a token of it.
fn sign_in(folder: &Path) -> String {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]});
    std::fs::write(folder.join("jwks.json"), keys.to_string()).unwrap();
    let claims = json!({
        "exp": System.now().as_seconds() + 3600,
        "core_user_uuid": Uuid::from_u128(1),
        "organization_uuid": Uuid::from_u128(2),
        "aud": "buildly",
        "token_type": "access",
    });
    let key = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
    encode(&Header::new(Algorithm::EdDSA), &claims, &key).unwrap()
}

#[test]
fn it_keeps_what_it_is_given_from_one_start_to_the_next() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    let token = sign_in(&folder);
    let service = Service::start(&folder);
    let lamp = json!({"name": "Lamp", "sku": "L-1"}).to_string();
    assert_eq!(service.ask("POST", "/items/", "", &lamp).0, 401);
    let (status, made) = service.ask("POST", "/items/", &token, &lamp);
    assert_eq!((status, &made["quantity"]), (201, &json!(0)), "{made}");
    let (status, refused) = service.ask("POST", "/items/", &token, r#"{"name": "x", "sku": "a b"}"#);
    assert_eq!((status, refused["errors"]["sku"].is_array()), (400, true), "{refused}");
    assert_eq!(service.end(), Some(0));
    let service = Service::start(&folder);
    let (status, page) = service.ask("GET", "/items/?sku=L-1", &token, "");
    assert_eq!((status, &page["results"][0]), (200, &made));
    assert_eq!(service.end(), Some(0));
    std::fs::remove_dir_all(folder).unwrap();
}
