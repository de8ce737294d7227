use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use buildly_model::{Body, CallError};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;

use crate::upstream::{channel, generated, serve};
use crate::world::{call, client_of, get, service, snapshot};

/// 256 MB, or as many as `BUILDLY_STREAM_BYTES` says.
fn large() -> u64 {
    std::env::var("BUILDLY_STREAM_BYTES").map_or(256 << 20, |bytes| bytes.parse().unwrap())
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

static LARGEST: AtomicU64 = AtomicU64::new(0);

fn note_memory() {
    LARGEST.fetch_max(resident_bytes(), Ordering::SeqCst);
}

/// Reads to the end and notes how large the process is on the way.
async fn count(mut body: impl http_body::Body<Data = Bytes, Error: std::fmt::Debug> + Unpin) -> u64 {
    let (mut bytes, mut noted) = (0, 0);
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().into_data().map_or(0, |data| data.len() as u64);
        if bytes - noted > 8 << 20 {
            noted = bytes;
            note_memory();
        }
    }
    bytes
}

const MEASURED: &str = "streaming::a_large_body_passes_both_ways_in_constant_memory";

/// The memory of this process is also that of the tests beside this one, so the streams are
/// measured in a process of their own.
#[test]
fn a_large_body_passes_both_ways_in_constant_memory() {
    let alone = "BUILDLY_TEST_ALONE";
    if std::env::var_os(alone).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        return runtime.unwrap().block_on(pass_large_bodies());
    }
    let this = std::env::current_exe().unwrap();
    let run = std::process::Command::new(this).args(["--exact", MEASURED]).env(alone, "1").output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

async fn pass_large_bodies() {
    let url = serve(|request: Request<hyper::body::Incoming>| async {
        if request.method() == http::Method::GET {
            return Response::new(generated(large()));
        }
        let bytes = count(request.into_body()).await;
        Response::new(Body::from(bytes.to_string()))
    })
    .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let before = resident_bytes();

    let answer = call(&client, &service, get("/")).await.unwrap();
    assert_eq!(count(answer.into_body()).await, large());

    for method in ["POST", "PUT"] {
        let upload = Request::builder().method(method).uri("/").body(generated(large())).unwrap();
        let answer = call(&client, &service, upload).await.unwrap();
        assert_eq!(answer.into_body().collect(100).await.unwrap(), large().to_string());
    }

    let grown = LARGEST.load(Ordering::SeqCst).saturating_sub(before);
    assert!(grown < 48 << 20, "grew by {} MB", grown >> 20);
}

#[tokio::test]
async fn server_sent_events_arrive_one_by_one() {
    let (events, body) = channel();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
    let url = serve(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async { Response::builder().header("content-type", "text/event-stream").body(body).unwrap() }
    })
    .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let mut stream = call(&client, &service, get("/events")).await.unwrap().into_body();
    for number in 0..3 {
        let event = format!("data: {number}\n\n");
        events.send(Frame::data(event.clone().into())).await.unwrap();
        // The next event is only sent when this one is here.
        assert_eq!(stream.frame().await.unwrap().unwrap().into_data().unwrap(), event);
    }
    assert_eq!(client.load(service.id), (0, 0), "a long stream takes no place of a call");
    drop(events);
    assert!(stream.frame().await.is_none());
}

#[tokio::test]
async fn an_open_stream_survives_a_change_of_the_services() {
    let (events, body) = channel();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
    let url = serve(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async { Response::new(body) }
    })
    .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let mut stream = call(&client, &service, get("/")).await.unwrap().into_body();
    client.follow(&snapshot(&[]).await);
    assert!(matches!(call(&client, &service, get("/")).await, Err(CallError::UnknownService)));
    events.send(Frame::data("still here".into())).await.unwrap();
    assert_eq!(stream.frame().await.unwrap().unwrap().into_data().unwrap(), "still here");
}

