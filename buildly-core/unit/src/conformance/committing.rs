//! Writing units: together or not at all.

use buildly_auth::identity::{self, Group};
use buildly_journal::{FeedPosition, Part};
use buildly_model::system::System;
use buildly_model::{Actions, GroupId, OrganizationId, Revision, StoreError};

use super::sample::{NOON, Store, event, organization, part, subjects, unit, verified, write};
use crate::{Change, Unit};

const WRITERS: usize = 8;
const UNITS_PER_WRITER: usize = 25;

/// Events of one unit, in several chains.
pub async fn events_of_a_unit_are_chained_in_order(store: &Store) {
    let acme = organization();
    let unit = unit([
        part(acme, vec![event("test.thing.made", "one"), event("test.thing.changed", "two")]),
        part(None, vec![event("test.thing.made", "deployment")]),
        part(acme, vec![event("test.thing.deleted", "three")]),
    ]);
    let revision = store.commit(unit).await.expect("the unit is written");
    assert!(revision > Revision::ZERO);
    let (events, end) = verified(store, acme).await;
    assert_eq!((subjects(&events), end.sequence), (vec!["one", "two", "three"], 3));
    assert_eq!(subjects(&verified(store, None).await.0), ["deployment"]);
}

/// One part that is stale, in the middle of others that are not.
pub async fn a_stale_expectation_writes_nothing_of_the_unit(store: &Store) {
    let (acme, globex) = (organization(), organization());
    write(store, globex, &["first"]).await;
    for (case, expected) in [("behind", 0), ("ahead", 2)] {
        let unit = unit([
            part(acme, vec![event("test.thing.made", "acme")]),
            part(globex, vec![event("test.thing.made", "globex")]).expecting(expected),
            part(None, vec![event("test.thing.made", "deployment")]),
        ]);
        let refused = store.commit(unit).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{case}: {refused:?}");
    }
    for (chain, expected) in [(acme, 0), (globex, 1), (None, 0)] {
        assert_eq!(verified(store, chain).await.1.sequence, expected);
    }
    let page = store.read_feed(FeedPosition::default(), 100).await.expect("the feed is read");
    assert_eq!(page.events.len(), 1, "only the first event is in the feed");
}

/// The expectation counts before the unit's own events, in each of its parts.
pub async fn the_expected_end_of_a_chain_is_accepted(store: &Store) {
    let acme = organization();
    write(store, acme, &["one", "two"]).await;
    let unit = unit([
        part(acme, vec![event("test.thing.made", "three")]).expecting(2),
        part(acme, vec![event("test.thing.made", "four")]).expecting(2),
    ]);
    store.commit(unit).await.expect("nothing else was written");
    assert_eq!(subjects(&verified(store, acme).await.0), ["one", "two", "three", "four"]);
}

/// Nothing to wait for.
pub async fn a_unit_without_events_has_the_revision_of_the_end(store: &Store) {
    store.commit(unit([])).await.expect("an empty unit is written");
    let written = write(store, organization(), &["one"]).await;
    let revision =
        store.commit(unit([part(None, Vec::new())])).await.expect("a unit without events is written");
    assert!(revision >= written, "{revision} is before {written}");
}

/// The deployment's chain is reached by `None` only, whatever id somebody makes up.
pub async fn the_nil_organization_is_not_the_deployment(store: &Store) {
    write(store, None, &["deployment"]).await;
    let nil = Some(OrganizationId::from_uuid(uuid::Uuid::nil()));
    let written = store.commit(unit([part(nil, vec![event("test.thing.made", "stranger")])])).await;
    assert!(matches!(written, Err(StoreError::Missing { .. })), "{written:?}");
    assert!(matches!(store.events(nil, 0, 10).await, Err(StoreError::Missing { .. })));
    assert!(matches!(store.head(nil).await, Err(StoreError::Missing { .. })));
    assert_eq!(subjects(&verified(store, None).await.0), ["deployment"]);
}

/// Eight decide on the same state at once.
pub async fn of_many_who_expect_the_same_one_wins(store: &Store) {
    let acme = organization();
    write(store, acme, &["first"]).await;
    let contenders = (0..WRITERS).map(|number| {
        let store = Store::clone(store);
        tokio::spawn(async move {
            let part = part(acme, vec![event("test.thing.made", &number.to_string())]).expecting(1);
            store.commit(unit([part])).await
        })
    });
    let mut won = 0;
    for contender in contenders.collect::<Vec<_>>() {
        match contender.await.expect("a writer ends") {
            Ok(_) => won += 1,
            Err(StoreError::Stale) => {}
            Err(error) => unreachable!("{error}"),
        }
    }
    assert_eq!((won, verified(store, acme).await.1.sequence), (1, 2));
}

