//! A service behind a Unix domain socket is a service like any other.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use buildly_core::Buildly;
use buildly_core::auth::identity::NewSuperuser;
use buildly_core::gateway::{InstanceSpec, Registration};
use buildly_core::model::{Body, BodyError, Secret};
use example_unix_socket::UnixSocket;
use http::header::{AUTHORIZATION, HOST};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::UnixListener;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

const PASSWORD: &str = "Correct-horse-9-battery";
const ANSWER_BYTES_MAX: usize = 8 << 20;

struct World {
    folder: PathBuf,
    buildly: Buildly,
    token: String,
}

impl World {
    async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("buildly-{}", Uuid::now_v7()));
        let buildly = Buildly::open(&folder).await.unwrap();
        let admin = NewSuperuser {
            username: "admin".to_owned(),
            email: String::new(),
            password: Secret::new(PASSWORD),
            organization_name: "Acme".to_owned(),
        };
        buildly.auth().create_superuser(&admin).await.unwrap();
        let issued = buildly.auth().open_session("admin", &Secret::new(PASSWORD), None).await.unwrap();
        let token = issued.access_token.expose().to_owned();
        Self { folder, buildly, token }
    }

    /// Where a socket is: short, since a path to one has at most 107 bytes.
    fn socket(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.sock"))
    }

    /// Registers `ledger` with an instance behind each of these sockets.
    async fn register(&self, sockets: &[&str]) {
        for socket in sockets {
            let connection = Arc::new(UnixSocket::new(self.socket(socket)));
            self.buildly.attach_service(&format!("{socket}.localhost"), connection);
        }
        let operator = self.buildly.auth().operator().await.unwrap();
        let endpoint = |socket: &str| format!("http://{socket}.localhost");
        let registration = Registration {
            name: Some("ledger".to_owned()),
            endpoint: Some(endpoint(sockets[0])),
            ..Registration::default()
        };
        let service = self.buildly.gateway().register(&operator, registration).await.unwrap();
        for socket in &sockets[1..] {
            let instance = InstanceSpec { base_url: Some(endpoint(socket)), ..InstanceSpec::default() };
            self.buildly.gateway().add_instance(&operator, service.id, &instance).await.unwrap();
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Body) -> (u16, Vec<u8>) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .body(body)
            .unwrap();
        let answer = self.buildly.handle(request).await;
        let status = answer.status().as_u16();
        (status, answer.into_body().collect(ANSWER_BYTES_MAX).await.unwrap().to_vec())
    }

    async fn end(self) {
        self.buildly.close().await;
        std::fs::remove_dir_all(self.folder).unwrap();
    }
}

/// A service behind a socket: it says who it is and what it was sent, byte for byte.
fn serve(path: &Path, name: &'static str) -> JoinHandle<()> {
    let _left_by_the_one_before = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        // Whoever ends this task ends the connections, too.
        let mut open = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = service_fn(move |request: Request<Incoming>| async move {
                Ok::<_, Infallible>(answer(name, request).await.unwrap())
            });
            open.spawn(async move {
                let _ended =
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    })
}

async fn answer(name: &str, request: Request<Incoming>) -> Result<Response<Body>, BodyError> {
    let document = r#"{"openapi": "3.1.0", "info": {"title": "Ledger", "version": "1"}, "paths": {
        "/entries/": {"get": {"operationId": "list_entries", "responses": {"200": {"description": "all"}}},
        "post": {"operationId": "create_entry", "responses": {"200": {"description": "made"}}}}}}"#;
    if request.uri().path().starts_with("/docs/") {
        return Ok(Response::new(Body::from(document)));
    }
    let bearer = request.headers().contains_key(AUTHORIZATION);
    let seen = format!("{name}: {} {} {bearer} ", request.method(), request.uri());
    let body = Body::stream(request.into_body()).collect(ANSWER_BYTES_MAX).await?;
    Ok(Response::new(Body::from([seen.as_bytes(), &body].concat())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_behind_a_socket_answers_through_the_gateway() {
    let world = World::new().await;
    let serving = serve(&world.socket("ledger"), "one");
    world.register(&["ledger"]).await;
    let (status, body) = world.ask("GET", "/ledger/entries/?page=2", Body::empty()).await;
    assert_eq!((status, body), (200, b"one: GET /entries/?page=2 true ".to_vec()));
    let sent = vec![7; 3 << 20];
    let (status, body) = world.ask("POST", "/ledger/entries/", Body::from(sent.clone())).await;
    assert_eq!((status, &body[body.len() - sent.len()..]), (200, &sent[..]));
    let (status, _) = world.ask("GET", "/ledger/nothing/", Body::empty()).await;
    assert_eq!(status, 404, "what the document does not have");
    serving.abort();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_reached_one_socket_goes_to_another_also_if_it_may_not_be_repeated() {
    let world = World::new().await;
    let serving = serve(&world.socket("here"), "here");
    // Nobody ever listens at the second one.
    world.register(&["here", "gone"]).await;
    for number in 0..20 {
        let (status, body) = world.ask("POST", "/ledger/entries/", Body::from("x")).await;
        assert_eq!((status, body), (200, b"here: POST /entries/ true x".to_vec()), "call {number}");
    }
    serving.abort();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_nobody_listens_at_is_a_gateway_error_until_somebody_does() {
    let world = World::new().await;
    let path = world.socket("ledger");
    let serving = serve(&path, "first");
    world.register(&["ledger"]).await;
    assert_eq!(world.ask("GET", "/ledger/entries/", Body::empty()).await.0, 200);
    serving.abort();
    drop(serving.await);
    std::fs::remove_file(&path).unwrap();
    let (status, body) = world.ask("POST", "/ledger/entries/", Body::from("x")).await;
    assert_eq!(status, 502, "{}", String::from_utf8_lossy(&body));
    let serving = serve(&path, "second");
    let (status, body) = world.ask("GET", "/ledger/entries/", Body::empty()).await;
    assert_eq!((status, body), (200, b"second: GET /entries/ true ".to_vec()));
    serving.abort();
    world.end().await;
}
