//! NATS JetStream as a transport, against a live server.
//!
//! It is at `BUILDLY_TEST_NATS_URL`, by default the one on this machine; each test has a stream
//! of its own and deletes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::{self, Message};
use buildly_extension::{Batch, Outcome, Transport as _};
use buildly_extension_nats::{Nats, Settings};
use buildly_journal::{EventHash, Salt, StoredEvent};
use buildly_model::{EventId, OrganizationId, Secret, Timestamp};
use futures_util::StreamExt as _;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);

fn url() -> String {
    std::env::var("BUILDLY_TEST_NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned())
}

/// A stream of a test's own.
struct Stream {
    name: String,
    context: jetstream::Context,
}

impl Stream {
    async fn new() -> Self {
        let client = async_nats::connect(url()).await.expect("a NATS server with JetStream is needed");
        let name = format!("test-{}", Uuid::now_v7().simple());
        Self { name, context: jetstream::new(client) }
    }

    fn settings(&self) -> Settings {
        Settings { url: Secret::new(url()), stream: self.name.clone(), prefix: self.name.clone() }
    }

    /// The first `count` messages; there must be no more.
    async fn messages(&self, count: usize) -> Vec<Message> {
        let mut stream = self.context.get_stream(&self.name).await.unwrap();
        assert_eq!(stream.info().await.unwrap().state.messages, count as u64);
        let config = pull::Config { deliver_policy: DeliverPolicy::All, ..pull::Config::default() };
        let consumer = stream.create_consumer(config).await.unwrap();
        let messages = consumer.messages().await.unwrap().take(count);
        let gathered = messages.map(|message| message.unwrap()).collect::<Vec<_>>();
        tokio::time::timeout(PATIENCE, gathered).await.expect("the messages come")
    }

    async fn delete(self) {
        self.context.delete_stream(&self.name).await.unwrap();
    }
}

fn events(organization: OrganizationId, sequences: std::ops::RangeInclusive<u64>) -> Vec<StoredEvent> {
    let event = |sequence: u64| StoredEvent {
        organization: Some(organization),
        sequence,
        id: EventId::from_uuid(Uuid::from_u128(u128::from(sequence))),
        kind: "auth.group.created".to_owned(),
        subject: "42".to_owned(),
        actor: "anonymous".to_owned(),
        at: Timestamp::from_seconds(1_700_000_000),
        payload: Some(format!("{{\"number\":{sequence}}}")),
        salt: Salt([0; 16]),
        payload_digest: EventHash([0; 32]),
        previous: EventHash([0; 32]),
        hash: EventHash([0; 32]),
    };
    sequences.map(event).collect()
}

async fn carry(nats: &Nats, events: &[StoredEvent]) -> Outcome {
    let batch = Batch { organization: events[0].organization, lane: "", events, trouble: None };
    nats.carry(batch).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_as_cloud_events_in_order_and_once_though_they_are_carried_twice() {
    let stream = Stream::new().await;
    let acme = OrganizationId::from_uuid(Uuid::from_u128(0xacae));
    let nats = Nats::connect(stream.settings()).await.unwrap();
    let events = events(acme, 1..=100);
    assert_eq!(carry(&nats, &events[..60]).await, Outcome { carried: 60, fault: None });
    // As after a crash: another process, and some of what is out comes again.
    let nats = Nats::connect(stream.settings()).await.unwrap();
    assert_eq!(carry(&nats, &events[40..]).await, Outcome { carried: 60, fault: None });

    for (message, event) in stream.messages(100).await.iter().zip(&events) {
        let subject = format!("{}.{acme}.auth.group.created", stream.name);
        assert_eq!(message.subject.as_str(), subject);
        let headers = message.headers.as_ref().expect("headers");
        assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), event.id.to_string());
        assert_eq!(headers.get("content-type").unwrap().as_str(), "application/cloudevents+json");
        let body: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!((&body["specversion"], &body["type"]), (&"1.0".into(), &"auth.group.created".into()));
        assert_eq!(
            (&body["sequence"], &body["data"]["number"]),
            (&event.sequence.to_string().into(), &event.sequence.into())
        );
    }
    stream.delete().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_or_refuses_is_a_fault_and_does_not_hang() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let settings = Settings {
        url: Secret::new(format!("nats://{closed}")),
        stream: "nowhere".to_owned(),
        prefix: "nowhere".to_owned(),
    };
    let nats = Nats::connect(settings.clone()).await.expect("it connects later");
    let events = events(OrganizationId::from_uuid(Uuid::from_u128(1)), 1..=1);
    let outcome = tokio::time::timeout(Duration::from_secs(9), carry(&nats, &events)).await;
    let outcome = outcome.expect("within the time of a transport");
    assert!(outcome.carried == 0 && outcome.fault.is_some(), "{outcome:?}");

    for (stream, prefix) in [("", "ok"), ("a.b", "ok"), ("ok", ""), ("ok", "a..b"), ("ok", "a.>")] {
        let wrong = Settings { stream: stream.to_owned(), prefix: prefix.to_owned(), ..settings.clone() };
        assert!(Nats::connect(wrong).await.is_err(), "`{stream}` `{prefix}`");
    }
}
