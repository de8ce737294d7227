use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use buildly_gateway::Service;
use buildly_model::system::System;
use buildly_model::{Body, CallError, Clock as _, ServiceClient as _};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::io::AsyncWriteExt as _;

use crate::upstream::{
    channel, dead, serve, serve_bytes, serve_raw, serve_silence, serve_status, serve_text,
};
use crate::world::{ask, call, call_of, client_of, get, service, snapshot};

fn post(path: &str, body: &'static str) -> Request<Body> {
    Request::post(path).body(Body::from(body)).unwrap()
}

fn keyed(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert("idempotency-key", "1".parse().unwrap());
    request
}

/// `Connection` names the key, so the service does not get it.
fn key_of_the_hop(request: Request<Body>) -> Request<Body> {
    let mut request = keyed(request);
    request.headers_mut().insert("connection", "idempotency-key".parse().unwrap());
    request
}

/// Gives back what it got, and counts.
async fn echo() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let url = serve(move |request: Request<Incoming>| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Response::new(Body::from(request.into_body().collect().await.unwrap().to_bytes())) }
    })
    .await;
    (url, asked)
}

#[tokio::test]
async fn where_nobody_listens_the_next_instance_is_asked_whatever_the_method() {
    let (url, asked) = echo().await;
    let service = service(&[dead().await, url]);
    let client = client_of(&[&service]).await;
    for _ in 0..4 {
        assert_eq!(ask(&client, &service, post("/", "hello")).await, (200, "hello".to_owned()));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn where_nobody_answers_the_fault_is_named() {
    let mut slow_head = service(&[serve_silence().await]);
    slow_head.policy.first_byte_timeout_ms = 100;
    for (case, service, expected, status) in [
        ("dead", service(&[dead().await]), "service `crm` cannot be reached", 502),
        (
            "garbage",
            service(&[serve_bytes(b"hello\r\n\r\n").await.0]),
            "service `crm` gave no valid answer",
            502,
        ),
        ("nothing", service(&[serve_bytes(b"").await.0]), "service `crm` gave no valid answer", 502),
        (
            "two lengths",
            service(&[serve_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab")
                .await
                .0]),
            "service `crm` gave no valid answer",
            502,
        ),
        ("slow", slow_head, "service `crm` did not answer in time", 504),
        ("no instance", service(&[]), "service `crm` cannot be reached", 502),
    ] {
        let client = client_of(&[&service]).await;
        let error = call(&client, &service, get("/")).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.status().as_u16()), (expected, status), "{case}");
    }
}

#[tokio::test]
async fn the_caller_s_own_deadline_counts_too() {
    let service = service(&[serve_silence().await]);
    let client = client_of(&[&service]).await;
    let mut call = call_of(&service, get("/"));
    call.deadline = Some(System.now().after(Duration::from_millis(100)));
    assert!(matches!(client.call(call).await, Err(CallError::DeadlineExceeded { .. })));
    assert!(client.instances(service.id).iter().all(|instance| !instance.is_ejected));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_no_short_answer() {
    let (url, _) = serve_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let answer = call(&client, &service, get("/")).await.unwrap();
    assert!(answer.into_body().collect(100).await.is_err());
    assert_eq!(client.load(service.id), (0, 0));
}

/// A service of two instances: one that hangs up after it has read the request, and an echo.
async fn half_broken() -> (Service, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (broken, broken_asked) = serve_bytes(b"").await;
    let (good, good_asked) = echo().await;
    (service(&[broken, good]), broken_asked, good_asked)
}

#[tokio::test]
async fn a_call_that_may_have_been_done_is_repeated_only_if_that_is_safe() {
    type Make = fn() -> Request<Body>;
    let cases: [(&str, Make, bool); 5] = [
        ("GET", || get("/"), true),
        ("PUT", || Request::put("/").body(Body::from("hello")).unwrap(), true),
        ("POST", || post("/", "hello"), false),
        ("POST with a key", || keyed(post("/", "hello")), true),
        ("POST with a key that ends here", || key_of_the_hop(post("/", "hello")), false),
    ];
    for (case, make, expected) in cases {
        let (service, broken_asked, good_asked) = half_broken().await;
        let client = client_of(&[&service]).await;
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(call(&client, &service, make()).await.map(Response::into_body));
        }
        assert_eq!(broken_asked.load(Ordering::SeqCst), 1, "{case}: it was one of the two's turn");
        assert_eq!(
            answers.iter().filter(|answer| answer.is_ok()).count(),
            1 + usize::from(expected),
            "{case}"
        );
        assert_eq!(good_asked.load(Ordering::SeqCst), 1 + usize::from(expected), "{case}");
        for answer in answers.into_iter().flatten() {
            let expected = if case == "GET" { "" } else { "hello" };
            assert_eq!(answer.collect(100).await.unwrap(), expected, "{case}: the body was sent whole");
        }
    }
}

