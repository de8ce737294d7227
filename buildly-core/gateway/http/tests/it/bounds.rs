use std::sync::Arc;
use std::time::Duration;

use buildly_model::{Body, CallError, Identity, ServiceClient as _, UserId};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;

use crate::upstream::{channel, serve};
use crate::world::{call, call_of, client_of, get, service};

#[tokio::test]
async fn a_call_keeps_its_place_until_the_last_byte_of_its_answer() {
    let (frames, body) = channel();
    let bodies = std::sync::Arc::new(std::sync::Mutex::new(vec![Body::from("second"), body]));
    let url = serve(move |_| {
        let body = bodies.lock().unwrap().pop().unwrap();
        async { Response::new(body) }
    })
    .await;
    let mut service = service(&[url]);
    service.policy.in_flight_max = 1;
    service.policy.queue_length_max = 0;
    let client = client_of(&[&service]).await;

    let mut first = call(&client, &service, get("/")).await.unwrap().into_body();
    frames.send(Frame::data("one".into())).await.unwrap();
    first.frame().await.unwrap().unwrap();
    let refused = call(&client, &service, get("/")).await.unwrap_err();
    assert!(matches!(refused, CallError::Busy { retry_after_seconds: 1.., .. }), "{refused:?}");
    assert_eq!((refused.status().as_u16(), client.load(service.id)), (503, (1, 0)));

    drop(frames);
    assert!(first.frame().await.is_none());
    let second = call(&client, &service, get("/")).await.unwrap();
    assert_eq!(second.into_body().collect(100).await.unwrap(), "second");
    assert_eq!(client.load(service.id), (0, 0));
}

#[tokio::test]
async fn an_answer_that_is_thrown_away_gives_its_place_back() {
    let url = serve(|_| async { Response::new(crate::upstream::generated(1 << 30)) }).await;
    let mut service = service(&[url]);
    service.policy.in_flight_max = 1;
    service.policy.queue_length_max = 0;
    let client = client_of(&[&service]).await;
    for _ in 0..3 {
        let answer = call(&client, &service, get("/")).await.unwrap();
        assert_eq!(client.load(service.id), (1, 0));
        drop(answer);
    }
    assert_eq!(client.load(service.id), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_gives_its_place_back_in_the_end() {
    let mut service = service(&["http://crm.localhost".to_owned()]);
    service.policy.idle_timeout_ms = 60_000;
    let client = client_of(&[&service]).await;
    client.attach(
        "crm.localhost",
        Arc::new(|_: Request<Body>| async { Ok(Response::new(crate::upstream::generated(1 << 30))) }),
    );
    for taken in [0, 3] {
        let mut answer = call(&client, &service, get("/")).await.unwrap().into_body();
        for _ in 0..taken {
            tokio::time::advance(Duration::from_secs(59)).await;
            answer.frame().await.unwrap().unwrap();
        }
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(client.load(service.id), (1, 0));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(client.load(service.id), (0, 0), "after {taken} frames");
        let cut = answer.frame().await.unwrap().unwrap_err();
        assert_eq!(cut.to_string(), "the answer was not read for too long");
        assert!(answer.frame().await.is_none());
    }
}

#[tokio::test]
async fn one_caller_leaves_places_to_others() {
    let (_frames, body) = channel();
    let bodies = std::sync::Arc::new(std::sync::Mutex::new(vec![Body::from("second"), body]));
    let url = serve(move |_| {
        let body = bodies.lock().unwrap().pop().unwrap();
        async { Response::new(body) }
    })
    .await;
    let mut service = service(&[url]);
    service.policy.in_flight_max = 4;
    service.policy.queue_length_max = 0;
    let client = client_of(&[&service]).await;
    let as_user = |number| {
        let mut call = call_of(&service, get("/"));
        call.principal.identity = Identity::User(UserId::from_uuid(uuid::Uuid::from_u128(number)));
        client.call(call)
    };
    let _slow = as_user(1).await.unwrap();
    assert!(matches!(as_user(1).await, Err(CallError::Busy { .. })), "one of four is its share");
    let other = as_user(2).await.unwrap();
    assert_eq!(other.into_body().collect(100).await.unwrap(), "second");
}

#[tokio::test]
async fn who_waits_in_the_queue_gets_a_turn() {
    let (frames, body) = channel();
    let bodies = std::sync::Arc::new(std::sync::Mutex::new(vec![Body::from("second"), body]));
    let url = serve(move |_| {
        let body = bodies.lock().unwrap().pop().unwrap();
        async { Response::new(body) }
    })
    .await;
    let mut service = service(&[url]);
    service.policy.in_flight_max = 1;
    service.policy.queue_length_max = 1;
    let client = client_of(&[&service]).await;
    let first = call(&client, &service, get("/")).await.unwrap();
    let (second, ()) = tokio::join!(call(&client, &service, get("/")), async {
        assert_eq!(client.load(service.id).0, 1);
        drop((frames, first));
    });
    assert_eq!(second.unwrap().into_body().collect(100).await.unwrap(), "second");
}
