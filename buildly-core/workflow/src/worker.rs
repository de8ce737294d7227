//! The worker of a node: takes effects under a lease, performs them, hands in the answers.
//!
//! A state machine without I/O: [`Worker::on`] is told what happened and answers what to do, so
//! leasing, sending, repeating and fencing can be tested by seeds. The shell around it talks to
//! the storage and to services and reads a monotonic clock.
//!
//! Only effects that the storage has handed out are sent, so nothing is sent before it is
//! committed. A lease ends by the database's clock; what is left of it is counted down on the
//! node's monotonic one from the moment it was *asked* for, so that a node that slept never
//! believes in a lease that has ended. Fencing (the epoch) stops commits, not calls: a late node
//! repeats a key, it never invents one.

use std::collections::BTreeMap;
use std::time::Duration;

use buildly_model::{OrganizationId, RunId};

use crate::planted;
use crate::{Answer, Effect, Fault, FaultKind, Outcome};

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSettings {
    /// The most calls at a time.
    pub in_flight_max: usize,
    /// The most effects of one take.
    pub take_max: usize,
    /// How long a lease is asked for; longer than the longest timeout, or calls of that length
    /// are never sent.
    pub lease: Duration,
    /// When to look for work without having been woken.
    pub poll: Duration,
    /// When to hand in an answer again that the storage could not take.
    pub commit_again: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            in_flight_max: 64,
            take_max: 64,
            lease: Duration::from_secs(120),
            poll: Duration::from_millis(250),
            commit_again: Duration::from_millis(200),
        }
    }
}

/// The number of an effect's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EffectId(pub u64);

/// An effect that the storage has handed out to this node.
#[derive(Debug, Clone, PartialEq)]
pub struct Leased {
    /// Its row.
    pub id: EffectId,
    /// Whose.
    pub organization: OrganizationId,
    /// Of which run.
    pub run: RunId,
    /// What.
    pub effect: Effect,
    /// Which take of the row this is, from 1; an answer is refused if another take has come since.
    pub epoch: u64,
    /// How much of the lease was left, by the database's clock, when the storage answered.
    pub lease_left: Duration,
}

/// What the worker is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// There may be work, or it is the time that [`Action::Wake`] named.
    Woken,
    /// The answer to [`Action::Take`]; empty also if the storage did not answer.
    Taken(Vec<Leased>),
    /// The node has written effects as taken by itself, without a take.
    Handed {
        /// Which.
        leased: Vec<Leased>,
        /// A moment before the lease began.
        asked_at: Duration,
    },
    /// A call has come to an end.
    Answered {
        /// Which.
        id: EffectId,
        /// The epoch that it was sent under.
        epoch: u64,
        /// How.
        outcome: Outcome,
    },
    /// An answer is committed, or refused for good (the row is gone or has another epoch).
    HandedIn {
        /// Which.
        id: EffectId,
        /// The epoch.
        epoch: u64,
    },
    /// The run has moved on meanwhile, or the storage did not answer: hand it in again.
    NotHandedIn {
        /// Which.
        id: EffectId,
        /// The epoch.
        epoch: u64,
    },
    /// The node stops: nothing new is taken.
    Stopping,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Take effects, in one short transaction: round robin over organizations, by priority.
    Take {
        /// How many at most.
        max: usize,
        /// For how long, by the database's clock.
        lease: Duration,
    },
    /// Perform a call. No transaction is open meanwhile.
    Send(Leased),
    /// Hand an answer in as the run's input, in the unit that deletes the row of this epoch.
    HandIn {
        /// Which row.
        id: EffectId,
        /// The epoch that it must still have.
        epoch: u64,
        /// Whose.
        organization: OrganizationId,
        /// Of which run.
        run: RunId,
        /// What.
        answer: Answer,
    },
    /// End a lease without having sent anything.
    GiveBack {
        /// Which row.
        id: EffectId,
        /// The epoch that it must still have.
        epoch: u64,
    },
    /// Give the run an answer that came after we had given the call up; the engine journals it.
    Late {
        /// Whose.
        organization: OrganizationId,
        /// Of which run.
        run: RunId,
        /// What.
        answer: Answer,
    },
    /// Say [`Happening::Woken`] then (on the node's monotonic clock).
    Wake(Duration),
}

/// The worker of one node. Times are of the node's monotonic clock.
#[derive(Debug)]
pub struct Worker {
    settings: WorkerSettings,
    asked_at: Option<Duration>,
    /// When to ask for work again.
    look_at: Duration,
    stopping: bool,
    /// By row and epoch: a row that came back to this node is another piece of work.
    jobs: BTreeMap<(EffectId, u64), Job>,
    /// Calls given up whose answer may still come; bounded.
    given_up: BTreeMap<(EffectId, u64), Leased>,
}

#[derive(Debug)]
struct Job {
    leased: Leased,
    lease_ends: Duration,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Calling { until: Duration },
    HandingIn { answer: Answer },
    HandingInAgain { answer: Answer, at: Duration },
}

/// The most calls given up whose late answer is still recognised.
const GIVEN_UP_MAX: usize = 1_000;

impl Worker {
    /// A worker that has nothing yet.
    #[must_use]
    pub const fn new(settings: WorkerSettings) -> Self {
        Self {
            settings,
            asked_at: None,
            look_at: Duration::ZERO,
            stopping: false,
            jobs: BTreeMap::new(),
            given_up: BTreeMap::new(),
        }
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.asked_at.is_none()
    }

