//! Large bodies pass through the server as a process, whose memory stays small.
//! `BUILDLY_STREAM_BYTES` sets how large; 1 GiB where it is not set.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, Storage};

const BYTES: u64 = 1 << 30;
/// The most memory that the server may have used, whatever passes through it.
const MEMORY_BYTES_MAX: u64 = 128 << 20;
static CHUNK: [u8; 1 << 16] = [7; 1 << 16];

/// A service that sends so many bytes, and counts what it is sent.
async fn service(bytes: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move { drop(answer(stream, bytes).await) });
        }
    });
    url
}

async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

async fn answer(mut stream: TcpStream, bytes: u64) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    let document = r#"{"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": {
        "/down/": {"get": {"responses": {}}}, "/up/": {"post": {"responses": {}}}}}"#;
    if head.starts_with("GET /down") {
        let begin = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {bytes}\r\n\r\n");
        stream.write_all(begin.as_bytes()).await?;
        return send(&mut stream, bytes).await;
    }
    let body = if head.starts_with("POST /up") {
        receive(&mut stream, bytes).await?.to_string()
    } else {
        document.to_owned()
    };
    let length = body.len();
    let whole = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(whole.as_bytes()).await
}

async fn send(stream: &mut TcpStream, mut bytes: u64) -> std::io::Result<()> {
    while bytes > 0 {
        let length = bytes.min(CHUNK.len() as u64);
        stream.write_all(&CHUNK[..usize::try_from(length).unwrap()]).await?;
        bytes -= length;
    }
    Ok(())
}

/// Reads so many bytes, or to the end; how many came.
async fn receive(stream: &mut TcpStream, bytes: u64) -> std::io::Result<u64> {
    let (mut received, mut buffer) = (0, vec![0; CHUNK.len()]);
    while received < bytes {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => received += read as u64,
        }
    }
    Ok(received)
}

/// The most memory that a process has used so far.
fn memory_bytes_max(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_pass_in_constant_memory() {
    let bytes = std::env::var("BUILDLY_STREAM_BYTES").map_or(BYTES, |bytes| bytes.parse().unwrap());
    let folder = Folder::new();
    Storage::sqlite().create_root(&folder.0);
    let server = Serving::start(&folder.0);
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let tokens = server.client().post("/token/", &sign_in).await.expect(200).json();
    let root = server.client().signed_in(tokens["access"].as_str().unwrap());
    let new = json!({"endpoint": service(bytes).await, "endpoint_name": "large"});
    root.post("/logicmodule/", &new).await.expect(201);
    let open = async |lines: &str| {
        let address = server.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "{lines}\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
            root.token()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let mut down = open("GET /large/down/ HTTP/1.1").await;
    assert!(head(&mut down).await.unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(receive(&mut down, bytes).await.unwrap(), bytes);
    let mut up = open(&format!("POST /large/up/ HTTP/1.1\r\nContent-Length: {bytes}")).await;
    send(&mut up, bytes).await.unwrap();
    assert!(head(&mut up).await.unwrap().starts_with("HTTP/1.1 200"));
    let mut counted = String::new();
    up.read_to_string(&mut counted).await.unwrap();
    assert_eq!(counted, bytes.to_string());
    let used = memory_bytes_max(server.process());
    println!("{bytes} bytes down and up; the server used at most {} MiB", used >> 20);
    assert!(used < MEMORY_BYTES_MAX, "{used} bytes of memory");
    assert_eq!(server.terminate().code(), Some(0));
}
