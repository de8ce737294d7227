//! The data plane end to end: a signed-in caller, the server, a service behind it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use buildly_core::auth::identity::NewSuperuser;
use buildly_core::gateway::Registration;
use buildly_model::{Body, Principal, Secret};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::harness::TestServer;

const PATIENCE: Duration = Duration::from_secs(30);
const LARGE: u64 = 96 << 20;

/// A server with a service `echo` behind it, and a superuser's token.
struct World {
    server: TestServer,
    token: String,
    principal: Principal,
    asked: Arc<AtomicUsize>,
}

async fn world() -> World {
    world_with(|_| ()).await
}

async fn world_with(change: impl FnOnce(&mut buildly_server::configuration::Configuration)) -> World {
    let server = TestServer::start_with(change).await;
    let buildly = server.running().server().buildly().clone();
    let password = Secret::new("Correct-horse-9-battery");
    let ada = NewSuperuser {
        username: "ada".to_owned(),
        email: String::new(),
        password: password.clone(),
        organization_name: "Acme".to_owned(),
    };
    buildly.auth().create_superuser(&ada).await.unwrap();
    let issued = buildly.auth().open_session("ada", &password, None).await.unwrap();
    let token = issued.access_token.expose().to_owned();
    let principal = buildly.auth().authenticate(&token).await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let endpoint = Some(serve_echo(Arc::clone(&asked)).await);
    let registration = Registration { name: Some("echo".to_owned()), endpoint, ..Registration::default() };
    buildly.gateway().register(&principal, registration).await.unwrap();
    World { server, token, principal, asked }
}

/// The service: what it offers is in its document.
async fn serve_echo(asked: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = Arc::clone(&asked);
            let service = service_fn(move |request| {
                let asked = Arc::clone(&asked);
                async move { Ok::<_, Infallible>(echo(request, &asked).await) }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(serving);
        }
    });
    url
}

async fn echo(mut request: Request<Incoming>, asked: &AtomicUsize) -> Response<Body> {
    if !request.uri().path().starts_with("/docs") {
        asked.fetch_add(1, Ordering::SeqCst);
    }
    match request.uri().path() {
        path if path.starts_with("/docs") => Response::new(Body::from(
            r#"{"openapi": "3.0.3", "info": {"title": "Echo", "version": "1"}, "paths": {
                "/count/": {"post": {"responses": {}}}, "/large/": {"get": {"responses": {}}},
                "/events/": {"get": {"responses": {}}}, "/socket/": {"get": {"responses": {}}},
                "/head/": {"get": {"responses": {}}}}}"#,
        )),
        "/count/" => {
            let mut bytes = 0;
            while let Some(frame) = request.body_mut().frame().await {
                let Ok(frame) = frame else { return Response::new(Body::from("broken off")) };
                bytes += frame.into_data().map_or(0, |data| data.len());
            }
            Response::new(Body::from(bytes.to_string()))
        }
        "/large/" => Response::new(Body::stream(Generated(LARGE))),
        "/events/" => {
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            tokio::spawn(async move {
                for number in 0.. {
                    let event = Frame::data(Bytes::from(format!("data: {number}\n\n")));
                    if sender.send(event).await.is_err() {
                        return;
                    }
                    if number == 1 {
                        sender.closed().await; // then silence until the other side goes
                    }
                }
            });
            let body = Body::stream(Events(receiver));
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
        "/socket/" => {
            let switch = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let (mut read, mut write) = tokio::io::split(TokioIo::new(switch.await.unwrap()));
                let _either_side_may_go = tokio::io::copy(&mut read, &mut write).await;
            });
            let response = Response::builder().status(101).header("connection", "upgrade");
            response.header("upgrade", "websocket").body(Body::empty()).unwrap()
        }
        _ => {
            let names = ["x-request-id", "x-forwarded-for", "forwarded", "host", "x-hop", "authorization"];
            let value = |name: &&str| {
                let value = request.headers().get(*name).map(|value| value.to_str().unwrap().to_owned());
                format!("{name}: {}", value.unwrap_or_default())
            };
            Response::new(Body::from(names.iter().map(value).collect::<Vec<_>>().join("\n")))
        }
    }
}

struct Generated(u64);

impl http_body::Body for Generated {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static CHUNK: [u8; 64 * 1024] = [7; 64 * 1024];
        let length = self.0.min(CHUNK.len() as u64);
        self.0 -= length;
        let chunk = Bytes::from_static(&CHUNK[..usize::try_from(length).unwrap()]);
        std::task::Poll::Ready((length > 0).then(|| Ok(Frame::data(chunk))))
    }
}

struct Events(tokio::sync::mpsc::Receiver<Frame<Bytes>>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}

