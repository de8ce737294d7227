//! The journal as a history.

use buildly_journal::{EventFilter, StoredEvent};
use buildly_model::{OrganizationId, Timestamp};

use super::sample::{Store, by_user, event, organization, part, subjects, unit, verified, write};

/// More chains than fit on a page.
pub async fn heads_page_through_every_chain(store: &Store) {
    let mut chains = vec![None];
    for _ in 0..5 {
        chains.push(organization());
    }
    for chain in &chains {
        write(store, *chain, &["one", "two"]).await;
    }
    let mut listed = store.heads(None, 4).await.expect("heads are read");
    assert_eq!(listed.len(), 4);
    assert_eq!(listed.first().map(|head| head.organization), Some(None), "the deployment's is first");
    let last = listed.last().and_then(|head| head.organization);
    listed.extend(store.heads(last, 4).await.expect("heads are read"));
    let mut expected = Vec::new();
    chains.sort_unstable();
    for chain in chains {
        expected.push(verified(store, chain).await.1);
    }
    assert_eq!(listed, expected);
}

/// Every field, with characters that a careless storage changes.
pub async fn events_are_read_back_as_they_were_linked(store: &Store) {
    let acme = organization();
    let (mut event, user) = by_user(event("test.thing.made", "ä 'quoted' \"twice\" \\ 漢 🦀"));
    event.at = Timestamp::from_microseconds(1_795_500_000_123_457);
    event.payload =
        serde_json::json!({ "z": 1, "a": [null, 0.1, "\u{1}\t"], "n": 9_007_199_254_740_993_u64 });
    store.commit(unit([part(acme, vec![event.clone()])])).await.expect("the unit is written");
    let (events, _) = verified(store, acme).await;
    let [stored] = events.as_slice() else { unreachable!("one event, got {}", events.len()) };
    assert_eq!((stored.organization, stored.sequence), (acme, 1));
    assert_eq!((stored.id, stored.at, &stored.subject), (event.id, event.at, &event.subject));
    assert_eq!((stored.kind.as_str(), stored.actor.clone()), ("test.thing.made", format!("user:{user}")));
    assert_eq!(stored.payload.as_deref(), Some(event.payload.to_string().as_str()));
}

/// Each condition alone, and all together.
pub async fn events_are_found_by_each_condition(store: &Store) {
    let acme = organization();
    let second = Timestamp::from_seconds;
    let (mut theirs, user) = by_user(event("test.thing.made", "b"));
    theirs.at = second(2);
    let mut events =
        vec![event("test.thing.made", "a"), theirs, event("test.things", "b"), event("test", "c")];
    events[2].at = second(3);
    events[3].at = second(4);
    store.commit(unit([part(acme, events)])).await.expect("the unit is written");

    let any = EventFilter::default;
    let text = |text: &str| Some(text.to_owned());
    for (case, filter, expected) in [
        ("no condition", any(), vec![4, 3, 2, 1]),
        ("exact kind", EventFilter { kind: text("test.thing.made"), ..any() }, vec![2, 1]),
        ("kinds below", EventFilter { kind: text("test.thing"), ..any() }, vec![2, 1]),
        ("kinds below, and itself", EventFilter { kind: text("test"), ..any() }, vec![4, 3, 2, 1]),
        ("no pattern", EventFilter { kind: text("test.%"), ..any() }, vec![]),
        ("subject", EventFilter { subject: text("b"), ..any() }, vec![3, 2]),
        ("actor", EventFilter { actor: Some(format!("user:{user}")), ..any() }, vec![2]),
        ("from", EventFilter { from: Some(second(3)), ..any() }, vec![4, 3]),
        ("until", EventFilter { until: Some(second(3)), ..any() }, vec![2, 1]),
        (
            "all",
            EventFilter {
                kind: text("test.thing"),
                subject: text("b"),
                actor: Some(format!("user:{user}")),
                from: Some(second(2)),
                until: Some(second(3)),
            },
            vec![2],
        ),
        ("quotes", EventFilter { subject: text("' OR '1'='1"), ..any() }, vec![]),
    ] {
        assert_eq!(sequences(&find(store, acme, &filter, None, 10).await), expected, "{case}");
    }
}

/// Newest first, each page before the last event of the one before.
pub async fn found_events_page_backwards(store: &Store) {
    let acme = organization();
    write(store, acme, &["a", "b", "a", "b", "a"]).await;
    let filter = EventFilter { subject: Some("a".to_owned()), ..EventFilter::default() };
    let first = find(store, acme, &filter, None, 2).await;
    let second = find(store, acme, &filter, first.last().map(|event| event.sequence), 2).await;
    let third = find(store, acme, &filter, second.last().map(|event| event.sequence), 2).await;
    assert_eq!([sequences(&first), sequences(&second), sequences(&third)], [vec![5, 3], vec![1], vec![]]);
}

/// Two organizations and the deployment.
pub async fn nobody_reads_another_chain(store: &Store) {
    let (acme, globex) = (organization(), organization());
    for (chain, subject) in [(acme, "acme"), (globex, "globex"), (None, "deployment")] {
        write(store, chain, &[subject]).await;
    }
    for (chain, expected) in [(acme, "acme"), (globex, "globex"), (None, "deployment")] {
        assert_eq!(subjects(&verified(store, chain).await.0), [expected]);
        assert_eq!(subjects(&find(store, chain, &EventFilter::default(), None, 10).await), [expected]);
    }
    let stranger = organization();
    assert_eq!(verified(store, stranger).await.0, []);
    assert_eq!(find(store, stranger, &EventFilter::default(), None, 10).await, []);
}

async fn find(
    store: &Store,
    chain: Option<OrganizationId>,
    filter: &EventFilter,
    before: Option<u64>,
    events_max: u32,
) -> Vec<StoredEvent> {
    store.find_events(chain, filter, before, events_max).await.expect("events are found")
}

fn sequences(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.sequence).collect()
}