#[tokio::test]
async fn a_stream_ends_when_the_right_to_it_does() {
    let (events, body) = channel();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
    let url = serve(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async { Response::new(body) }
    })
    .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let mut stream = call(&client, &service, get("/")).await.unwrap().into_body();
    events.send(Frame::data("one".into())).await.unwrap();
    stream.frame().await.unwrap().unwrap();
    let mut waiting = Box::pin(stream.frame());
    assert!(poll_once(waiting.as_mut()).await.is_none(), "nothing comes yet");
    assert_eq!(
        client.end_streams_unless(|_, asked, method| asked == service.id && method == http::Method::GET),
        0
    );
    assert_eq!(client.end_streams_unless(|_, _, _| false), 1);
    let ended = waiting.await.unwrap().unwrap_err();
    assert_eq!(ended.to_string(), "the right to this stream has ended");
    drop(stream);
    assert_eq!(client.open_streams(), 0);
}

#[tokio::test]
async fn a_right_that_ended_while_the_call_was_under_way_ends_its_stream() {
    let (events, body) = channel();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
    let url = serve(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async { Response::new(body) }
    })
    .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    client.judge_streams_by(std::sync::Arc::new(|_, _, _| false));
    let mut stream = call(&client, &service, get("/")).await.unwrap().into_body();
    let ended = stream.frame().await.unwrap().unwrap_err();
    assert_eq!(ended.to_string(), "the right to this stream has ended");
    drop(events);
}

/// Polls once: `None` if it has to wait.
async fn poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_silent_stream_is_cut() {
    let (events, body) = channel();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
    let url = serve(move |_| {
        let body = body.lock().unwrap().take().unwrap();
        async { Response::new(body) }
    })
    .await;
    let mut service = service(&[url]);
    service.policy.idle_timeout_ms = 100;
    let client = client_of(&[&service]).await;
    let mut stream = call(&client, &service, get("/")).await.unwrap().into_body();
    events.send(Frame::data("one".into())).await.unwrap();
    stream.frame().await.unwrap().unwrap();
    let cut = stream.frame().await.unwrap().unwrap_err();
    assert_eq!(cut.to_string(), "the service sent nothing for too long");
    assert_eq!(client.load(service.id), (0, 0));
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let url = serve(|request: Request<hyper::body::Incoming>| async move {
        let sent = request.into_body().collect().await.unwrap();
        let digest = sent.trailers().and_then(|trailers| trailers.get("digest").cloned());
        let (frames, body) = channel();
        tokio::spawn(async move {
            frames.send(Frame::data(sent.to_bytes())).await.unwrap();
            let trailers = digest.map(|digest| (http::HeaderName::from_static("digest"), digest));
            frames.send(Frame::trailers(trailers.into_iter().collect())).await.unwrap();
        });
        Response::builder().header("trailer", "digest").body(body).unwrap()
    })
    .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let (frames, body) = channel();
    tokio::spawn(async move {
        frames.send(Frame::data("hello".into())).await.unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("digest", HeaderValue::from_static("42"));
        frames.send(Frame::trailers(trailers)).await.unwrap();
    });
    let request = Request::post("/").header("te", "trailers").header("trailer", "digest").body(body).unwrap();
    let answer = call(&client, &service, request).await.unwrap().into_body().collect_all().await;
    assert_eq!(answer.trailers().unwrap()["digest"], "42");
    assert_eq!(answer.to_bytes(), "hello");
}

trait CollectAll {
    async fn collect_all(self) -> http_body_util::Collected<Bytes>;
}

impl CollectAll for Body {
    async fn collect_all(self) -> http_body_util::Collected<Bytes> {
        http_body_util::BodyExt::collect(self).await.unwrap()
    }
}

#[tokio::test]
async fn an_upload_may_take_longer_than_an_answer() {
    let url = serve(|request: Request<hyper::body::Incoming>| async {
        Response::new(Body::from(request.into_body().collect().await.unwrap().to_bytes()))
    })
    .await;
    let mut service = service(&[url]);
    service.policy.first_byte_timeout_ms = 300;
    let client = client_of(&[&service]).await;
    let (frames, body) = channel();
    tokio::spawn(async move {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(100)).await; // a slow line
            frames.send(Frame::data("x".into())).await.unwrap();
        }
    });
    let answer = call(&client, &service, Request::post("/").body(body).unwrap()).await.unwrap();
    assert_eq!(answer.into_body().collect(100).await.unwrap(), "xxxxx");
}
