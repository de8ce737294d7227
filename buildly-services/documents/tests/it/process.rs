//! The service as a process: large content in constant memory, and a kill in the middle.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Poll};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_kit::Body;
use buildly_model::Clock as _;
use buildly_model::system::System;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::mounted::{files, new_folder};

static PIECE: [u8; 64 << 10] = [7; 64 << 10];
const PIECES: usize = 4096;
/// Far below the 256 MiB that go through.
const MEMORY_KIB_MAX: u64 = 80 << 10;

/// A running service on a folder of its own.
struct Process {
    child: Child,
    base: String,
    token: String,
    client: Client<HttpConnector, Body>,
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    fn start(folder: &Path) -> Self {
        Self::start_by(Command::new(program()), folder)
    }

    /// Starts it by a command that takes the program's arguments.
    fn start_by(mut command: Command, folder: &Path) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let jwks = folder.join("jwks.json");
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x}]});
        std::fs::write(&jwks, keys.to_string()).unwrap();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some("one".to_owned());
        let claims = json!({
            "aud": "buildly",
            "exp": System.now().as_seconds() + 3600,
            "core_user_uuid": Uuid::from_u128(1),
            "organization_uuid": Uuid::from_u128(2),
            "token_type": "access",
        });
        let key = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
        let token = encode(&header, &claims, &key).unwrap();
        let mut child = command
            .arg("--jwks")
            .arg(jwks)
            .arg("--data-dir")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Self { child, base, token, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> Response<Incoming> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token));
        self.client.request(request.body(body).unwrap()).await.unwrap()
    }

    async fn json(&self, method: Method, path: &str, body: Body) -> Value {
        let response = self.send(method, path, body).await;
        let bytes = Body::stream(response.into_body()).collect(1 << 20).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// A new document: the path of its content.
    async fn document(&self) -> String {
        let made = self.json(Method::POST, "/documents/", Body::from(r#"{"title": "Large"}"#)).await;
        format!("/documents/{}/content/", made["id"].as_str().unwrap())
    }

    /// The most memory that the process has had.
    fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// The example `documents`, which cargo builds with the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples/documents")
}

/// A body that gives what is sent to it.
struct Fed(mpsc::Receiver<Bytes>);

impl http_body::Body for Fed {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarter_of_a_gigabyte_goes_through_in_constant_memory() {
    let folder = new_folder();
    let process = Process::start(&folder);
    let path = process.document().await;
    let (feed, fed) = mpsc::channel(4);
    tokio::spawn(async move {
        for _ in 0..PIECES {
            feed.send(Bytes::from_static(&PIECE)).await.unwrap();
        }
    });
    let version = process.json(Method::PUT, &path, Body::stream(Fed(fed))).await;
    let all = vec![7; PIECES * PIECE.len()];
    let sha256: String = digest(&SHA256, &all).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(version["sha256"], sha256);
    let response = process.send(Method::GET, &path, Body::empty()).await;
    assert_eq!(response.headers()["content-length"], all.len().to_string());
    let mut body = response.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.iter().all(|byte| *byte == 7));
        bytes += data.len();
    }
    assert_eq!(bytes, all.len());
    let memory = process.memory_kib();
    assert!(memory < MEMORY_KIB_MAX, "{memory} KiB for {} KiB of content", all.len() >> 10);
    drop(process);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_leaves_no_half_content() {
    let folder = new_folder();
    let mut process = Process::start(&folder);
    let kept = process.document().await;
    let path = process.document().await;
    process.json(Method::PUT, &kept, Body::from("acknowledged")).await;
    let (feed, fed) = mpsc::channel(4);
    let request = Request::put(format!("{}{path}", process.base))
        .header("authorization", format!("Bearer {}", process.token))
        .body(Body::stream(Fed(fed)))
        .unwrap();
    let upload = tokio::spawn(process.client.request(request));
    for _ in 0..64 {
        feed.send(Bytes::from_static(&PIECE)).await.unwrap();
    }
    // Part of it has reached the disk before the kill, else this would prove nothing.
    let incoming = folder.join("documents/incoming");
    while files(&incoming).iter().all(|file| std::fs::metadata(file).unwrap().len() == 0) {
        tokio::task::yield_now().await;
    }
    process.child.kill().unwrap();
    process.child.wait().unwrap();
    drop(feed);
    assert!(upload.await.unwrap().is_err(), "nothing was acknowledged");
    assert_eq!(files(&incoming).len(), 1, "the half file is where half files are");
    let process = Process::start(&folder);
    assert!(files(&incoming).is_empty());
    assert_eq!(files(&folder.join("documents/content")).len(), 1);
    assert_eq!(process.send(Method::GET, &path, Body::empty()).await.status(), StatusCode::NOT_FOUND);
    let read = process.send(Method::GET, &kept, Body::empty()).await;
    assert_eq!(Body::stream(read.into_body()).collect(100).await.unwrap(), "acknowledged");
    let repeated = process.send(Method::PUT, &path, Body::from("whole")).await;
    assert_eq!(repeated.status(), StatusCode::CREATED);
    drop(process);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_folder_is_refused_and_harms_no_upload() {
    let folder = new_folder();
    let process = Process::start(&folder);
    let path = process.document().await;
    let (feed, fed) = mpsc::channel(4);
    let request = Request::put(format!("{}{path}", process.base))
        .header("authorization", format!("Bearer {}", process.token))
        .body(Body::stream(Fed(fed)))
        .unwrap();
    let upload = tokio::spawn(process.client.request(request));
    feed.send(Bytes::from_static(&PIECE)).await.unwrap();
    let incoming = folder.join("documents/incoming");
    while files(&incoming).is_empty() {
        tokio::task::yield_now().await;
    }
    let second = Command::new(program())
        .arg("--jwks")
        .arg(folder.join("jwks.json"))
        .arg("--data-dir")
        .arg(&folder)
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&format!("in use by process {}", process.child.id())), "{said}");
    drop(feed);
    assert_eq!(upload.await.unwrap().unwrap().status(), StatusCode::CREATED);
    drop(process);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Mounts a small disk in a namespace of its own, then becomes the program.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size=256k tmpfs "$0" && exec "$@""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_does_not_fit_and_takes_what_does() {
    let folder = new_folder();
    let disk = folder.join("documents");
    std::fs::create_dir_all(&disk).unwrap();
    let small_disk = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK]).arg(&disk);
        command
    };
    if !small_disk().arg("true").status().is_ok_and(|status| status.success()) {
        skipped("an upload to a full disk: no small disk can be mounted here");
        std::fs::remove_dir_all(folder).unwrap();
        return;
    }
    let mut command = small_disk();
    command.arg(program());
    let process = Process::start_by(command, &folder);
    let seen = |name: &str| {
        let root = PathBuf::from(format!("/proc/{}/root", process.child.id()));
        files(&root.join(disk.strip_prefix("/").unwrap()).join(name)).len()
    };
    let (kept, path) = (process.document().await, process.document().await);
    process.json(Method::PUT, &kept, Body::from("small")).await;
    for round in 0..3 {
        let full = process.send(Method::PUT, &path, Body::from(vec![7; 300 << 10])).await;
        assert_eq!(full.status(), StatusCode::INSUFFICIENT_STORAGE, "round {round}");
        assert_eq!(full.headers()["content-type"], "application/problem+json");
        let problem = Body::stream(full.into_body()).collect(1 << 10).await.unwrap();
        let problem: Value = serde_json::from_slice(&problem).unwrap();
        assert_eq!(problem["detail"], "The disk is full; nothing was kept.");
        assert_eq!((seen("incoming"), seen("content")), (0, 1 + round), "nothing is left behind");
        let fits = process.send(Method::PUT, &kept, Body::from(format!("small {round}"))).await;
        assert_eq!(fits.status(), StatusCode::CREATED);
    }
    assert_eq!(process.send(Method::GET, &path, Body::empty()).await.status(), StatusCode::NOT_FOUND);
    drop(process);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Notes that something could not be tested here; `cargo xtask test` counts it as skipped.
fn skipped(what: &str) {
    eprintln!("skipped: {what}");
    let Some(path) = std::env::var_os("XTASK_SKIPPED_TESTS") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{what}").unwrap();
}
