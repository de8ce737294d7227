//! One step under way: the state changes only by events, so folding them gives the same.

use std::collections::VecDeque;

use buildly_model::Timestamp;
use serde_json::{Map, Value};

use super::{Step, TRANSITIONS_MAX};
use crate::compiled::{Compiled, Node};
use crate::run::{
    Activation, ActivationId, Command, Effect, Ended, Event, LevelId, Phase, Role, State, Timer, TimerKind,
};

pub(super) struct Machine<'a> {
    pub(super) template: &'a Compiled,
    pub(super) state: State,
    pub(super) now: Timestamp,
    random: u64,
    events: Vec<Event>,
    pub(super) effects: Vec<Effect>,
    pub(super) commands: Vec<Command>,
    timers: Vec<Timer>,
    ready: VecDeque<ActivationId>,
    more: bool,
}

/// What is needed to enter a level.
pub(super) struct Entry {
    pub(super) level: LevelId,
    pub(super) parent: Option<ActivationId>,
    pub(super) index: u32,
    pub(super) role: Role,
    pub(super) place: Place,
}

/// Where a level reads and writes results.
pub(super) enum Place {
    /// In a scope that is there.
    In(ActivationId),
    /// In one of its own, with what it is given, inside of another.
    Opens(Option<ActivationId>, Map<String, Value>),
}

impl<'a> Machine<'a> {
    pub(super) fn new(template: &'a Compiled, state: State, now: Timestamp, random: u64) -> Self {
        Self {
            template,
            state,
            now,
            random,
            events: Vec::new(),
            effects: Vec::new(),
            commands: Vec::new(),
            timers: Vec::new(),
            ready: VecDeque::new(),
            more: false,
        }
    }

    pub(super) fn finish(self) -> Step {
        let status = self.state.status();
        let Self { events, state, effects, commands, timers, more, .. } = self;
        Step { events, state, effects, commands, timers, status, more }
    }

    /// Begins what is ready, in the order of entry, until nothing is or the bound is reached.
    pub(super) fn run(&mut self) {
        let mut transitions = 0;
        while !self.state.paused {
            let Some(activation) = self.ready.pop_front() else { return };
            if transitions == TRANSITIONS_MAX {
                self.more = true;
                return;
            }
            transitions += 1;
            let is_ready = self.live(activation).is_some_and(|live| live.phase == Phase::Ready);
            if is_ready {
                self.begin(activation);
            }
        }
    }

    /// Takes up again what an earlier step left ready.
    pub(super) fn queue_ready(&mut self) {
        let ready = self.state.activations.values().filter(|live| live.phase == Phase::Ready);
        self.ready = ready.map(|live| live.id).collect();
    }

    pub(super) fn record(&mut self, event: Event) {
        self.state.fold(&event);
        self.events.push(event);
    }

    pub(super) fn live(&self, activation: ActivationId) -> Option<&Activation> {
        self.state.activations.get(&activation)
    }

    /// A live activation with its level.
    pub(super) fn look(&self, activation: ActivationId) -> Option<(&Activation, &'a Node)> {
        let live = self.live(activation)?;
        Some((live, self.template.node(live.level)?))
    }

    pub(super) fn move_to(&mut self, activation: ActivationId, phase: Phase) {
        let is_ready = phase == Phase::Ready;
        self.record(Event::Moved { activation, phase });
        if is_ready {
            self.ready.push_back(activation);
        }
    }

    /// Enters a level; it begins once it is its turn and its links allow it.
    pub(super) fn enter(&mut self, entry: Entry) -> ActivationId {
        let activation = ActivationId(self.state.next_activation);
        let (scope, opens) = match entry.place {
            Place::In(scope) => (scope, None),
            Place::Opens(around, given) => (activation, Some((around, given))),
        };
        let waits = self.template.node(entry.level).is_some_and(|node| !node.incoming.is_empty());
        let phase = if waits { Phase::Linked } else { Phase::Ready };
        let Entry { level, parent, index, role, .. } = entry;
        self.record(Event::Entered { activation, level, parent, scope, index, role, opens, phase });
        if waits {
            self.follow_links(activation);
        } else {
            self.ready.push_back(activation);
        }
        activation
    }

    /// Opens a part of a stage.
    pub(super) fn open_part(&mut self, stage: ActivationId, level: LevelId, index: u32, place: Place) {
        self.record(Event::Opened { activation: stage });
        self.enter(Entry { level, parent: Some(stage), index, role: Role::Body, place });
    }

    /// Removes an activation, with its timers and its task.
    pub(super) fn end(&mut self, activation: ActivationId, how: Ended) {
        self.release(activation);
        self.record(Event::Ended { activation, how });
    }

    /// Takes back timers and the task of an activation that does not go on as it was.
    pub(super) fn release(&mut self, activation: ActivationId) {
        let Some(live) = self.live(activation) else { return };
        let (has_deadline, phase) = (live.deadline.is_some(), live.phase.clone());
        if has_deadline {
            self.set_deadline(activation, None);
        }
        match phase {
            Phase::Waiting { .. } => self.set_timer(activation, TimerKind::Wait, None),
            Phase::Backoff { .. } => self.set_timer(activation, TimerKind::Retry, None),
            Phase::Task { .. } => self.commands.push(Command::CloseTask { activation }),
            Phase::Linked
            | Phase::Ready
            | Phase::Calling
            | Phase::WaitingSignal
            | Phase::SubRun
            | Phase::Joining { .. }
            | Phase::Handling { .. }
            | Phase::Draining { .. }
            | Phase::Stuck { .. }
            | Phase::Cancelling { .. }
            | Phase::Undoing { .. } => {}
        }
    }

    pub(super) fn set_timer(&mut self, activation: ActivationId, kind: TimerKind, due: Option<Timestamp>) {
        self.timers.push(Timer { activation, kind, due });
    }

    pub(super) fn set_deadline(&mut self, activation: ActivationId, due: Option<Timestamp>) {
        self.record(Event::DeadlineSet { activation, due });
        self.set_timer(activation, TimerKind::Deadline, due);
    }

    /// The next random number (SplitMix64, Steele et al. 2014): one seed serves a whole step.
    pub(super) fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
