//! One job: a lane is taken, its next events are carried, and how far it came is written.

use std::time::Duration;

use buildly_extension::{Batch, Change, Lane, LaneKey, Moved, Outcome, Trouble, pause_after};
use buildly_journal::Part;
use buildly_model::{StoreError, Timestamp};
use buildly_unit::Unit;
use tracing::{debug, warn};

use super::{Carrier, Next, PAUSE_AFTER_FAULT};

/// For how long a lane is taken; longer than a transport may take.
const LEASE: Duration = Duration::from_secs(15);
/// How long a transport may take for a batch.
const CARRY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many events are handed over at once.
const EVENTS_MAX: u32 = 100;
/// When a lane is looked at again that another node holds, which may die.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The longest sentence of a fault that is kept.
const FAULT_CHARACTERS_MAX: usize = 500;

impl Carrier {
    /// Carries the next events of a lane.
    pub(super) async fn carry(&self, key: &LaneKey) -> Next {
        match self.try_carry(key).await {
            Ok(next) => next,
            // Another node has it by now, or it was closed.
            Err(StoreError::Stale | StoreError::Missing { .. }) => Next::After(PAUSE_AFTER_FAULT),
            Err(error) => {
                warn!(transport = key.transport, lane = key.lane, %error, "a lane was not carried");
                Next::After(PAUSE_AFTER_FAULT)
            }
        }
    }

    async fn try_carry(&self, key: &LaneKey) -> Result<Next, StoreError> {
        let (owner, now) = ((self.owner)(), self.clock.now());
        let lanes = self.transport.lanes();
        let Some(lane) = self.storage.take_lane(key, lanes, owner, LEASE, now).await? else {
            return Ok(Next::Idle);
        };
        if !lane.is_taken {
            return Ok(until_it_can_be_taken(&lane, now));
        }
        let events = self.storage.events(key.organization, lane.sequence, EVENTS_MAX).await?;
        let batch = Batch {
            organization: key.organization,
            lane: &key.lane,
            events: &events,
            trouble: lane.trouble.as_ref(),
        };
        let outcome = tokio::time::timeout(CARRY_TIMEOUT, self.transport.carry(batch)).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Outcome::failed(0, format!("the transport took longer than {} s", CARRY_TIMEOUT.as_secs()))
        });
        let carried = outcome.carried.min(events.len());
        let last = carried.checked_sub(1).and_then(|place| events.get(place));
        let sequence = last.map_or(lane.sequence, |event| event.sequence);
        let earlier = lane.trouble.filter(|_| carried == 0);
        let trouble = outcome.fault.map(|fault| self.trouble(earlier.as_ref(), &fault));
        let next = match &trouble {
            Some(trouble) => {
                debug!(transport = key.transport, lane = key.lane, fault = trouble.fault, "a lane is stuck");
                Next::After(trouble.retry_at.since(self.clock.now()))
            }
            None if carried == 0 => Next::After(PAUSE_AFTER_FAULT),
            None if carried == events.len() && events.len() < EVENTS_MAX as usize => Next::Idle,
            None => Next::Again,
        };
        let moved = Change::LaneMoved(Moved { key: key.clone(), owner, sequence, trouble });
        let part = Part::of_all(key.organization, vec![moved.into()], Vec::new());
        self.storage.commit(Unit { parts: vec![part] }).await?;
        Ok(next)
    }

    /// What is wrong now, if that was wrong with the same event before.
    fn trouble(&self, earlier: Option<&Trouble>, fault: &str) -> Trouble {
        let now = self.clock.now();
        let failures = earlier.map_or(0, |trouble| trouble.failures).saturating_add(1);
        Trouble {
            failures,
            since: earlier.map_or(now, |trouble| trouble.since),
            retry_at: now.after(pause_after(failures, self.random.number())),
            fault: fault.chars().take(FAULT_CHARACTERS_MAX).collect(),
        }
    }
}

fn until_it_can_be_taken(lane: &Lane, now: Timestamp) -> Next {
    if lane.is_paused || !lane.is_behind {
        return Next::Idle;
    }
    match &lane.trouble {
        Some(trouble) if trouble.retry_at > now => Next::After(trouble.retry_at.since(now)),
        _ => Next::After(LOOK_AGAIN),
    }
}
