//! Webhooks and deliveries.

use std::time::Duration;

use buildly_model::{DeliveryId, EventId, StoreError, Timestamp, WebhookId};
use uuid::Uuid;

use super::{ACME, GLOBEX, Subject, webhook};
use crate::webhook::{DELIVERIES_KEPT, Delivery, State, Webhook};
use crate::{Change, Lane};

/// Every field comes back, before and after a change; a deleted one is gone.
pub async fn a_webhook_reads_back_as_it_was_written(subject: &Subject) {
    let one = webhook(1);
    subject.create(ACME, &one).await;
    let found = subject.store.find_webhook(ACME, one.id).await.expect("the store answers");
    assert_eq!(found, Some((one.clone(), Lane::default())));

    let changed = Webhook {
        url: "http://127.0.0.1:1/".to_owned(),
        description: String::new(),
        kinds: Vec::new(),
        state: State::Paused,
        ..one
    };
    subject.write(ACME, Change::WebhookUpdated(Box::new(changed.clone()))).await.expect("it is there");
    let paused = Lane { is_paused: true, ..Lane::default() };
    assert_eq!(subject.store.webhooks(ACME).await.expect("the store answers"), [(changed.clone(), paused)]);

    subject.write(ACME, Change::WebhookDeleted(changed.id)).await.expect("it is there");
    assert_eq!(subject.store.find_webhook(ACME, changed.id).await.expect("the store answers"), None);
    assert_eq!(subject.store.webhooks(ACME).await.expect("the store answers"), []);
}

/// In the order in which they were made.
pub async fn webhooks_come_oldest_first(subject: &Subject) {
    for number in [3, 1, 2] {
        subject.create(ACME, &webhook(number)).await;
    }
    let found = subject.store.webhooks(ACME).await.expect("the store answers");
    let ids: Vec<WebhookId> = found.into_iter().map(|(webhook, _)| webhook.id).collect();
    assert_eq!(ids, [3, 1, 2].map(|number| webhook(number).id));
}

/// Whatever is asked in the name of another organization finds and changes nothing.
pub async fn no_webhook_of_another_organization_is_read_or_changed(subject: &Subject) {
    let one = webhook(1);
    subject.create(ACME, &one).await;
    let noted = Change::DeliveriesNoted { webhook: one.id, deliveries: vec![delivery(1)] };
    subject.write(ACME, noted.clone()).await.expect("it is there");
    let before = subject.store.webhooks(ACME).await.expect("the store answers");

    assert_eq!(subject.store.webhooks(GLOBEX).await.expect("the store answers"), []);
    assert_eq!(subject.store.find_webhook(GLOBEX, one.id).await.expect("the store answers"), None);
    let page = subject.store.deliveries(GLOBEX, one.id, None, 10).await.expect("the store answers");
    assert_eq!(page.deliveries, []);
    let found = subject.store.find_delivery(GLOBEX, one.id, delivery(1).id).await;
    assert_eq!(found.expect("the store answers"), None);
    let stolen = Webhook { url: "https://thief.example".to_owned(), ..one.clone() };
    for change in [Change::WebhookUpdated(Box::new(stolen)), Change::WebhookDeleted(one.id), noted] {
        let refused = subject.write(GLOBEX, change).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
    }
    assert_eq!(subject.store.webhooks(ACME).await.expect("the store answers"), before);
    let page = subject.store.deliveries(ACME, one.id, None, 10).await.expect("the store answers");
    assert_eq!(page.deliveries.len(), 1);
}

/// Nor deleted, nor noted for.
pub async fn a_webhook_that_is_not_there_cannot_be_changed(subject: &Subject) {
    let one = webhook(1);
    for change in [
        Change::WebhookUpdated(Box::new(one.clone())),
        Change::WebhookDeleted(one.id),
        Change::DeliveriesNoted { webhook: one.id, deliveries: vec![delivery(1)] },
    ] {
        let refused = subject.write(ACME, change).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
    }
}

/// Pages follow each other without a gap, and each delivery is found by its id.
pub async fn deliveries_read_back_newest_first_in_pages(subject: &Subject) {
    let one = webhook(1);
    subject.create(ACME, &one).await;
    let deliveries: Vec<Delivery> = (1..=5).map(delivery).collect();
    let noted = Change::DeliveriesNoted { webhook: one.id, deliveries: deliveries.clone() };
    subject.write(ACME, noted).await.expect("it is there");
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let page = subject.store.deliveries(ACME, one.id, before, 2).await.expect("the store answers");
        assert!(page.deliveries.len() <= 2);
        read.extend(page.deliveries);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    read.reverse();
    assert_eq!(read, deliveries);
    let found = subject.store.find_delivery(ACME, one.id, deliveries[2].id).await;
    assert_eq!(found.expect("the store answers"), Some(deliveries[2].clone()));
    let of_another = subject.store.find_delivery(ACME, webhook(2).id, deliveries[2].id).await;
    assert_eq!(of_another.expect("the store answers"), None);
}

/// A webhook that is told much takes no more room than one that is told little, and takes none
/// from another.
pub async fn only_the_newest_deliveries_are_kept(subject: &Subject) {
    let (one, other) = (webhook(1), webhook(2));
    subject.create(ACME, &one).await;
    subject.create(ACME, &other).await;
    let beside = Change::DeliveriesNoted { webhook: other.id, deliveries: vec![delivery(9999)] };
    subject.write(ACME, beside).await.expect("it is there");
    let count = u128::from(DELIVERIES_KEPT) + 7;
    for numbers in [1..=150, 151..=count] {
        let deliveries = numbers.map(delivery).collect();
        let noted = Change::DeliveriesNoted { webhook: one.id, deliveries };
        subject.write(ACME, noted).await.expect("it is there");
    }
    let page = subject.store.deliveries(ACME, one.id, None, 1000).await.expect("the store answers");
    assert_eq!((page.deliveries.len(), page.next), (DELIVERIES_KEPT as usize, None));
    assert_eq!(page.deliveries.first(), Some(&delivery(count)));
    assert_eq!(page.deliveries.last(), Some(&delivery(8)));
    let beside = subject.store.deliveries(ACME, other.id, None, 10).await.expect("the store answers");
    assert_eq!(beside.deliveries.len(), 1);
}

/// Of even numbers one that was taken, of odd ones one that was not.
fn delivery(number: u128) -> Delivery {
    let is_taken = number.is_multiple_of(2);
    Delivery {
        id: DeliveryId::from_uuid(Uuid::from_u128(number)),
        sequence: 7,
        event: EventId::from_uuid(Uuid::from_u128(70)),
        kind: "auth.user.created".to_owned(),
        at: Timestamp::from_microseconds(1_700_000_000_654_321),
        attempt: 3,
        status: is_taken.then_some(204),
        fault: (!is_taken).then(|| "connection refused".to_owned()),
        took: Duration::from_micros(12_345),
        is_replay: is_taken,
    }
}