    /// How many effects it has.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.jobs.len()
    }

    /// Decides what follows from what happened.
    #[must_use]
    pub fn on(&mut self, happening: Happening, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        match happening {
            Happening::Woken => self.look_at = now,
            Happening::Taken(leased) => self.taken(leased, now, &mut actions),
            Happening::Handed { leased, asked_at } => self.begin(leased, asked_at, now, &mut actions),
            Happening::Answered { id, epoch, outcome } => self.answered((id, epoch), outcome, &mut actions),
            Happening::HandedIn { id, epoch } => {
                self.jobs.remove(&(id, epoch));
            }
            Happening::NotHandedIn { id, epoch } => self.hand_in_later((id, epoch), now),
            Happening::Stopping => self.stopping = true,
        }
        self.overdue(now, &mut actions);
        self.take_more(now, &mut actions);
        actions
    }

    fn taken(&mut self, leased: Vec<Leased>, now: Duration, actions: &mut Vec<Action>) {
        let asked_at = self.asked_at.take().unwrap_or(now);
        let is_full = leased.len() >= self.settings.take_max;
        self.look_at = if is_full { now } else { now.saturating_add(self.settings.poll) };
        self.begin(leased, asked_at, now, actions);
    }

    /// Sends what the node holds since it was asked for.
    fn begin(&mut self, leased: Vec<Leased>, asked_at: Duration, now: Duration, actions: &mut Vec<Action>) {
        for leased in leased {
            let counted_from = if planted::is(planted::Bug::LeaseByLocalClock) { now } else { asked_at };
            let lease_ends = counted_from.saturating_add(leased.lease_left);
            let (id, epoch, timeout) = (leased.id, leased.epoch, leased.effect.timeout);
            let until = now.saturating_add(timeout);
            // The lease must outlast the call, or another node could send it meanwhile.
            let is_enough = until < lease_ends;
            if self.stopping || !is_enough {
                actions.push(Action::GiveBack { id, epoch });
                continue;
            }
            actions.push(Action::Send(leased.clone()));
            self.jobs.insert((id, epoch), Job { leased, lease_ends, stage: Stage::Calling { until } });
        }
    }

    fn answered(&mut self, key: (EffectId, u64), outcome: Outcome, actions: &mut Vec<Action>) {
        if let Some(job) = self.jobs.get_mut(&key) {
            // A second answer of one call changes nothing.
            if let Stage::Calling { .. } = job.stage {
                hand_in(job, outcome, actions);
            }
        } else if let Some(leased) = self.given_up.remove(&key) {
            let answer = answer(&leased, outcome);
            actions.push(Action::Late { organization: leased.organization, run: leased.run, answer });
        }
    }

    fn hand_in_later(&mut self, key: (EffectId, u64), now: Duration) {
        let at = now.saturating_add(self.settings.commit_again);
        let Some(job) = self.jobs.get_mut(&key) else { return };
        if let Stage::HandingIn { answer } = &job.stage {
            if at < job.lease_ends {
                job.stage = Stage::HandingInAgain { answer: answer.clone(), at };
            } else {
                // Somebody else takes it and repeats the key.
                self.jobs.remove(&key);
            }
        }
    }

    /// Gives up calls without an answer, and hands in again what is due.
    fn overdue(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for (key, job) in &mut self.jobs {
            match &job.stage {
                Stage::Calling { until } if *until <= now => {
                    let fault = Fault::new(FaultKind::Timeout, "the service did not answer in time");
                    self.given_up.insert(*key, job.leased.clone());
                    hand_in(job, Outcome::Unknown(fault), actions);
                }
                Stage::HandingInAgain { answer, at } if *at <= now => {
                    let answer = answer.clone();
                    actions.push(handing_in(&job.leased, answer.clone()));
                    job.stage = Stage::HandingIn { answer };
                }
                Stage::Calling { .. } | Stage::HandingIn { .. } | Stage::HandingInAgain { .. } => {}
            }
        }
        while self.given_up.len() > GIVEN_UP_MAX {
            self.given_up.pop_first();
        }
    }

    fn take_more(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let room = self.settings.in_flight_max.saturating_sub(self.jobs.len());
        if room == 0 {
            self.look_at = self.look_at.max(now.saturating_add(self.settings.poll));
        }
        if !self.stopping && self.asked_at.is_none() && room > 0 && self.look_at <= now {
            self.asked_at = Some(now);
            actions.push(Action::Take { max: room.min(self.settings.take_max), lease: self.settings.lease });
        }
        let due = self.jobs.values().filter_map(|job| match job.stage {
            Stage::Calling { until } => Some(until),
            Stage::HandingInAgain { at, .. } => Some(at),
            Stage::HandingIn { .. } => None,
        });
        let poll = (!self.stopping && self.asked_at.is_none()).then(|| self.look_at.max(now));
        actions.extend(due.chain(poll).min().map(Action::Wake));
    }
}

fn hand_in(job: &mut Job, outcome: Outcome, actions: &mut Vec<Action>) {
    let answer = answer(&job.leased, outcome);
    actions.push(handing_in(&job.leased, answer.clone()));
    job.stage = Stage::HandingIn { answer };
}

fn handing_in(leased: &Leased, answer: Answer) -> Action {
    let Leased { id, organization, run, epoch, .. } = *leased;
    Action::HandIn { id, epoch, organization, run, answer }
}

/// A refusal only says that *this* sending did nothing. If the row has been taken before, by a
/// node that crashed or slept, an earlier sending of the attempt may have happened.
fn answer(leased: &Leased, outcome: Outcome) -> Answer {
    let outcome = match outcome {
        Outcome::Refused(fault) if leased.epoch > 1 => Outcome::Unknown(fault),
        outcome => outcome,
    };
    Answer { activation: leased.effect.activation, attempt: leased.effect.attempt, outcome }
}

#[cfg(test)]
mod tests;
