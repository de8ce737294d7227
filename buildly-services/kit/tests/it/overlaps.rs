//! Records that must not share time.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::world::{Answer, World};

const WRITERS: usize = 8;

async fn book(world: &World, thing: &str, starts: &str, ends: &str) -> Answer {
    let body = json!({"thing": thing, "starts": at(starts), "ends": at(ends)});
    world.send(Method::POST, "/bookings/", Some(body)).await
}

fn at(time: &str) -> String {
    format!("2026-11-23T{time}:00Z")
}

async fn a_taken_time_is_refused_and_says_who_has_it(world: Arc<World>) {
    let (lamp, torch) =
        (world.make(json!({"name": "Lamp"})).await, world.make(json!({"name": "Torch"})).await);
    let first = book(&world, &lamp.id(), "10:00", "11:00").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    for (case, starts, ends, expected) in [
        ("the same", "10:00", "11:00", 409),
        ("inside", "10:15", "10:30", 409),
        ("around", "09:00", "12:00", 409),
        ("over the start", "09:30", "10:01", 409),
        ("over the end", "10:59", "11:30", 409),
        ("just before", "09:00", "10:00", 201),
        ("just after", "11:00", "12:00", 201),
    ] {
        let answer = book(&world, &lamp.id(), starts, ends).await;
        assert_eq!(answer.status.as_u16(), expected, "{case}: {}", answer.text);
        if expected == 409 {
            assert_eq!(answer.body["conflicts_with"], first.id(), "{case}");
            assert!(answer.body["detail"].as_str().unwrap().contains(&first.id()), "{case}: {}", answer.text);
        }
    }
    let elsewhere = book(&world, &torch.id(), "10:00", "11:00").await;
    assert_eq!(elsewhere.status, StatusCode::CREATED, "another thing has a time of its own");
}

async fn changes_are_held_to_it_and_those_that_take_no_time_are_not(world: Arc<World>) {
    let lamp = world.make(json!({"name": "Lamp"})).await;
    let first = book(&world, &lamp.id(), "10:00", "11:00").await;
    let second = book(&world, &lamp.id(), "11:00", "12:00").await;
    let (first, second) = (first.path("/bookings/"), second.path("/bookings/"));
    let longer = json!({"ends": at("11:30")});
    let refused = world.send(Method::PATCH, &first, Some(longer.clone())).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let off = world.send(Method::PATCH, &second, Some(json!({"state": "off"}))).await;
    assert_eq!(off.status, StatusCode::OK, "{}", off.text);
    let longer = world.send(Method::PATCH, &first, Some(longer)).await;
    assert_eq!(longer.status, StatusCode::OK, "its own time is no obstacle: {}", longer.text);
    let on_again = world.send(Method::PATCH, &second, Some(json!({"state": null}))).await;
    assert_eq!(on_again.status, StatusCode::CONFLICT, "{}", on_again.text);
    let replaced = json!({"thing": lamp.id(), "starts": at("11:00"), "ends": at("12:00")});
    let replaced = world.send(Method::PUT, &second, Some(replaced)).await;
    assert_eq!(replaced.status, StatusCode::CONFLICT, "{}", replaced.text);
}

async fn of_many_at_once_one_gets_the_time(world: Arc<World>) {
    for round in 0..10 {
        let lamp = world.make(json!({"name": format!("Lamp {round}")})).await.id();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (world, lamp) = (Arc::clone(&world), lamp.clone());
                let starts = format!("10:{:02}", writer * 5);
                tokio::spawn(async move { book(&world, &lamp, &starts, "11:00").await.status })
            })
            .collect();
        let mut statuses = Vec::new();
        for writer in writers {
            statuses.push(writer.await.unwrap());
        }
        let made = statuses.iter().filter(|status| **status == StatusCode::CREATED).count();
        let refused = statuses.iter().filter(|status| **status == StatusCode::CONFLICT).count();
        assert_eq!((made, refused), (1, WRITERS - 1), "round {round}: {statuses:?}");
        let kept = world.send(Method::GET, &format!("/bookings/?thing={lamp}"), None).await;
        assert_eq!(kept.results().len(), 1, "round {round}");
    }
}

async fn a_repeated_booking_is_the_first_one(world: Arc<World>) {
    let lamp = world.make(json!({"name": "Lamp"})).await.id();
    let body = json!({"thing": lamp, "starts": "noon", "ends": at("13:00")});
    let key = [("idempotency-key", "once")];
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (world, body) = (Arc::clone(&world), body.clone());
            tokio::spawn(async move { world.ask(Method::POST, "/bookings/", &key, Some(body)).await })
        })
        .collect();
    let mut ids = Vec::<String>::new();
    for writer in writers {
        let answer = writer.await.unwrap();
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.body["starts"], Value::from(at("12:00")), "another way to write it");
        ids.push(answer.id());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

on_both_databases!(
    a_taken_time_is_refused_and_says_who_has_it,
    changes_are_held_to_it_and_those_that_take_no_time_are_not,
    of_many_at_once_one_gets_the_time,
    a_repeated_booking_is_the_first_one,
);
