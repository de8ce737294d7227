use std::time::Duration;

use super::*;

fn policy(in_flight_max: u32, queue_length_max: u32) -> Policy {
    Policy { in_flight_max, queue_length_max, queue_wait_max: Duration::from_secs(5), streams_max: 2 }
}

#[tokio::test(start_paused = true)]
async fn who_finds_the_queue_full_is_sent_away_at_once() {
    let door = Door::new(1);
    let policy = policy(1, 1);
    let inside = door.enter(&policy).await.ok().unwrap();
    let (waiting, refused) = tokio::join!(door.enter(&policy), async {
        let refused = door.enter(&policy).await;
        drop(inside);
        refused
    });
    assert!(waiting.is_ok());
    assert!(refused.is_err_and(|busy| busy.retry_after_seconds >= 1));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let door = Door::new(1);
    let policy = policy(1, 1);
    let _inside = door.enter(&policy).await.ok().unwrap();
    assert!(door.enter(&policy).await.is_err());
    assert_eq!(door.load(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn its_size_changes_while_calls_are_inside() {
    let door = Door::new(3);
    let mut inside = Vec::new();
    for _ in 0..3 {
        inside.push(door.enter(&policy(3, 0)).await.ok().unwrap());
    }
    door.resize(1);
    inside.truncate(1);
    assert_eq!(door.load().0, 1);
    assert!(door.enter(&policy(1, 0)).await.is_err(), "one is inside, and one is all there is now");
    door.resize(2);
    inside.push(door.enter(&policy(2, 0)).await.ok().unwrap());
    assert!(door.enter(&policy(2, 0)).await.is_err());
    inside.clear();
    assert_eq!(door.load(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn growing_again_takes_back_what_was_to_vanish() {
    let door = Door::new(2);
    let inside = [door.enter(&policy(2, 0)).await.ok(), door.enter(&policy(2, 0)).await.ok()];
    door.resize(1);
    door.resize(3);
    let third = door.enter(&policy(3, 0)).await;
    assert!(third.is_ok());
    assert!(door.enter(&policy(3, 0)).await.is_err());
    drop((inside, third));
    assert_eq!(door.load(), (0, 0));
}

#[test]
fn long_streams_have_a_bound_of_their_own() {
    let door = Door::new(0);
    let places = [door.enter_stream(&policy(0, 0)).ok(), door.enter_stream(&policy(0, 0)).ok()];
    assert!(places.iter().all(Option::is_some));
    assert!(door.enter_stream(&policy(0, 0)).is_err());
    drop(places);
    assert!(door.enter_stream(&policy(0, 0)).is_ok());
}
