//! One story: what happens, in the order of its time.

use std::collections::BTreeMap;
use std::time::Duration;

use buildly_model::{OrganizationId, RunId, Timestamp};
use serde_json::json;

use super::choices::Choices;
use super::seen::Seen;
use super::services::Services;
use super::store::{Pending, Refusal, Run, Store, Uses};
use crate::planted::{self, Bug};
use crate::template::{Delay, Retry};
use crate::testing::{RUN, at, shaped_with};
use crate::{
    Action, EffectId, Fault, FaultKind, Happening, Input, Leased, Level, Outcome, Phase, Start, State,
    Worker, WorkerSettings, compile, step,
};

/// After this nothing fails any more, so that every run can end.
const CALM_AFTER: Duration = Duration::from_secs(120);
/// A run that has not ended by then never will.
const HORIZON: Duration = Duration::from_secs(3 * 3600);
const SETTINGS: WorkerSettings = WorkerSettings {
    in_flight_max: 4,
    take_max: 3,
    lease: Duration::from_secs(90),
    poll: Duration::from_secs(2),
    commit_again: Duration::from_millis(700),
};

struct Node {
    worker: Worker,
    /// What was meant for an earlier life of the node is lost.
    life: u32,
    asleep_until: Duration,
    wake_at: Option<Duration>,
    clock_ahead_s: i64,
}

enum Happens {
    Tell(usize, u32, Happening),
    Wake(usize, u32),
    Pump(usize, u32),
    /// With when it was proposed.
    Commit(usize, u32, Box<Pending>, Duration, Option<(EffectId, u64)>),
    Arrive {
        node: usize,
        life: u32,
        leased: Leased,
        is_answer_lost: bool,
    },
    Restart(usize),
    Client,
}

