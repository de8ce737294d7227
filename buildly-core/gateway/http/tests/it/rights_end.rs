//! Streams that are open when the right to them ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use buildly_gateway::Service;
use buildly_gateway_http::{Client, Options};
use buildly_model::system::Clock;
use buildly_model::{Body, Identity, OrganizationId, Principal, ServiceClient as _, Timestamp, UserId};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use uuid::Uuid;

use crate::upstream::{channel, generated};
use crate::world::{call, call_of, client_of, get, options, service, snapshot};

const ENDED: &str = "the right to this stream has ended";

/// Always has the next piece ready.
fn serve_without_a_pause(client: &Client) {
    let endless = |_: Request<Body>| async { Ok(Response::new(generated(u64::MAX))) };
    client.attach("crm.localhost", Arc::new(endless));
}

/// Never has a piece.
fn serve_silence(client: &Client) {
    let silence = |_: Request<Body>| async {
        let (sender, body) = channel();
        std::mem::forget(sender);
        Ok(Response::new(body))
    };
    client.attach("crm.localhost", Arc::new(silence));
}

fn in_process() -> Service {
    service(&["http://crm.localhost".to_owned()])
}

#[tokio::test]
async fn a_stream_that_is_never_silent_ends_when_the_right_does() {
    let service = in_process();
    let client = client_of(&[&service]).await;
    serve_without_a_pause(&client);
    let mut stream = call(&client, &service, get("/export")).await.unwrap().into_body();
    for _ in 0..3 {
        stream.frame().await.unwrap().unwrap();
    }
    assert_eq!(client.end_streams_unless(|_, _, _| false), 1, "it is among the open ones");
    let ended = stream.frame().await.unwrap().unwrap_err();
    assert_eq!(ended.to_string(), ENDED);
    assert!(stream.frame().await.is_none());
    assert_eq!((client.open_streams(), client.load(service.id)), (0, (0, 0)));
}

#[tokio::test]
async fn a_right_that_ended_during_the_call_ends_a_stream_that_is_never_silent() {
    let service = in_process();
    let client = client_of(&[&service]).await;
    client.judge_streams_by(Arc::new(|_, _, _| false));
    serve_without_a_pause(&client);
    let mut stream = call(&client, &service, get("/export")).await.unwrap().into_body();
    stream.frame().await.unwrap().unwrap();
    assert_eq!(stream.frame().await.unwrap().unwrap_err().to_string(), ENDED);
}

/// A clock that is set by hand, in seconds.
struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

fn user(number: u128, expires_at: Option<i64>) -> Principal {
    Principal {
        identity: Identity::User(UserId::from_uuid(Uuid::from_u128(number))),
        organization: Some(OrganizationId::from_uuid(Uuid::from_u128(number % 3))),
        expires_at: expires_at.map(Timestamp::from_seconds),
        ..Principal::ANONYMOUS
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let service = in_process();
    let clock = Arc::new(Set(AtomicI64::new(100)));
    let client = Client::new(Options { clock: clock.clone(), ..options() }).unwrap();
    client.follow(&snapshot(&[&service]).await);
    serve_without_a_pause(&client);
    let mut streams = Vec::new();
    for expires_at in [Some(101), Some(102), None] {
        let call = buildly_model::ServiceCall {
            principal: user(1, expires_at),
            ..call_of(&service, get("/events"))
        };
        let mut stream = client.call(call).await.unwrap().into_body();
        stream.frame().await.unwrap().unwrap();
        stream.frame().await.unwrap().unwrap();
        streams.push(stream);
    }
    assert_eq!(client.end_expired_streams(), 0, "no token has ended yet");
    let mut open = Vec::new();
    for now in [101, 102, 1_000_000] {
        clock.0.store(now, Ordering::SeqCst);
        client.end_expired_streams();
        let mut still = 0;
        for stream in &mut streams {
            still += usize::from(matches!(stream.frame().await, Some(Ok(_))));
        }
        open.push(still);
    }
    assert_eq!(open, [2, 1, 1], "each ends with its own token, and one without an end goes on");
}

#[tokio::test]
async fn ten_thousand_open_streams_are_judged_in_a_moment() {
    let mut service = in_process();
    service.policy.in_flight_max = 20_000;
    let client = client_of(&[&service]).await;
    serve_silence(&client);
    let mut streams = Vec::new();
    for number in 0..10_000 {
        let call = buildly_model::ServiceCall {
            principal: user(number, Some(1 << 40)),
            ..call_of(&service, get("/events"))
        };
        let mut stream = client.call(call).await.unwrap().into_body();
        assert!(
            std::future::poll_fn(|context| {
                std::task::Poll::Ready(std::pin::pin!(stream.frame()).poll(context).is_pending())
            })
            .await
        );
        streams.push(stream);
    }
    assert_eq!((client.open_streams(), client.organizations_with_streams().len()), (10_000, 3));
    let began = Instant::now();
    for _ in 0..10 {
        assert_eq!((client.end_streams_unless(|_, _, _| true), client.end_expired_streams()), (0, 0));
    }
    // Some 10 ms in a build for tests; a second is what a machine that does much else may take.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let of_one = |principal: &Principal| principal.organization == user(0, None).organization;
    assert_eq!(client.end_streams_unless(|principal, _, _| !of_one(principal)), 3334);
    drop(streams);
    assert_eq!(client.open_streams(), 0);
}
