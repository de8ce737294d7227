//! Timers: rows, of which only the earliest is remembered, as one sleep.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use buildly_model::{OrganizationId, RunId, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::resting::Resting;
use super::{Engine, stopped};
use crate::decide::Given;
use crate::{DueTimer, Input, Used};

/// How many are read at once.
const ROWS_MAX: u32 = 500;
/// Without a ring, timers that another node has set are looked for this often.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn fire(engine: &Engine, resting: &Arc<Resting>, mut stop: watch::Receiver<bool>) {
    let clock = &engine.workflow.parts.clock;
    let mut trust = Trust::new(clock.now(), Instant::now());
    loop {
        let now = clock.now();
        let is_trusted = trust.judge(now, Instant::now());
        let sleep = if is_trusted { fire_due(engine, resting, now).await } else { LOOK_INTERVAL };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = engine.workflow.parts.bells.timers_or(sleep) => {}
        }
    }
}

/// Fires what is due; how long to sleep then.
async fn fire_due(engine: &Engine, resting: &Resting, now: Timestamp) -> Duration {
    let work = &engine.workflow.parts.work;
    let mut after = None;
    loop {
        let due = match work.due_timers(now, after, ROWS_MAX).await {
            Ok(due) => due,
            Err(error) => {
                warn!(%error, "timers cannot be read; trying again");
                return LOOK_INTERVAL;
            }
        };
        let last = due.last().map(|timer| (timer.due, timer.run));
        let is_full = due.len() >= ROWS_MAX as usize;
        let mut runs: BTreeMap<(OrganizationId, RunId), Vec<Given>> = BTreeMap::new();
        for DueTimer { organization, run, activation, kind, due } in due {
            let used = Some(Used::Timer { activation, kind, due });
            let given = Given { used, input: Input::TimerFired { activation, kind } };
            if !resting.rests(run) {
                runs.entry((organization, run)).or_default().push(given);
            }
        }
        if !runs.is_empty() {
            for ((organization, run), given) in runs {
                fire_of_run(engine, resting, organization, run, given).await;
            }
            return Duration::from_millis(1);
        }
        match last {
            // All of these are of runs that rest: what comes after them is due as well.
            Some(_) if is_full => after = last,
            None if after.is_none() => break,
            _ => return LOOK_INTERVAL,
        }
    }
    match work.next_due().await {
        Ok(Some(next)) => next.since(now).clamp(Duration::from_millis(1), LOOK_INTERVAL),
        Ok(None) | Err(_) => LOOK_INTERVAL,
    }
}

/// A step that one timer takes can remove another one of the run, so that together they find
/// a row missing: then each by itself.
async fn fire_of_run(
    engine: &Engine,
    resting: &Resting,
    organization: OrganizationId,
    run: RunId,
    given: Vec<Given>,
) {
    for one in given {
        engine.take(resting, organization, run, &[one]).await;
    }
}

/// How far the clock may leave the steady one.
const JUMP_MAX: Duration = Duration::from_secs(60);
/// So long a clock that jumped has to go evenly until it is believed: a suspended machine, or a
/// clock that was set right, looks the same as one that was set wrong.
const BELIEVED_AFTER: Duration = Duration::from_secs(600);

/// Whether the wall clock is believed. A clock that jumps a year must not fire a year's timers.
#[derive(Debug)]
struct Trust {
    /// The believed pair of clocks.
    wall: Timestamp,
    steady: Instant,
    /// The pair since which the clock has gone evenly after a jump.
    jumped: Option<(Timestamp, Instant)>,
}

impl Trust {
    const fn new(wall: Timestamp, steady: Instant) -> Self {
        Self { wall, steady, jumped: None }
    }

    /// Whether timers may be fired at `now`.
    fn judge(&mut self, now: Timestamp, steady: Instant) -> bool {
        if is_even(self.wall, self.steady, now, steady) {
            if self.jumped.take().is_some() {
                info!("the clock is right again; timers fire");
            }
            // Small corrections add up over months and are no jump.
            (self.wall, self.steady) = (now, steady);
            return true;
        }
        match self.jumped {
            Some((wall, since)) if is_even(wall, since, now, steady) => {
                if steady.saturating_duration_since(since) >= BELIEVED_AFTER {
                    warn!(
                        "the clock has gone evenly for ten minutes after its jump and is believed; timers fire"
                    );
                    *self = Self::new(now, steady);
                    return true;
                }
            }
            _ => {
                let expected = self.wall.after(steady.saturating_duration_since(self.steady));
                warn!(
                    clock = %now, %expected,
                    "the clock has jumped: no timer fires until it is right again, \
                     has gone evenly for ten minutes, or this process is started anew"
                );
                self.jumped = Some((now, steady));
            }
        }
        false
    }
}

fn is_even(wall: Timestamp, since: Instant, now: Timestamp, steady: Instant) -> bool {
    let expected = wall.after(steady.saturating_duration_since(since));
    let difference = if now > expected { now.since(expected) } else { expected.since(now) };
    difference <= JUMP_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_fires_nothing_until_it_is_believed() {
        let start = Instant::now();
        let (wall, year) = (Timestamp::from_seconds(1_000_000), 31_536_000);
        let mut trust = Trust::new(wall, start);
        let mut at = |seconds: u64, jump: i64| {
            let wall = Timestamp::from_seconds(1_000_000 + i64::try_from(seconds).unwrap() + jump);
            trust.judge(wall, start + Duration::from_secs(seconds))
        };
        assert!(at(10, 0));
        assert!(at(20, 59), "within a minute is no jump");
        assert!(!at(30, year));
        assert!(!at(600, year));
        assert!(at(700, 59), "it is right again");
        assert!(!at(710, year));
        assert!(!at(720, -year), "another jump begins anew");
        assert!(!at(1_319, -year));
        assert!(at(1_321, -year), "it has gone evenly for ten minutes");
    }
}
