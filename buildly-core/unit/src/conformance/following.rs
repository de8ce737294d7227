//! The feed: in order, without gaps.

use std::collections::HashMap;
use std::time::Duration;

use buildly_journal::{FeedEvent, FeedPosition};
use buildly_model::{OrganizationId, Revision};

use super::committing::write_concurrently;
use super::sample::{Store, event, organization, part, unit, verified, write};

/// Longer than any storage may take to show a commit; nothing waits for it but a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// A follower reads small pages while eight writers write.
pub async fn the_feed_skips_nothing_under_concurrent_writers(store: &Store) {
    let shared = organization();
    let (writing, following) = (Store::clone(store), Store::clone(store));
    let writers = tokio::spawn(async move { write_concurrently(&writing, shared).await });
    let follower = tokio::spawn(async move { follow(&following, 3 * 8 * 25).await });
    let own = writers.await.expect("the writers end");
    let seen = follower.await.expect("the follower sees every event");

    let mut counts: HashMap<Option<OrganizationId>, Vec<String>> = HashMap::new();
    for event in seen {
        counts.entry(event.organization).or_default().push(event.subject);
    }
    for chain in own.into_iter().chain([shared, None]) {
        let (events, _) = verified(store, chain).await;
        let written: Vec<String> = events.into_iter().map(|event| event.subject).collect();
        assert_eq!(counts.remove(&chain), Some(written), "the feed keeps the order of each chain");
    }
    assert!(counts.is_empty(), "{counts:?}");
}

/// Reads small pages until so many events have come.
async fn follow(store: &Store, count: usize) -> Vec<FeedEvent> {
    let mut seen: Vec<FeedEvent> = Vec::new();
    let (mut position, mut complete_to) = (FeedPosition::default(), Revision::ZERO);
    let all = async {
        while seen.len() < count {
            let page = store.read_feed(position, 5).await.expect("the feed is read");
            for event in &page.events {
                assert!(event.position > position, "the feed grows");
                assert!(event.position.revision > complete_to, "a complete revision stays complete");
                position = event.position;
            }
            assert!(page.next >= position && page.complete_to >= complete_to);
            (position, complete_to) = (page.next, page.complete_to);
            if page.events.is_empty() {
                store.feed_changed(Duration::from_millis(100)).await;
            }
            seen.extend(page.events);
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("every event comes");
    seen
}

/// Pages that end in the middle, at the end and behind it.
pub async fn a_page_of_the_feed_says_where_it_ends(store: &Store) {
    let acme = organization();
    let revision = write(store, acme, &["one", "two", "three", "four"]).await;
    let seen = follow(store, 4).await;
    let first = store.read_feed(FeedPosition::default(), 3).await.expect("the feed is read");
    assert_eq!(first.events.as_slice(), &seen[..3]);
    assert!(first.complete_to < revision, "there is more");
    let rest = store.read_feed(first.next, 3).await.expect("the feed is read");
    assert_eq!(rest.events.as_slice(), &seen[3..]);
    assert!(rest.complete_to >= revision, "all of it has been read");
    let end = store.read_feed(rest.next, 3).await.expect("the feed is read");
    assert!(end.events.is_empty() && end.next >= rest.next && end.complete_to >= revision);
}

/// What a node does at start: take the end, load, follow from there.
pub async fn following_from_the_end_reads_what_comes_after(store: &Store) {
    let acme = organization();
    write(store, acme, &["before"]).await;
    follow(store, 1).await;
    let end = store.feed_end().await.expect("the end is read");
    let revision = write(store, acme, &["after"]).await;
    let (mut position, mut subjects) = (end, Vec::new());
    let complete = async {
        loop {
            let page = store.read_feed(position, 10).await.expect("the feed is read");
            position = page.next;
            subjects.extend(page.events.into_iter().map(|event| event.subject));
            if page.complete_to >= revision {
                break;
            }
            store.feed_changed(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, complete).await.expect("the commit comes");
    assert_eq!(subjects, ["after"]);
}

/// A follower that waits long hears of a commit at once, and of one before it asked too.
pub async fn a_commit_wakes_the_follower(store: &Store) {
    let acme = organization();
    store.feed_changed(Duration::ZERO).await;
    write(store, acme, &["before the follower asks"]).await;
    let told = tokio::time::timeout(PATIENCE, store.feed_changed(3 * PATIENCE)).await;
    assert!(told.is_ok(), "a commit between two calls is told at once");
    let waiting = {
        let store = Store::clone(store);
        tokio::spawn(async move { store.feed_changed(3 * PATIENCE).await })
    };
    let parts = [part(acme, vec![event("test.thing.made", "while it waits")])];
    store.commit(unit(parts)).await.expect("the unit is written");
    tokio::time::timeout(PATIENCE, waiting).await.expect("the follower is woken").expect("it does not panic");
}