impl World {
    /// Opens a connection and sends a head of these lines, with the token.
    async fn open(&self, lines: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.running().address()).await.unwrap();
        let token = &self.token;
        let head = format!("{lines}\r\nHost: api.example.org\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads up to the end of the head.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.expect("a head comes").unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

async fn until(stream: &mut TcpStream, end: &str) {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        seen.push(timeout(PATIENCE, stream.read_u8()).await.expect("it comes").unwrap());
    }
}

async fn rest(stream: &mut TcpStream) -> u64 {
    let (mut bytes, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        match timeout(PATIENCE, stream.read(&mut buffer)).await.expect("the connection ends") {
            Ok(0) | Err(_) => return bytes,
            Ok(read) => bytes += read as u64,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_stream_both_ways() {
    let world = world().await;
    let mut download = world.open("GET /echo/large/ HTTP/1.1\r\nConnection: close").await;
    assert!(head(&mut download).await.starts_with("http/1.1 200"));
    assert!(rest(&mut download).await >= LARGE);

    let lines = format!("POST /echo/count/ HTTP/1.1\r\nConnection: close\r\nContent-Length: {LARGE}");
    let mut upload = world.open(&lines).await;
    for _ in 0..LARGE >> 20 {
        upload.write_all(&[7; 1 << 20]).await.unwrap();
    }
    assert!(head(&mut upload).await.starts_with("http/1.1 200"));
    let mut counted = String::new();
    upload.read_to_string(&mut counted).await.unwrap();
    assert_eq!(counted, LARGE.to_string());
    world.server.stop().await;
}

#[tokio::test]
async fn a_service_learns_who_asked_and_the_caller_how_much_is_left() {
    let world = world().await;
    let lines = "GET /echo/head/ HTTP/1.1\r\nX-Request-ID: r-7\r\nX-Forwarded-For: 1.1.1.1\r\nX-Hop: 1\r\n\
                 Connection: close, x-hop";
    let mut stream = world.open(lines).await;
    let answer = head(&mut stream).await;
    let mut seen = String::new();
    stream.read_to_string(&mut seen).await.unwrap();
    assert!(answer.starts_with("http/1.1 200"), "{answer}{seen}");
    assert!(answer.contains("x-request-id: r-7\r\n"), "{answer}");
    assert!(answer.contains("ratelimit: \"principal\";r=499;t=1\r\n"), "{answer}");
    assert!(answer.contains("ratelimit-policy: \"principal\";q=500;w=1\r\n"), "{answer}");
    for line in ["x-request-id: r-7", "x-forwarded-for: 127.0.0.1", "x-hop: "] {
        assert!(seen.lines().any(|seen| seen == line), "{line} in {seen}");
    }
    assert!(seen.contains("host=\"api.example.org\"") && !seen.contains("host: api.example.org"), "{seen}");
    assert!(seen.contains(&format!("authorization: Bearer {}", world.token)), "{seen}");
    world.server.stop().await;
}

#[tokio::test]
async fn events_and_sockets_pass_and_end_within_a_second_of_the_right() {
    let world = world().await;
    let mut events = world.open("GET /echo/events/ HTTP/1.1").await;
    assert!(head(&mut events).await.starts_with("http/1.1 200"));
    until(&mut events, "data: 1\n\n").await;

    let mut socket =
        world.open("GET /echo/socket/ HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket").await;
    assert!(head(&mut socket).await.starts_with("http/1.1 101"));
    socket.write_all(b"hello").await.unwrap();
    until(&mut socket, "hello").await;

    let auth = world.server.running().server().buildly().auth().clone();
    auth.sign_out(&world.principal).await.unwrap();
    for mut stream in [events, socket] {
        let ended = timeout(Duration::from_secs(5), rest(&mut stream)).await;
        assert!(ended.is_ok(), "the stream goes on without the right to it");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn no_request_is_hidden_from_the_gateway() {
    let world = world().await;
    let hidden = "GET /echo/head/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let smuggle = format!("0\r\n\r\n{hidden}");
    let lines = format!(
        "POST /echo/count/ HTTP/1.1\r\nContent-Length: {}\r\nTransfer-Encoding: chunked",
        smuggle.len()
    );
    let mut stream = world.open(&lines).await;
    stream.write_all(smuggle.as_bytes()).await.unwrap();
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("the connection closes").unwrap();
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");

    let before = world.asked.load(Ordering::SeqCst);
    for (lines, status) in [
        ("GET /echo/../echo/head/ HTTP/1.1", "400"),
        ("GET /echo/%2e%2e/head/ HTTP/1.1", "400"),
        ("GET /echo/head/..%2f..%2fdocs HTTP/1.1", "400"),
        ("GET /echo/head/ HTTP/1.1\r\nHost: b", "400"),
        ("GET /echo/head/ HTTP/1.1\r\nTransfer-Encoding: xchunked", "400"),
        ("GET /echo/head/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", "400"),
        ("GET /echo/nothing/ HTTP/1.1", "404"),
        ("GET /nothing/head/ HTTP/1.1", "404"),
    ] {
        let mut stream = world.open(&format!("{lines}\r\nConnection: close")).await;
        let answer = head(&mut stream).await;
        assert_eq!(answer.get(9..12), Some(status), "{lines}: {answer}");
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), before, "none of them reached the service");
    world.server.stop().await;
}

#[tokio::test]
async fn an_upload_that_stops_coming_is_ended_and_the_next_request_works() {
    let idle = Duration::from_millis(200);
    let world = world_with(|configuration| configuration.limits.body_idle_timeout = idle).await;
    let mut stream = world.open("POST /echo/count/ HTTP/1.1\r\nTransfer-Encoding: chunked").await;
    stream.write_all(b"5\r\nhello\r\n").await.unwrap();
    rest(&mut stream).await;
    let mut stream = world.open("GET /echo/head/ HTTP/1.1\r\nConnection: close").await;
    assert!(head(&mut stream).await.starts_with("http/1.1 200"));
    world.server.stop().await;
}
