//! Lanes: who holds them, and how far they have come.

use std::time::Duration;

use buildly_journal::{LeaseId, Part};
use buildly_model::{StoreError, Timestamp};
use uuid::Uuid;

use super::{ACME, GLOBEX, LEASE, NOW, Subject, lane_of, webhook};
use crate::webhook::{State, TRANSPORT, Webhook};
use crate::{Change, LaneKey, Lanes, Moved, Trouble};

/// The second who asks gets nothing, may not move it, and gets it once the first has moved it.
pub async fn a_lane_is_held_by_one_until_it_is_moved(subject: &Subject) {
    let (one, key) = (webhook(1), lane_of(ACME, &webhook(1)));
    subject.create(ACME, &one).await;
    subject.happens(Some(ACME)).await;
    subject.happens(Some(ACME)).await;
    let (first, second) = (subject.node().await, subject.node().await);
    assert!(subject.take(&key, Lanes::Opened, first, NOW).await.is_taken);
    assert!(subject.take(&key, Lanes::Opened, first, NOW).await.is_taken, "it is its own already");
    let refused = subject.take(&key, Lanes::Opened, second, NOW).await;
    assert!(!refused.is_taken && refused.is_behind, "{refused:?}");
    let moved = |owner: LeaseId, sequence| {
        Change::LaneMoved(Moved { key: key.clone(), owner, sequence, trouble: None })
    };
    let stale = subject.write(ACME, moved(second, 2)).await;
    assert!(matches!(stale, Err(StoreError::Stale)), "{stale:?}");

    subject.write(ACME, moved(first, 1)).await.expect("it holds the lane");
    let taken = subject.take(&key, Lanes::Opened, second, NOW).await;
    assert!(taken.is_taken && taken.sequence == 1, "{taken:?}");
    let stale = subject.write(ACME, moved(first, 2)).await;
    assert!(matches!(stale, Err(StoreError::Stale)), "it has let it go: {stale:?}");
}

/// Whether its lease of a node has ended, or the time for which it took the lane.
pub async fn a_lane_is_free_when_its_holder_is_gone(subject: &Subject) {
    let (one, key) = (webhook(1), lane_of(ACME, &webhook(1)));
    subject.create(ACME, &one).await;
    subject.happens(Some(ACME)).await;
    let (first, second, third) = (subject.node().await, subject.node().await, subject.node().await);
    assert!(subject.take(&key, Lanes::Opened, first, NOW).await.is_taken);
    subject.nodes.end_lease(first).await.expect("a lease ends");
    let short = subject.store.take_lane(&key, Lanes::Opened, second, Duration::ZERO, NOW).await;
    assert!(short.expect("the store answers").expect("there is such a lane").is_taken);
    assert!(subject.take(&key, Lanes::Opened, third, NOW).await.is_taken);
}

/// A node that lost its lease works on nothing.
pub async fn a_node_without_a_lease_takes_no_lane(subject: &Subject) {
    let (one, key) = (webhook(1), lane_of(ACME, &webhook(1)));
    subject.create(ACME, &one).await;
    subject.happens(Some(ACME)).await;
    let nobody = LeaseId(Uuid::now_v7());
    assert!(!subject.take(&key, Lanes::Opened, nobody, NOW).await.is_taken);
}

/// Not at the end of the chain, not while it is paused, not before its pause is over; and a
/// clock that was set back does not stop it for long.
pub async fn a_lane_with_nothing_to_do_is_not_taken(subject: &Subject) {
    let (one, key) = (webhook(1), lane_of(ACME, &webhook(1)));
    let node = subject.node().await;
    let missing = subject.store.take_lane(&key, Lanes::Opened, node, LEASE, NOW).await;
    assert_eq!(missing.expect("the store answers"), None);
    subject.create(ACME, &one).await;
    let idle = subject.take(&key, Lanes::Opened, node, NOW).await;
    assert!(!idle.is_taken && !idle.is_behind, "{idle:?}");

    subject.happens(Some(ACME)).await;
    let paused = Webhook { state: State::Paused, ..one.clone() };
    subject.write(ACME, Change::WebhookUpdated(Box::new(paused))).await.expect("it is there");
    let taken = subject.take(&key, Lanes::Opened, node, NOW).await;
    assert!(!taken.is_taken && taken.is_behind && taken.is_paused, "{taken:?}");
    assert_eq!(subject.store.lanes(TRANSPORT, Some(ACME)).await.expect("the store answers"), []);
    subject.write(ACME, Change::WebhookUpdated(Box::new(one))).await.expect("it is there");
    let opened = subject.store.lanes(TRANSPORT, Some(ACME)).await.expect("the store answers");
    assert_eq!(opened, std::slice::from_ref(&key));

    assert!(subject.take(&key, Lanes::Opened, node, NOW).await.is_taken);
    let moved = Moved { key: key.clone(), owner: node, sequence: 0, trouble: Some(trouble(10)) };
    subject.write(ACME, Change::LaneMoved(moved)).await.expect("it holds the lane");
    for (case, now, is_taken) in [
        ("before", Timestamp::from_seconds(9), false),
        ("the clock was set back", Timestamp::from_seconds(-100_000), true),
        ("after", Timestamp::from_seconds(10), true),
    ] {
        assert_eq!(subject.take(&key, Lanes::Opened, node, now).await.is_taken, is_taken, "{case}");
    }
}

