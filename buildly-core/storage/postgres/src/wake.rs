//! Waking followers of the feed: this node's at once, other nodes' by notification.
//!
//! NOTIFY is never inside a writing transaction, since it would hold a lock of the whole
//! database through the commit. The payload names the node and the revision, so that nobody
//! wakes twice, and a follower that cannot see the revision yet looks again at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use buildly_model::{EventId, Random, Revision, Timestamp};
use sqlx::Executor as _;
use sqlx::postgres::PgListener;
use tokio::sync::watch;

use crate::engine::{Engine, store_error, within};

/// The shortest time between two notifications of a node.
const TELL_INTERVAL: Duration = Duration::from_millis(10);
/// How long a follower waits at most before it looks itself.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How soon it looks again for a revision that an older transaction still hides.
const HIDDEN_INTERVAL: Duration = Duration::from_millis(2);
/// After so much silence the connection that listens is tried.
const LISTEN_INTERVAL: Duration = Duration::from_secs(10);
/// How long it may be silent then, or to a notification.
const SILENCE_MAX: Duration = Duration::from_secs(3);
/// How long to wait before connecting again.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(250);

/// What this process knows of the feed.
pub(crate) struct Wake {
    /// Names this process in notifications.
    origin: String,
    /// The newest revision that anybody told of.
    known: watch::Sender<u64>,
    /// The newest revision that this process wrote.
    written: watch::Sender<u64>,
    /// What the follower has been told of.
    seen: AtomicU64,
    /// How far the follower has read.
    complete_to: AtomicU64,
}

impl Wake {
    pub(crate) fn new(random: &dyn Random) -> Self {
        Self {
            origin: EventId::generate(Timestamp::EPOCH, random).to_string(),
            known: watch::Sender::new(0),
            written: watch::Sender::new(0),
            seen: AtomicU64::new(0),
            complete_to: AtomicU64::new(0),
        }
    }

    /// This process has committed.
    pub(crate) fn wrote(&self, revision: Revision) {
        self.written.send_modify(|written| *written = revision.number().max(*written));
        self.heard(revision.number());
    }

    /// The follower has read the feed up to here.
    pub(crate) fn read(&self, complete_to: Revision) {
        self.complete_to.fetch_max(complete_to.number(), Ordering::AcqRel);
    }

    /// Waits until there may be something new.
    pub(crate) async fn changed(&self, timeout: Duration) {
        let mut known = self.known.subscribe();
        let newest = *known.borrow_and_update();
        if self.seen.swap(newest, Ordering::AcqRel) != newest {
            return;
        }
        let hidden = self.complete_to.load(Ordering::Acquire) < newest;
        let patience = timeout.min(if hidden { HIDDEN_INTERVAL } else { LOOK_INTERVAL });
        if tokio::time::timeout(patience, known.changed()).await.is_ok() {
            self.seen.store(*known.borrow(), Ordering::Release);
        }
    }

    fn heard(&self, revision: u64) {
        self.known.send_if_modified(|known| {
            let is_new = revision > *known;
            *known = revision.max(*known);
            is_new
        });
    }
}

/// Nothing is lost if it is lost, so it does not wait for the disk.
const NOTIFY: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";

/// Tells other nodes of this node's commits.
pub(crate) async fn tell(engine: Engine, wake: std::sync::Arc<Wake>) {
    let mut written = wake.written.subscribe();
    let channel = channel(&engine);
    while written.changed().await.is_ok() {
        let revision = *written.borrow_and_update();
        let payload = format!("{} {revision}", wake.origin);
        let telling = sqlx::query(NOTIFY).bind(&channel).bind(payload).execute(engine.pool());
        let told = within(SILENCE_MAX, async { telling.await.map_err(store_error) }).await;
        if let Err(error) = told {
            // The others look themselves now and then.
            tracing::debug!(error = %error, "other nodes were not told of a commit");
        }
        tokio::time::sleep(TELL_INTERVAL).await;
    }
}

/// Hears of other nodes' commits.
pub(crate) async fn listen(engine: Engine, wake: std::sync::Arc<Wake>) {
    let channel = channel(&engine);
    while !engine.pool().is_closed() {
        let listened = async {
            let mut listener = PgListener::connect_with(&engine.listening()).await?;
            listener.listen(&channel).await?;
            loop {
                let Ok(notification) = tokio::time::timeout(LISTEN_INTERVAL, listener.recv()).await else {
                    // Nothing to hear, or nobody there any more to say it.
                    let asked = tokio::time::timeout(SILENCE_MAX, listener.execute("SELECT 1")).await;
                    asked.map_err(|_| sqlx::Error::PoolTimedOut)??;
                    continue;
                };
                let notification = notification?;
                let told = notification.payload().split_once(' ');
                if let Some((origin, revision)) = told
                    && origin != wake.origin
                    && let Ok(revision) = revision.parse()
                {
                    wake.heard(revision);
                }
            }
        };
        let ended: Result<(), sqlx::Error> = listened.await;
        if let Err(error) = ended {
            tracing::debug!(error = %error, "lost touch with the database's notifications");
        }
        tokio::time::sleep(RECONNECT_INTERVAL).await;
    }
}

fn channel(engine: &Engine) -> String {
    format!("buildly_{}", engine.schema())
}
