use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use buildly_extension::{Batch, Outcome};
use buildly_journal::{Commit as _, Event, Part};
use buildly_model::system::System;
use buildly_model::{EventId, Identity};
use buildly_unit::Change;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::*;
use crate::Buildly;

const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0xacae));
const GLOBEX: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0x610b));
const PATIENCE: Duration = Duration::from_secs(60);

type Carried = (Option<OrganizationId>, u64);

/// Hands on what it carries; refuses Globex while it is told to.
struct Handing {
    carried: mpsc::UnboundedSender<Carried>,
    refuses_globex: Arc<AtomicBool>,
    /// What it was told of the trouble before, by failures.
    troubles: Arc<Mutex<Vec<u32>>>,
}

#[async_trait]
impl Transport for Handing {
    fn name(&self) -> &str {
        "handing"
    }

    async fn carry(&self, batch: Batch<'_>) -> Outcome {
        if batch.organization == Some(GLOBEX) && self.refuses_globex.load(Ordering::SeqCst) {
            self.troubles.lock().unwrap().push(batch.trouble.map_or(0, |trouble| trouble.failures));
            return Outcome::failed(0, "closed today");
        }
        for event in batch.events {
            let _ = self.carried.send((event.organization, event.sequence));
        }
        Outcome::all(&batch)
    }
}

struct World {
    folder: std::path::PathBuf,
    refuses_globex: Arc<AtomicBool>,
    troubles: Arc<Mutex<Vec<u32>>>,
}

impl World {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("buildly-carrying-{}", Uuid::now_v7()));
        Self { folder, refuses_globex: Arc::default(), troubles: Arc::default() }
    }

    async fn open(&self) -> (Buildly, mpsc::UnboundedReceiver<Carried>) {
        let (carried, received) = mpsc::unbounded_channel();
        let (refuses_globex, troubles) = (self.refuses_globex.clone(), self.troubles.clone());
        let transport = Handing { carried, refuses_globex, troubles };
        let opened = Buildly::builder().folder(&self.folder).transport(transport).build().await;
        (opened.expect("it starts"), received)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn happens(buildly: &Buildly, organization: OrganizationId, times: usize) {
    let event = |_| Event {
        id: EventId::generate(System.now(), &System),
        kind: Cow::Borrowed("test.thing.done"),
        subject: "thing".to_owned(),
        actor: Identity::Anonymous,
        at: System.now(),
        payload: serde_json::Value::Null,
    };
    let events = (0..times).map(event).collect();
    let part = Part::<Change>::of_all(Some(organization), Vec::new(), events);
    buildly.commits().commit(part).await.expect("written");
}

/// What comes of these organizations, until each has come so far.
async fn until(
    received: &mut mpsc::UnboundedReceiver<Carried>,
    ends: &[(OrganizationId, u64)],
) -> BTreeMap<OrganizationId, Vec<u64>> {
    let mut found: BTreeMap<OrganizationId, Vec<u64>> = BTreeMap::new();
    let is_there = |found: &BTreeMap<OrganizationId, Vec<u64>>| {
        ends.iter().all(|(organization, end)| found.get(organization).and_then(|of| of.last()) == Some(end))
    };
    while !is_there(&found) {
        let next = tokio::time::timeout(PATIENCE, received.recv()).await;
        let (organization, sequence) = next.expect("in time").expect("it goes on");
        if let Some(organization) = organization {
            found.entry(organization).or_default().push(sequence);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_carried_in_order_and_a_restart_goes_on_where_it_was() {
    let world = World::new();
    let (buildly, mut received) = world.open().await;
    happens(&buildly, ACME, 250).await;
    happens(&buildly, GLOBEX, 1).await;
    let found = until(&mut received, &[(ACME, 250), (GLOBEX, 1)]).await;
    assert_eq!(found[&ACME], (1..=250).collect::<Vec<_>>());
    happens(&buildly, ACME, 2).await;
    assert_eq!(until(&mut received, &[(ACME, 252)]).await[&ACME], [251, 252]);
    buildly.close().await;

    let (buildly, mut received) = world.open().await;
    happens(&buildly, ACME, 1).await;
    let found = until(&mut received, &[(ACME, 253)]).await;
    assert_eq!(found, BTreeMap::from([(ACME, vec![253])]), "nothing twice after an orderly stop");
    buildly.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_fails_is_tried_again_and_holds_up_no_other() {
    let world = World::new();
    world.refuses_globex.store(true, Ordering::SeqCst);
    let (buildly, mut received) = world.open().await;
    happens(&buildly, GLOBEX, 2).await;
    happens(&buildly, ACME, 2).await;
    assert_eq!(until(&mut received, &[(ACME, 2)]).await, BTreeMap::from([(ACME, vec![1, 2])]));
    let waited = async {
        while world.troubles.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.expect("it is tried again");
    buildly.close().await;

    world.refuses_globex.store(false, Ordering::SeqCst);
    let (buildly, mut received) = world.open().await;
    assert_eq!(until(&mut received, &[(GLOBEX, 2)]).await, BTreeMap::from([(GLOBEX, vec![1, 2])]));
    assert_eq!(world.troubles.lock().unwrap().first_chunk(), Some(&[0, 1]), "failures are counted");
    buildly.close().await;
}

#[tokio::test]
async fn news_are_gathered_until_they_are_taken() {
    let touched = Touched::default();
    assert_eq!(touched.wait().await, News::Anywhere, "at the start nobody knows");
    touched.tell_again(News::In(BTreeSet::from([Some(ACME)])));
    touched.tell_again(News::In(BTreeSet::from([None])));
    assert_eq!(touched.wait().await, News::In(BTreeSet::from([None, Some(ACME)])));
    touched.tell_again(News::In(BTreeSet::from([None])));
    touched.tell_all();
    touched.tell_again(News::In(BTreeSet::from([None])));
    assert_eq!(touched.wait().await, News::Anywhere);
    assert!(tokio::time::timeout(Duration::from_millis(1), touched.wait()).await.is_err(), "taken once");
}