/// It is read back; changing the webhook forgets it.
pub async fn what_is_wrong_is_kept_and_ends_with_a_change(subject: &Subject) {
    let (one, key) = (webhook(1), lane_of(ACME, &webhook(1)));
    subject.create(ACME, &one).await;
    subject.happens(Some(ACME)).await;
    let node = subject.node().await;
    assert!(subject.take(&key, Lanes::Opened, node, NOW).await.is_taken);
    let moved = Moved { key: key.clone(), owner: node, sequence: 0, trouble: Some(trouble(10)) };
    subject.write(ACME, Change::LaneMoved(moved)).await.expect("it holds the lane");
    let (_, lane) = subject.store.find_webhook(ACME, one.id).await.expect("it answers").expect("it is there");
    assert_eq!(lane.trouble, Some(trouble(10)));
    subject.write(ACME, Change::WebhookUpdated(Box::new(one))).await.expect("it is there");
    let lane = subject.take(&key, Lanes::Opened, node, NOW).await;
    assert!(lane.trouble.is_none() && lane.is_taken, "{lane:?}");
}

/// Also the deployment's own, and each organization's apart.
pub async fn a_lane_of_one_each_is_made_when_it_is_taken(subject: &Subject) {
    let node = subject.node().await;
    for organization in [None, Some(ACME), Some(GLOBEX)] {
        let key = one_each(organization);
        assert!(!subject.take(&key, Lanes::OneEach, node, NOW).await.is_taken, "nothing has happened");
        subject.happens(organization).await;
        let lane = subject.take(&key, Lanes::OneEach, node, NOW).await;
        assert!(lane.is_taken && lane.sequence == 0, "{lane:?}");
        let moved = Change::LaneMoved(Moved { key: key.clone(), owner: node, sequence: 1, trouble: None });
        let part = Part::of_all(organization, vec![moved], Vec::new());
        subject.commits.commit(part).await.expect("it holds the lane");
        let lane = subject.take(&key, Lanes::OneEach, node, NOW).await;
        assert!(!lane.is_taken && !lane.is_behind && lane.sequence == 1, "{lane:?}");
    }
}

/// Each once, of this transport only, none that is paused or has come to the end.
pub async fn lanes_that_are_behind_are_found_in_pages(subject: &Subject) {
    for (organization, numbers) in [(ACME, [1, 2, 3]), (GLOBEX, [4, 5, 6])] {
        subject.happens(Some(organization)).await;
        for number in numbers {
            subject.create(organization, &webhook(number)).await;
        }
    }
    let paused = Webhook { state: State::Disabled, ..webhook(2) };
    subject.write(ACME, Change::WebhookUpdated(Box::new(paused))).await.expect("it is there");
    let node = subject.node().await;
    let done = lane_of(GLOBEX, &webhook(5));
    assert!(subject.take(&done, Lanes::Opened, node, NOW).await.is_taken);
    let moved = Change::LaneMoved(Moved { key: done, owner: node, sequence: 1, trouble: None });
    subject.write(GLOBEX, moved).await.expect("it holds the lane");

    let mut expected: Vec<LaneKey> = [(ACME, 1), (ACME, 3), (GLOBEX, 4), (GLOBEX, 6)]
        .map(|(organization, number)| lane_of(organization, &webhook(number)))
        .into();
    expected.sort();
    assert_eq!(behind(subject, TRANSPORT, Lanes::Opened).await, expected);

    subject.happens(None).await;
    assert_eq!(behind(subject, "other", Lanes::Opened).await, []);
    let mut expected = [None, Some(ACME), Some(GLOBEX)].map(one_each);
    expected.sort();
    assert_eq!(behind(subject, "other", Lanes::OneEach).await, expected);
}

/// All of them, sorted, read in pages of one.
async fn behind(subject: &Subject, transport: &str, lanes: Lanes) -> Vec<LaneKey> {
    let mut found: Vec<LaneKey> = Vec::new();
    loop {
        let page = subject.store.lanes_behind(transport, lanes, found.last(), 1).await;
        let page = page.expect("the store answers");
        if page.is_empty() {
            found.sort();
            return found;
        }
        found.extend(page);
    }
}

fn one_each(organization: Option<buildly_model::OrganizationId>) -> LaneKey {
    LaneKey { transport: "other".to_owned(), organization, lane: String::new() }
}

fn trouble(retry_at_seconds: i64) -> Trouble {
    Trouble {
        failures: 3,
        since: Timestamp::from_seconds(1),
        retry_at: Timestamp::from_seconds(retry_at_seconds),
        fault: "the receiver answered 500".to_owned(),
    }
}