pub(super) struct World {
    choices: Choices,
    now: Duration,
    number: u64,
    heap: BTreeMap<(Duration, u64), Happens>,
    nodes: Vec<Node>,
    pub(super) store: Store,
    pub(super) services: Services,
    pub(super) seen: Seen,
    organization: OrganizationId,
    violation: Option<String>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut choices = Choices::new(seed);
        let mut store = Store::default();
        for number in 0..=choices.below(2) {
            let run: RunId = format!("01890a5d-ac96-774b-bcce-{number:012}").parse().unwrap();
            let shape = choices.shape(3);
            let mut template = shaped_with(&shape, Some(&Retry::attempts(3)));
            if choices.percent(40) {
                let first = template.levels.remove(0);
                let wait = Level::wait("wait", Delay::from_seconds(1 + choices.below(60)));
                template.levels.insert(0, Level::parallel("beside", [first, wait]));
            }
            if choices.percent(30) {
                template.deadline = Some(Delay::from_seconds(20 + choices.below(100)));
            }
            let template = compile(&template).unwrap();
            let (state, version, events) = (State::new(), 0, Vec::new());
            store.runs.insert(run, Run { template, state, version, events });
            store.put(
                run,
                Input::Started(Start { run, input: json!({}), starter: "user:ada".to_owned(), caused: 0 }),
            );
        }
        let node = |clock_ahead_s| Node {
            worker: Worker::new(SETTINGS),
            life: 0,
            asleep_until: Duration::ZERO,
            wake_at: None,
            clock_ahead_s,
        };
        let nodes = vec![node(choices.below(7) as i64 - 3), node(choices.below(7) as i64 - 3)];
        let organization = RUN.parse().unwrap();
        let (now, number, heap, seen) = (Duration::ZERO, 0, BTreeMap::new(), Seen::default());
        let services = Services::default();
        Self { choices, now, number, heap, nodes, store, services, seen, organization, violation: None }
    }

    pub(super) fn play(mut self) -> Result<Seen, String> {
        for node in 0..self.nodes.len() {
            self.revive(node);
        }
        self.later_ms(5_000, Happens::Client);
        while let Some(((time, _), happens)) = self.heap.pop_first() {
            self.now = time;
            self.happen(happens);
            if let Some(violation) = self.violation.take() {
                return Err(violation);
            }
            let is_over = self.store.runs.values().all(|run| run.state.is_ended()) && self.now > CALM_AFTER;
            if is_over {
                return self.judge().map(|()| self.seen);
            }
            if self.now > HORIZON {
                let states: Vec<_> = self.store.runs.values().map(|run| &run.state.activations).collect();
                return Err(format!("a run does not end: {states:?}"));
            }
        }
        Err("nothing happens any more".to_owned())
    }

    fn is_calm(&self) -> bool {
        self.now > CALM_AFTER
    }

    fn chaos(&mut self, chance: u64) -> bool {
        self.choices.percent(chance) && !self.is_calm()
    }

    fn at(&mut self, time: Duration, happens: Happens) {
        self.number += 1;
        self.heap.insert((time, self.number), happens);
    }

    fn later_ms(&mut self, milliseconds: u64, happens: Happens) {
        self.at(self.now + Duration::from_millis(milliseconds), happens);
    }

    fn revive(&mut self, node: usize) {
        let life = self.nodes[node].life;
        self.later_ms(1, Happens::Tell(node, life, Happening::Woken));
        self.later_ms(2, Happens::Pump(node, life));
    }

    fn happen(&mut self, happens: Happens) {
        let (node, life) = match &happens {
            Happens::Tell(node, life, _) | Happens::Wake(node, life) | Happens::Pump(node, life) => {
                (*node, *life)
            }
            Happens::Commit(node, life, ..) => (*node, *life),
            Happens::Arrive { node, life, leased, is_answer_lost } => {
                return self.arrive(*node, *life, leased.clone(), *is_answer_lost);
            }
            Happens::Restart(node) => return self.revive(*node),
            Happens::Client => return self.client(),
        };
        if self.nodes[node].life != life {
            return;
        }
        // A process that sleeps (SIGSTOP) does what it was about to do when it wakes.
        let asleep_until = self.nodes[node].asleep_until;
        if asleep_until > self.now {
            return self.at(asleep_until, happens);
        }
        match happens {
            Happens::Tell(_, _, happening) => self.tell(node, happening),
            Happens::Wake(..) => {
                if self.nodes[node].wake_at.is_some_and(|wake_at| wake_at <= self.now) {
                    self.nodes[node].wake_at = None;
                    self.tell(node, Happening::Woken);
                }
            }
            Happens::Pump(..) => self.pump(node),
            Happens::Commit(_, _, pending, since, job) => self.commit(node, *pending, since, job),
            Happens::Arrive { .. } | Happens::Restart(_) | Happens::Client => {}
        }
    }

    fn tell(&mut self, node: usize, happening: Happening) {
        let life = self.nodes[node].life;
        for action in self.nodes[node].worker.on(happening, self.now) {
            match action {
                Action::Take { max, lease } => {
                    let taken = self.store.take(self.organization, max, lease, self.now);
                    if !taken.is_empty() && self.chaos(4) {
                        self.seen.note("node slept");
                        let asleep = Duration::from_secs(20 + self.choices.below(120));
                        self.nodes[node].asleep_until = self.now + asleep;
                    }
                    let delay = 1 + self.choices.below(40);
                    self.later_ms(delay, Happens::Tell(node, life, Happening::Taken(taken)));
                }
                Action::Send(leased) => {
                    self.check_lease(&leased);
                    self.send(node, leased);
                }
                Action::HandIn { id, epoch, run, answer, .. } => {
                    let uses = Uses::Row(id, epoch);
                    self.propose(node, run, Input::Answered(answer), uses, Some((id, epoch)));
                }
                Action::GiveBack { id, epoch } => {
                    self.seen.note("given back");
                    self.store.give_back(id, epoch);
                }
                Action::Late { run, answer, .. } => self.store.put(run, Input::Answered(answer)),
                Action::Wake(wake_at) => {
                    if self.nodes[node].wake_at != Some(wake_at) {
                        self.nodes[node].wake_at = Some(wake_at);
                        self.at(wake_at, Happens::Wake(node, life));
                    }
                }
            }
        }
    }

    /// What the note demands: sent only if the lease, by the database's clock, outlasts the call.
    fn check_lease(&mut self, leased: &Leased) {
        let row = self.store.rows.get(&leased.id).filter(|row| row.epoch == leased.epoch);
        if row.is_none_or(|row| row.leased_until < self.now + leased.effect.timeout) {
            self.violation = Some(format!("a call was sent whose lease does not outlast it: {leased:?}"));
        }
    }

    fn send(&mut self, node: usize, leased: Leased) {
        let run = leased.run;
        if !self.store.committed.contains(&(run, leased.effect.activation, leased.effect.attempt)) {
            self.violation = Some(format!("sent before it was committed: {leased:?}"));
        }
        let life = self.nodes[node].life;
        let delay = 1 + self.choices.below(3_000);
        let arrive = |is_answer_lost| Happens::Arrive { node, life, leased: leased.clone(), is_answer_lost };
        match self.choices.below(if self.is_calm() { 1 } else { 12 }) {
            1 => self.seen.note("request lost"),
            2 | 3 => {
                self.seen.note("answer lost");
                self.later_ms(delay, arrive(true));
            }
            4 => {
                self.seen.note("sent twice");
                self.later_ms(delay, arrive(false));
                self.later_ms(delay * 2, arrive(false));
            }
            5 => {
                self.seen.note("arrived after its timeout");
                self.later_ms(31_000 + delay * 5, arrive(false));
            }
            6 => {
                self.seen.note("busy");
                let outcome =
                    Outcome::Refused(Fault { status: Some(429), ..Fault::new(FaultKind::Busy, "later") });
                let (id, epoch) = (leased.id, leased.epoch);
                self.later_ms(delay, Happens::Tell(node, life, Happening::Answered { id, epoch, outcome }));
            }
            _ => self.later_ms(delay, arrive(false)),
        }
    }

    fn arrive(&mut self, node: usize, life: u32, leased: Leased, is_answer_lost: bool) {
        let is_calm = self.is_calm();
        let outcome = self.services.receive(leased.run, &leased.effect, &mut self.choices, is_calm);
        if !is_answer_lost {
            let delay = 1 + self.choices.below(2_000);
            let (id, epoch) = (leased.id, leased.epoch);
            self.later_ms(delay, Happens::Tell(node, life, Happening::Answered { id, epoch, outcome }));
        }
    }

    /// Takes one waiting input, or a timer that is due, and proposes its step.
    fn pump(&mut self, node: usize) {
        let due = at(0).after(self.now);
        let inbox = self.store.inbox.iter().map(|(id, (run, input))| (*run, input.clone(), Uses::Inbox(*id)));
        let timers =
            self.store.timers.iter().filter(|(_, at)| **at <= due).map(|((run, activation, kind), _)| {
                let (activation, kind) = (*activation, *kind);
                (*run, Input::TimerFired { activation, kind }, Uses::Timer(activation, kind))
            });
        let mut waiting: Vec<_> = inbox.chain(timers).collect();
        if !waiting.is_empty() {
            let choice = usize::try_from(self.choices.below(waiting.len() as u64)).unwrap();
            let (run, input, uses) = waiting.swap_remove(choice);
            self.propose(node, run, input, uses, None);
        }
        let (life, delay) = (self.nodes[node].life, 20 + self.choices.below(400));
        self.later_ms(delay, Happens::Pump(node, life));
    }

    fn propose(&mut self, node: usize, run: RunId, input: Input, uses: Uses, job: Option<(EffectId, u64)>) {
        let stored = &self.store.runs[&run];
        self.seen.meet(&stored.state, &input);
        let ahead_us = self.nodes[node].clock_ahead_s * 1_000_000;
        let now = Timestamp::from_microseconds(at(0).after(self.now).as_microseconds() + ahead_us);
        let version = stored.version;
        let step = step(&stored.template, &stored.state, input, now, self.choices.next()).ok();
        if planted::is(Bug::SendBeforeCommit) {
            for effect in step.iter().flat_map(|step| step.effects.clone()) {
                let (organization, id) = (self.organization, EffectId(u64::MAX));
                let leased = Leased { id, organization, run, effect, epoch: 0, lease_left: Duration::MAX };
                self.send(node, leased);
            }
        }
        let (life, delay) = (self.nodes[node].life, 1 + self.choices.below(60));
        // The storage counts the lease from when the unit came, or later.
        let held_until = self.choices.percent(60).then(|| self.now + SETTINGS.lease);
        let pending = Box::new(Pending { run, version, uses, step, held_until });
        self.later_ms(delay, Happens::Commit(node, life, pending, self.now, job));
    }

    fn commit(&mut self, node: usize, pending: Pending, since: Duration, job: Option<(EffectId, u64)>) {
        if self.chaos(3) {
            self.seen.note("crash before commit");
            return self.crash(node);
        }
        let is_unavailable = self.chaos(3);
        let is_held = pending.held_until.is_some();
        let result = if is_unavailable { Err(Refusal::Stale) } else { self.store.commit(pending) };
        if self.chaos(3) {
            self.seen.note("crash after commit");
            return self.crash(node);
        }
        self.seen.note(match result {
            Ok(_) => "commit",
            Err(_) if is_unavailable => "store unavailable",
            Err(Refusal::Stale) => "commit stale",
            Err(Refusal::Gone) => "commit fenced",
        });
        if let Ok(rows) = &result
            && is_held
            && !rows.is_empty()
        {
            self.hand_over(node, rows, since);
        }
        let Some((id, epoch)) = job else { return };
        let happening = match result {
            Ok(_) | Err(Refusal::Gone) => Happening::HandedIn { id, epoch },
            Err(Refusal::Stale) => Happening::NotHandedIn { id, epoch },
        };
        self.tell(node, happening);
    }

    /// What the step wrote as taken goes to the node's own worker.
    fn hand_over(&mut self, node: usize, rows: &[EffectId], asked_at: Duration) {
        self.seen.note("handed over");
        let leased = rows.iter().map(|id| {
            let row = &self.store.rows[id];
            let (organization, effect) = (self.organization, row.effect.clone());
            Leased {
                id: *id,
                organization,
                run: row.run,
                effect,
                epoch: row.epoch,
                lease_left: SETTINGS.lease,
            }
        });
        let leased = leased.collect();
        if self.chaos(4) {
            self.seen.note("node slept before it had what it handed over");
            let asleep = Duration::from_secs(20 + self.choices.below(120));
            self.nodes[node].asleep_until = self.now + asleep;
        }
        let (life, delay) = (self.nodes[node].life, self.choices.below(3));
        self.later_ms(delay, Happens::Tell(node, life, Happening::Handed { leased, asked_at }));
    }

    fn crash(&mut self, node: usize) {
        let dead = &mut self.nodes[node];
        (dead.worker, dead.life, dead.wake_at) = (Worker::new(SETTINGS), dead.life + 1, None);
        let delay = 500 + self.choices.below(20_000);
        self.later_ms(delay, Happens::Restart(node));
    }

    /// A person who now and then cancels a run, and sees to what needs attention.
    fn client(&mut self) {
        let runs: Vec<RunId> = self.store.runs.keys().copied().collect();
        for run in runs {
            let state = &self.store.runs[&run].state;
            let stuck = state.activations.values().find(|live| matches!(live.phase, Phase::Stuck { .. }));
            let stuck = stuck.map(|live| live.id);
            if let Some(activation) = stuck {
                self.seen.note("attention");
                self.store.put(run, Input::Retry { activation, waive: true });
            }
            if self.chaos(4) {
                self.store.put(run, Input::Cancel { reason: "changed my mind".to_owned() });
            }
        }
        self.later_ms(7_000, Happens::Client);
    }
}