#[tokio::test]
async fn a_failing_answer_is_asked_for_elsewhere_and_passed_on_if_there_is_no_elsewhere() {
    let (failing, failing_asked) = serve_status(503, "not now").await;
    let (good, _) = serve_text("good").await;
    let both = service(&[failing.clone(), good]);
    let client = client_of(&[&both]).await;
    for _ in 0..2 {
        assert_eq!(ask(&client, &both, get("/")).await, (200, "good".to_owned()));
    }
    assert_eq!(failing_asked.load(Ordering::SeqCst), 1);
    let alone = service(&[failing]);
    let client = client_of(&[&alone]).await;
    assert_eq!(ask(&client, &alone, get("/")).await, (503, "not now".to_owned()));
    assert_eq!(failing_asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn without_a_budget_nothing_is_repeated() {
    let (failing, asked) = serve_status(503, "not now").await;
    let mut service = service(&[failing.clone(), failing]);
    service.policy.retry.budget_percent = 0;
    service.policy.retry.per_second_min = 0;
    let client = client_of(&[&service]).await;
    assert_eq!(ask(&client, &service, get("/")).await.0, 503);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_instance_that_keeps_failing_is_left_out_and_that_survives_a_change_of_the_services() {
    let (failing, failing_asked) = serve_status(503, "not now").await;
    let (good, _) = serve_text("good").await;
    let mut service = service(&[failing, good]);
    service.policy.ejection.failures_max = 2;
    let client = client_of(&[&service]).await;
    for _ in 0..20 {
        assert_eq!(ask(&client, &service, get("/")).await.0, 200);
    }
    assert_eq!(failing_asked.load(Ordering::SeqCst), 2);
    let ejected = |client: &buildly_gateway_http::Client| {
        client.instances(service.id).iter().map(|instance| instance.is_ejected).collect::<Vec<_>>()
    };
    assert_eq!(ejected(&client), [true, false]);

    let mut changed = service.clone();
    changed.policy.in_flight_max = 7;
    client.follow(&snapshot(&[&changed]).await);
    assert_eq!(ejected(&client), [true, false]);

    client.follow(&snapshot(&[]).await);
    client.follow(&snapshot(&[&changed]).await);
    assert_eq!(ejected(&client), [false, false], "a service that went and came is a new one");
}

#[tokio::test]
async fn the_last_instance_is_asked_however_often_it_fails() {
    let (failing, asked) = serve_status(503, "not now").await;
    let mut service = service(&[failing]);
    service.policy.ejection.failures_max = 1;
    let client = client_of(&[&service]).await;
    for _ in 0..10 {
        assert_eq!(ask(&client, &service, get("/")).await.0, 503);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 10);
    assert!(!client.instances(service.id)[0].is_ejected);
}

#[tokio::test]
async fn a_caller_that_breaks_off_its_upload_says_nothing_about_the_instance() {
    let (url, _) = echo().await;
    let (other, _) = echo().await;
    let mut service = service(&[url, other]);
    service.policy.ejection.failures_max = 1;
    let client = client_of(&[&service]).await;
    for _ in 0..4 {
        let request = Request::put("/").body(Body::stream(Broken)).unwrap();
        assert!(call(&client, &service, request).await.is_err());
    }
    assert!(client.instances(service.id).iter().all(|instance| !instance.is_ejected));
}

/// Two instances in this process that read a request to its end and then hang.
async fn hanging() -> (Service, buildly_gateway_http::Client) {
    let mut service = service(&["http://one.localhost".to_owned(), "http://two.localhost".to_owned()]);
    service.policy.ejection.failures_max = 1;
    let client = client_of(&[&service]).await;
    for authority in ["one.localhost", "two.localhost"] {
        client.attach(
            authority,
            Arc::new(|request: Request<Body>| async {
                request.into_body().collect(1 << 20).await?;
                std::future::pending().await
            }),
        );
    }
    (service, client)
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stops_is_ended_and_says_nothing_about_the_instance() {
    let (_frames, never) = channel();
    for (case, body, ejected) in [
        ("an upload that stops", never, 0),
        ("an upload that came whole", Body::from("whole"), 1),
        ("no upload", Body::empty(), 1),
    ] {
        let (service, client) = hanging().await;
        let request = Request::put("/").body(body).unwrap();
        let error = call(&client, &service, request).await.unwrap_err();
        assert!(matches!(error, CallError::DeadlineExceeded { .. }), "{case}: {error:?}");
        let instances = client.instances(service.id);
        let out = instances.iter().filter(|instance| instance.is_ejected).count();
        assert_eq!((out, client.load(service.id)), (ejected, (0, 0)), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_trickles_is_ended() {
    let (service, client) = hanging().await;
    let (frames, body) = channel();
    let began = tokio::time::Instant::now();
    let trickle = async {
        while frames.send(http_body::Frame::data("x".into())).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    };
    let upload = call(&client, &service, Request::put("/").body(body).unwrap());
    let (answer, ()) = tokio::join!(upload, trickle);
    assert!(matches!(answer, Err(CallError::DeadlineExceeded { .. })));
    assert_eq!(began.elapsed().as_secs() / 10, 7, "it ended after a minute, and the next byte showed it");
}

#[tokio::test]
async fn redirects_are_passed_on_and_not_followed() {
    let (elsewhere, elsewhere_asked) = serve_text("secret").await;
    let location = elsewhere.clone();
    let url =
        serve(move |_| {
            let location = location.clone();
            async move {
                Response::builder().status(302).header("location", location).body(Body::empty()).unwrap()
            }
        })
        .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let answer = call(&client, &service, get("/")).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (302, &elsewhere.parse().unwrap()));
    assert_eq!(elsewhere_asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn turns_are_taken_by_weight() {
    let ((light, light_asked), (heavy, heavy_asked)) = (serve_text("l").await, serve_text("h").await);
    let mut service = service(&[light, heavy]);
    service.instances[1].weight = 3;
    let client = client_of(&[&service]).await;
    for _ in 0..40 {
        ask(&client, &service, get("/")).await;
    }
    assert_eq!((light_asked.load(Ordering::SeqCst), heavy_asked.load(Ordering::SeqCst)), (10, 30));
}

#[tokio::test]
async fn a_service_that_stops_half_way_through_its_head_does_not_hold_the_call_for_ever() {
    let (url, _) = serve_raw(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut service = service(&[url]);
    service.policy.first_byte_timeout_ms = 100;
    let client = client_of(&[&service]).await;
    assert!(matches!(call(&client, &service, get("/")).await, Err(CallError::DeadlineExceeded { .. })));
    assert_eq!(client.load(service.id), (0, 0));
}

/// A body that breaks at once.
struct Broken;

impl http_body::Body for Broken {
    type Data = bytes::Bytes;
    type Error = buildly_model::BodyError;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Ready(Some(Err("gone".into())))
    }
}
