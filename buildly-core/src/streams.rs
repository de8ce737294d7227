//! Which open streams may go on, and the end of those that may not.
//!
//! A stream lives as long as everything that let it begin: the token or API key and what that
//! stands on, the permission, the service. Events that take rights away have those streams judged
//! again of which they speak; a clock ends those whose token's time is over.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use buildly_auth::{Concerned, Resource};
use buildly_gateway_http::Client;
use buildly_journal::FeedEvent;
use buildly_model::{Action, Clock, OrganizationId, Principal, ServiceId, Timestamp};
use http::Method;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::freshness::Freshness;
use crate::snapshot::{Hot, Snapshot};

/// How often streams are ended whose token's time is over.
const EXPIRY_INTERVAL: Duration = Duration::from_millis(250);

/// How long streams go on while this node is out of touch with the others. It takes no new
/// requests meanwhile; a short fault of the database shall not cut every socket.
const OUT_OF_TOUCH_MAX: Duration = Duration::from_secs(30);

/// The open streams of this node.
pub(crate) struct Streams {
    client: Client,
    hot: Arc<Hot>,
    clock: Arc<dyn Clock>,
}

impl Streams {
    /// Also judges every stream that begins to wait.
    pub(crate) fn new(client: Client, hot: Arc<Hot>, clock: Arc<dyn Clock>) -> Self {
        let (rights, time) = (Arc::clone(&hot), Arc::clone(&clock));
        client.judge_streams_by(Arc::new(move |principal, service, method| {
            may_go_on(&rights.load(), principal, service, method, time.now())
        }));
        Self { client, hot, clock }
    }

    /// Judges the streams that these events concern; the snapshot has followed the events.
    pub(crate) fn follow(&self, events: &[FeedEvent]) {
        if self.client.open_streams() == 0 {
            return;
        }
        let concerned = Concerned::by(events);
        let deleted = deleted_services(events);
        if !concerned.is_nobody() || !deleted.is_empty() {
            self.judge(|principal, service| {
                concerned.includes(principal, service) || deleted.contains(&service)
            });
        }
    }

    /// Judges all streams: nobody knows what happened meanwhile.
    pub(crate) fn judge_all(&self) {
        self.judge(|_, _| true);
    }

    /// The organizations that have to be in the snapshot for streams to be judged.
    pub(crate) fn organizations(&self) -> HashSet<OrganizationId> {
        self.client.organizations_with_streams()
    }

    /// Ends streams with their tokens, and all when this node is out of touch for so long that
    /// nobody knows what became of their rights, until told to stop.
    pub(crate) async fn keep(self: Arc<Self>, freshness: Arc<Freshness>, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(EXPIRY_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            log(self.client.end_expired_streams());
            if freshness.out_of_touch() > OUT_OF_TOUCH_MAX {
                log(self.client.end_streams_unless(|_, _, _| false));
            }
        }
    }

    fn judge(&self, is_asked: impl Fn(&Principal, ServiceId) -> bool) {
        let (snapshot, now) = (self.hot.load(), self.clock.now());
        log(self.client.end_streams_unless(|principal, service, method| {
            !is_asked(principal, service) || may_go_on(&snapshot, principal, service, method, now)
        }));
    }
}

fn log(ended: usize) {
    if ended > 0 {
        tracing::info!(streams = ended, "open streams ended with the right to them");
    }
}

fn deleted_services(events: &[FeedEvent]) -> HashSet<ServiceId> {
    let deleted = events.iter().filter(|event| event.kind == "gateway.service.deleted");
    deleted.filter_map(|event| event.subject.parse().ok()).collect()
}

/// Whether a principal's open stream to a service may go on.
fn may_go_on(
    snapshot: &Snapshot,
    principal: &Principal,
    service: ServiceId,
    method: &Method,
    now: Timestamp,
) -> bool {
    let is_allowed = |action| snapshot.auth.check(principal, action, Resource::Service(service)).is_allowed();
    snapshot.gateway.find(service).is_some()
        && snapshot.auth.check_standing(principal, now).is_ok()
        && Action::of_method(method).is_some_and(is_allowed)
}
