use buildly_model::{Body, CallError};
use http::Response;
use http_body::Frame;
use http_body_util::BodyExt as _;

use crate::upstream::{channel, serve};
use crate::world::{call, client_of, get, service};

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
