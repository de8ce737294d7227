//! The store: a committed image, and units that are pending until they are written whole or not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use buildly_model::{OrganizationId, RunId, Timestamp};

use crate::testing::{World as Held, assert_sound};
use crate::{
    ActivationId, Command, Compiled, Effect, EffectId, Event, Input, Leased, State, Step, TimerKind,
};

#[derive(Debug)]
pub(super) struct Run {
    pub(super) template: Compiled,
    pub(super) state: State,
    pub(super) version: u64,
    pub(super) events: Vec<Event>,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) run: RunId,
    pub(super) effect: Effect,
    pub(super) epoch: u64,
    pub(super) leased_until: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) runs: BTreeMap<RunId, Run>,
    pub(super) rows: BTreeMap<EffectId, Row>,
    pub(super) inbox: BTreeMap<u64, (RunId, Input)>,
    pub(super) timers: BTreeMap<(RunId, ActivationId, TimerKind), Timestamp>,
    /// Every effect that was ever committed.
    pub(super) committed: BTreeSet<(RunId, ActivationId, u32)>,
    next: u64,
}

/// What a unit takes away: the input that it was made from.
#[derive(Debug, Clone)]
pub(super) enum Uses {
    Inbox(u64),
    Timer(ActivationId, TimerKind),
    Row(EffectId, u64),
}

/// A unit that is not written yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) run: RunId,
    pub(super) version: u64,
    pub(super) uses: Uses,
    pub(super) step: Option<Step>,
    /// Until when the node that proposes it holds its effects from the start.
    pub(super) held_until: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The run has moved on.
    Stale,
    /// The input is taken already, or the lease is another's.
    Gone,
}

impl Store {
    pub(super) fn put(&mut self, run: RunId, input: Input) {
        self.next += 1;
        self.inbox.insert(self.next, (run, input));
    }

    pub(super) fn take(
        &mut self,
        organization: OrganizationId,
        max: usize,
        lease: Duration,
        now: Duration,
    ) -> Vec<Leased> {
        let free = self.rows.iter_mut().filter(|(_, row)| row.leased_until <= now).take(max);
        free.map(|(id, row)| {
            row.epoch += 1;
            row.leased_until = now + lease;
            let (run, effect, epoch) = (row.run, row.effect.clone(), row.epoch);
            Leased { id: *id, organization, run, effect, epoch, lease_left: lease }
        })
        .collect()
    }

    pub(super) fn give_back(&mut self, id: EffectId, epoch: u64) {
        if let Some(row) = self.rows.get_mut(&id).filter(|row| row.epoch == epoch) {
            row.leased_until = Duration::ZERO;
        }
    }

    /// Writes a unit, whole or not at all; the rows of its effects.
    pub(super) fn commit(&mut self, pending: Pending) -> Result<Vec<EffectId>, Refusal> {
        let run = pending.run;
        let is_there = match &pending.uses {
            Uses::Inbox(id) => self.inbox.contains_key(id),
            Uses::Timer(activation, kind) => self.timers.contains_key(&(run, *activation, *kind)),
            Uses::Row(id, epoch) => self.rows.get(id).is_some_and(|row| row.epoch == *epoch),
        };
        if !is_there {
            return Err(Refusal::Gone);
        }
        if self.runs[&run].version != pending.version {
            return Err(Refusal::Stale);
        }
        match &pending.uses {
            Uses::Inbox(id) => drop(self.inbox.remove(id)),
            Uses::Timer(activation, kind) => drop(self.timers.remove(&(run, *activation, *kind))),
            Uses::Row(id, _) => drop(self.rows.remove(id)),
        }
        Ok(pending.step.map_or_else(Vec::new, |step| self.write(run, step, pending.held_until)))
    }

    fn write(&mut self, run: RunId, step: Step, held_until: Option<Duration>) -> Vec<EffectId> {
        let stored = self.runs.get_mut(&run).unwrap();
        let folded = step.events.iter().fold(stored.state.clone(), State::apply);
        assert_eq!(folded, step.state, "the events' fold is the state");
        stored.state = step.state;
        stored.version += 1;
        stored.events.extend(step.events);
        let mut rows = Vec::new();
        for effect in step.effects {
            self.next += 1;
            self.committed.insert((run, effect.activation, effect.attempt));
            let (epoch, leased_until) = (u64::from(held_until.is_some()), held_until.unwrap_or_default());
            self.rows.insert(EffectId(self.next), Row { run, effect, epoch, leased_until });
            rows.push(EffectId(self.next));
        }
        for timer in step.timers {
            let key = (run, timer.activation, timer.kind);
            match timer.due {
                Some(due) => self.timers.insert(key, due),
                None => self.timers.remove(&key),
            };
        }
        for command in step.commands {
            assert!(
                !matches!(command, Command::OpenTask { .. } | Command::StartRun { .. }),
                "the stories have none"
            );
        }
        if step.more {
            self.put(run, Input::Continue);
        }
        self.check(run);
        rows
    }

    fn check(&self, run: RunId) {
        let stored = &self.runs[&run];
        let rows = self.rows.values().filter(|row| row.run == run);
        let timers = self.timers.keys().filter(|(of, ..)| *of == run);
        assert_sound(&Held {
            template: &stored.template,
            state: &stored.state,
            effects: rows.map(|row| (row.effect.activation, row.effect.attempt)).collect(),
            timers: timers.map(|(_, activation, kind)| (*activation, *kind)).collect(),
            tasks: &BTreeSet::new(),
            children: &BTreeSet::new(),
            more: self.inbox.values().any(|(of, input)| *of == run && *input == Input::Continue),
        });
    }
}