/// Eight writers, each to a chain of its own, to a common one and to the deployment's.
pub async fn chains_verify_after_concurrent_writers(store: &Store) {
    let shared = organization();
    let own = write_concurrently(store, shared).await;
    for chain in own {
        let (events, _) = verified(store, chain).await;
        let expected: Vec<String> = (0..UNITS_PER_WRITER).map(|number| number.to_string()).collect();
        assert_eq!(subjects(&events), expected, "a writer's units stand in the order of its answers");
    }
    for chain in [shared, None] {
        assert_eq!(verified(store, chain).await.1.sequence, (WRITERS * UNITS_PER_WRITER) as u64);
    }
}

/// Returns the chains of the writers.
pub(super) async fn write_concurrently(
    store: &Store,
    shared: Option<OrganizationId>,
) -> Vec<Option<OrganizationId>> {
    let writers = (0..WRITERS).map(|_| {
        let (store, own) = (Store::clone(store), organization());
        tokio::spawn(async move {
            let mut before = Revision::ZERO;
            for number in 0..UNITS_PER_WRITER {
                let made = |chain| part(chain, vec![event("test.thing.made", &number.to_string())]);
                let revision = store.commit(unit([made(own), made(shared), made(None)])).await;
                let revision = revision.expect("the unit is written");
                assert!(revision > before, "revisions grow");
                before = revision;
            }
            own
        })
    });
    let mut own = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        own.push(writer.await.expect("a writer ends"));
    }
    own
}

/// A change that is made, one that is refused, and the events of both.
pub async fn a_refused_change_leaves_no_trace_of_its_unit(store: &Store) {
    let group = group();
    let (acme, made) = (organization(), group.id);
    let refused = store.commit(half_refused(acme, group)).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
    assert_eq!(store.groups_by_id(&[made]).await.expect("groups are read"), []);
    for chain in [acme, None] {
        assert_eq!(verified(store, chain).await.1.sequence, 0);
    }
}

/// Units of many callers go to the disk together, and each still stands for itself.
pub async fn a_refused_unit_does_not_disturb_those_beside_it(store: &Store) {
    let acme = organization();
    let callers = (0..4 * WRITERS).map(|number| {
        let store = Store::clone(store);
        tokio::spawn(async move {
            let group = group();
            let made = group.id;
            if number % 2 == 0 {
                let refused = store.commit(half_refused(acme, group)).await;
                assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
            } else {
                let change = Change::Auth(identity::Change::GroupCreated(group).into());
                let part = Part::of(None, change, event("test.thing.made", &made.to_string()));
                store.commit(unit([part])).await.expect("the unit is written");
            }
            (number % 2 == 1, made)
        })
    });
    let (mut expected, mut all) = (Vec::new(), Vec::new());
    for caller in callers.collect::<Vec<_>>() {
        let (is_made, group) = caller.await.expect("a caller ends");
        expected.extend(is_made.then(|| group.to_string()));
        all.push(group);
    }
    let stored = store.groups_by_id(&all).await.expect("groups are read");
    let mut stored: Vec<String> = stored.iter().map(|group| group.id.to_string()).collect();
    let (events, _) = verified(store, None).await;
    let mut told: Vec<String> = events.into_iter().map(|event| event.subject).collect();
    for list in [&mut expected, &mut stored, &mut told] {
        list.sort_unstable();
    }
    assert_eq!((stored, told), (expected.clone(), expected));
    assert_eq!(verified(store, acme).await.1.sequence, 0);
}

fn group() -> Group {
    Group {
        id: GroupId::generate(NOON, &System),
        number: 0,
        organization: None,
        name: "Sales".to_owned(),
        is_global: false,
        is_organization_level: false,
        is_default: false,
        permissions: Actions::READ,
        version: 1,
        created_at: NOON,
        edited_at: NOON,
    }
}

/// Creates the group, then removes one that does not exist.
fn half_refused(organization: Option<OrganizationId>, group: Group) -> Unit {
    let stranger = GroupId::generate(NOON, &System);
    let create = Change::Auth(identity::Change::GroupCreated(group).into());
    let delete = Change::Auth(identity::Change::GroupDeleted(stranger).into());
    unit([
        Part::of(None, create, event("test.thing.made", "one")),
        part(organization, vec![event("test.thing.made", "two")]),
        Part::of(None, delete, event("test.thing.deleted", "three")),
    ])
}
