//! Pages by cursor.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use serde_json::json;

use crate::on_both_databases;
use crate::world::World;

async fn every_record_is_seen_once_while_others_are_made(world: Arc<World>) {
    for number in 0..120 {
        // Few distinct values and missing ones, so that pages end within equal values.
        let count = (number % 4 != 0).then_some(number % 5);
        world.make(json!({"name": format!("old {number}"), "count": count})).await;
    }
    let is_done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (world, is_done) = (Arc::clone(&world), Arc::clone(&is_done));
        async move {
            let mut number = 0;
            while !is_done.load(Ordering::Relaxed) {
                world.make(json!({"name": format!("new {number}"), "count": number % 5})).await;
                number += 1;
            }
        }
    });
    for ordering in ["id", "count", "-count", "-on_sale,count", "name"] {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut next = Some(format!("/things/?limit=7&ordering={ordering}"));
        while let Some(path) = next {
            let page = world.send(Method::GET, &path, None).await;
            for thing in page.results() {
                *seen.entry(thing["name"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            next = page.body["next"].as_str().map(|query| format!("/things/{query}"));
        }
        for number in 0..120 {
            assert_eq!(seen.get(&format!("old {number}")), Some(&1), "{ordering}: old {number}");
        }
        assert!(seen.values().all(|times| *times == 1), "{ordering}: seen twice");
    }
    is_done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

async fn the_way_back_shows_the_same_pages(world: Arc<World>) {
    for number in 0..10 {
        world.make(json!({"name": format!("{number}"), "count": number / 3})).await;
    }
    let mut forward = Vec::new();
    let mut path = "/things/?limit=4&ordering=-count".to_owned();
    loop {
        let page = world.send(Method::GET, &path, None).await;
        forward.push(page.body.clone());
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("/things/{next}");
    }
    assert_eq!(forward.len(), 3);
    assert!(forward[0]["previous"].is_null());
    for pair in forward.windows(2) {
        let previous = format!("/things/{}", pair[1]["previous"].as_str().unwrap());
        let back = world.send(Method::GET, &previous, None).await;
        assert_eq!(back.body["results"], pair[0]["results"]);
    }
}

async fn links_are_relative_to_their_list(world: Arc<World>) {
    for name in ["a", "b"] {
        world.make(json!({"name": name})).await;
    }
    let page = world.send(Method::GET, "/things/?limit=1&search=", None).await;
    let next = page.body["next"].as_str().unwrap();
    assert!(next.starts_with("?limit=1&search=&cursor="), "{next}");
}

on_both_databases!(
    every_record_is_seen_once_while_others_are_made,
    the_way_back_shows_the_same_pages,
    links_are_relative_to_their_list,
);
