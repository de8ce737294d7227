use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use buildly_journal::Nodes as _;
use buildly_model::system::System;
use buildly_model::{Random as _, Timestamp};
use buildly_storage_sqlite::Sqlite;
use tokio::task::JoinHandle;
use tokio::time::{advance, sleep, timeout};

use super::*;

const REVISION: Revision = Revision::new(7);

/// A clock that is set by hand, in seconds.
struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

struct World {
    storage: Sqlite,
    clock: Arc<Set>,
    reading: Arc<Reading>,
    freshness: Arc<Freshness>,
    stop: watch::Sender<bool>,
    folder: PathBuf,
}

impl World {
    /// One node, and nobody who follows for it yet.
    async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("buildly-freshness-{}", System.number()));
        std::fs::create_dir(&folder).unwrap();
        let storage = Sqlite::open(&folder).await.unwrap();
        let (hot, _) = Hot::new();
        let (clock, reading) = (Arc::new(Set(AtomicI64::new(1_000_000))), Arc::new(Reading::new()));
        let shared: Arc<dyn Storage> = Arc::new(storage.clone());
        let freshness = Arc::new(Freshness::new(shared, hot, clock.clone(), reading.clone()));
        let (stop, _) = watch::channel(false);
        Self { storage, clock, reading, freshness, stop, folder }
    }

    async fn begun() -> Self {
        let world = Self::new().await;
        world.freshness.begin(async { Ok(()) }).await.unwrap();
        world
    }

    fn keep(&self) -> JoinHandle<()> {
        tokio::spawn(self.freshness.clone().keep(self.stop.subscribe()))
    }

    /// Stands for the follower: sees the end of the feed all the time, and reads anew at once
    /// unless told to wait.
    fn follow(&self, reads: Arc<AtomicBool>) -> JoinHandle<()> {
        let reading = self.reading.clone();
        tokio::spawn(async move {
            let mut requests = reading.requests();
            loop {
                if reads.load(Ordering::SeqCst)
                    && let Some(request) = reading.next_request(&mut requests)
                {
                    reading.end(request, true);
                }
                reading.saw_end();
                sleep(Duration::from_millis(10)).await;
            }
        })
    }

    async fn leases(&self) -> Vec<LeaseId> {
        let nobody = LeaseId(Uuid::nil());
        let leases = self.storage.leases_behind(nobody, Revision::new(u64::MAX)).await.unwrap();
        leases.iter().map(|seen| seen.lease).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.folder);
    }
}

fn other() -> LeaseId {
    LeaseId(Uuid::from_u128(1))
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_a_right_away_waits_for_every_living_lease() {
    let world = World::begun().await;
    world.storage.begin_lease(other()).await.unwrap();
    let (freshness, storage) = (world.freshness.clone(), world.storage.clone());
    let waiting = tokio::spawn(async move { freshness.wait_for_others(&storage, REVISION).await });
    for _ in 0..40 {
        advance(RENEW_INTERVAL).await;
        sleep(Duration::from_millis(1)).await;
        assert!(world.storage.renew_lease(other(), Revision::new(6)).await.unwrap(), "its lease lives");
        assert!(!waiting.is_finished(), "a node lives and has not applied it");
    }
    assert!(world.storage.renew_lease(other(), REVISION).await.unwrap());
    timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dead_node_costs_its_lease_and_only_once() {
    let world = World::begun().await;
    world.storage.begin_lease(other()).await.unwrap();
    let began = Instant::now();
    world.freshness.wait_for_others(&world.storage, REVISION).await.unwrap();
    assert!(began.elapsed() >= LEASE && began.elapsed() < LEASE * 2, "{:?}", began.elapsed());
    assert!(!world.storage.renew_lease(other(), REVISION).await.unwrap(), "if it comes back, it is told");

    // One that died while nobody took a right away has been noticed by the time somebody does.
    world.storage.begin_lease(other()).await.unwrap();
    let (keeper, follower) = (world.keep(), world.follow(Arc::new(AtomicBool::new(true))));
    sleep(LEASE * 2).await;
    let began = Instant::now();
    world.freshness.wait_for_others(&world.storage, REVISION).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    follower.abort();
    keeper.abort();
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_lease_was_ended_answers_only_after_it_has_read_anew() {
    let world = World::begun().await;
    let reads = Arc::new(AtomicBool::new(false));
    let (keeper, follower) = (world.keep(), world.follow(reads.clone()));
    sleep(LEASE).await;
    let [first] = world.leases().await[..] else { panic!("one lease") };
    world.freshness.require().expect("it keeps its lease");

    // Between two checks of the node, somebody who waits for it gives it up.
    world.storage.end_lease(first).await.unwrap();
    sleep(RENEW_INTERVAL * 2).await;
    world.freshness.require().expect_err("nobody waits for it, so it may know too little");
    let [second] = world.leases().await[..] else { panic!("one lease") };
    assert_ne!(first, second, "others wait for its new lease, while it reads");

    reads.store(true, Ordering::SeqCst);
    sleep(RENEW_INTERVAL).await;
    world.freshness.require().expect("it has read everything anew");
    assert_eq!(world.leases().await, [second]);

    world.stop.send_replace(true);
    keeper.await.unwrap();
    assert_eq!(world.leases().await, [], "an orderly stop keeps nobody waiting");
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_while_reading_is_no_leave_to_answer() {
    let world = World::new().await;
    let read = world.freshness.begin(async {
        for lease in world.leases().await {
            world.storage.end_lease(lease).await?;
        }
        Ok(())
    });
    assert!(matches!(read.await, Err(StoreError::Behind { .. })));
    world.freshness.require().expect_err("somebody may have taken a right away meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_follow_keeps_nobody_waiting() {
    let world = World::begun().await;
    world.reading.saw_end();
    let keeper = world.keep();
    sleep(FOLLOWING_MAX - RENEW_INTERVAL).await;
    world.freshness.require().expect("the feed was quiet, or slow");
    sleep(RENEW_INTERVAL * 3).await;
    world.freshness.require().expect_err("it knows nothing new");
    assert_eq!(world.leases().await, [], "and says so");
    let follower = world.follow(Arc::new(AtomicBool::new(true)));
    sleep(RENEW_INTERVAL * 3).await;
    world.freshness.require().expect("it follows again");
    follower.abort();
    keeper.abort();
}

#[tokio::test(start_paused = true)]
async fn a_node_answers_no_longer_than_its_lease_by_either_of_its_clocks() {
    let world = World::begun().await;
    world.clock.0.fetch_sub(3600, Ordering::SeqCst);
    world.freshness.require().expect("a clock that is set back makes no lease shorter");
    advance(LEASE - LEASE_MARGIN).await;
    world.freshness.require().expect("to its end");
    advance(Duration::from_millis(1)).await;
    world.freshness.require().expect_err("nor longer");
    assert_eq!(world.freshness.out_of_touch(), Duration::from_millis(1));

    let world = World::begun().await;
    world.clock.0.fetch_add(2, Ordering::SeqCst);
    world.freshness.require().expect_err("the machine slept, and its steady clock with it");
}
