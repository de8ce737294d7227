//! Joins of services that are slow or hang.

use std::time::Duration;

use super::*;
use crate::testing::PausedClock;

fn slow(trouble: Trouble) -> (World, tokio::time::Instant) {
    let began = tokio::time::Instant::now();
    let services = Services { trouble: Some(("/document/", trouble)), ..Services::new() };
    let clock = Arc::new(PausedClock(began));
    (world_at(clock, Rights::everything(), Documents::usual(), services), began)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_ends_costs_the_join_its_deadline_and_no_more() {
    let (world, began) = slow(Trouble::Silent);
    let answer = world.get("products/product/1/").await;
    assert_eq!(began.elapsed(), DEADLINE_DEFAULT);
    assert_eq!(faults(&answer), ["product_documents deadline_exceeded 2"]);
    assert_eq!(answer["product_category"], json!([{"id": 1, "name": "category 1"}]));
}

#[tokio::test(start_paused = true)]
async fn all_records_that_a_request_writes_share_one_deadline() {
    let (world, began) = slow(Trouble::Slow);
    let items: Vec<Value> = (0..5).map(|number| json!({"title": format!("{number}")})).collect();
    let body = json!({"name": "made", "product_documents": items});
    let answer = world.json(Method::POST, "products/product/", Some(body)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(30));
    assert_eq!(answer["product_documents"].as_array().unwrap().len(), 3);
    assert_eq!(faults(&answer), ["product_documents deadline_exceeded 2"]);
    let calls = world.services.taken_calls();
    let written = calls.iter().filter(|call| call.starts_with("POST /document/")).count();
    assert_eq!(written, 3, "nothing is sent that nobody would wait for: {calls:?}");
    assert!(!world.store.pairs().is_empty(), "what was written is linked");
}

#[tokio::test(start_paused = true)]
async fn the_service_s_own_answer_must_come_whole_before_the_deadline() {
    let (world, began) = slow(Trouble::Silent);
    let asked = world.asked(Method::GET, &format!("documents/document/{DOCUMENT}1/"), None);
    let joining = world.mesh.begin_join(asked).await.unwrap().unwrap();
    let answer = Response::builder().header("content-type", "application/json");
    let refused =
        joining.finish(answer.body(Body::stream(crate::testing::Silent)).unwrap()).await.unwrap_err();
    assert!(matches!(&refused, Error::Call(error) if error.status() == 504), "{refused}");
    assert_eq!(began.elapsed(), DEADLINE_DEFAULT);
}

#[tokio::test(start_paused = true)]
async fn records_of_the_core_are_read_side_by_side() {
    let (world, began) = slow(Trouble::Busy);
    for number in 0..63 {
        world.store.link("author", "1", &format!("b0000000-0000-4000-8000-0000000000{number:02}"));
    }
    let answer = world.get("products/product/1/").await;
    assert_eq!(answer["author"], json!([{"id": ANN, "username": "ann"}]));
    assert_eq!(began.elapsed(), Duration::from_secs(8), "64 of them, 8 at a time");
}
