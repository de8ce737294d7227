//! A run with its world as lists.

use std::collections::{BTreeMap, BTreeSet};

use buildly_model::{RunId, Timestamp};
use serde_json::{Value, json};

use super::{World, assert_sound};
use crate::template::{Delay, Level, Template};
use crate::{
    ActivationId, Answer, Command, Compiled, Effect, End, Event, Fault, FaultKind, Input, Outcome, Start,
    State, Status, StepError as Error, TimerKind, compile, step,
};

pub(crate) const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

pub(crate) fn compiled(levels: impl IntoIterator<Item = Level>) -> Compiled {
    compile(&Template::new("example", levels)).unwrap()
}

pub(crate) struct Bench {
    pub(crate) template: Compiled,
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) effects: Vec<Effect>,
    pub(crate) timers: BTreeMap<(ActivationId, TimerKind), Timestamp>,
    pub(crate) tasks: BTreeSet<ActivationId>,
    pub(crate) children: BTreeSet<ActivationId>,
    pub(crate) cancelled_children: BTreeSet<ActivationId>,
    pub(crate) events: Vec<Event>,
    pub(crate) more: bool,
    /// What was sent, by key: all attempts must have the same bytes.
    pub(crate) sent: BTreeMap<String, String>,
    /// The operations that services have applied, in order.
    pub(crate) applied: Vec<String>,
}

impl Bench {
    pub(crate) fn new(template: Compiled) -> Self {
        Self {
            template,
            state: State::new(),
            now: at(0),
            effects: Vec::new(),
            timers: BTreeMap::new(),
            tasks: BTreeSet::new(),
            children: BTreeSet::new(),
            cancelled_children: BTreeSet::new(),
            events: Vec::new(),
            more: false,
            sent: BTreeMap::new(),
            applied: Vec::new(),
        }
    }

    /// A run of these levels, begun with this input.
    pub(crate) fn started(levels: impl IntoIterator<Item = Level>, input: Value) -> Self {
        let mut bench = Self::new(compiled(levels));
        bench.start(input).unwrap();
        bench
    }

    pub(crate) fn start(&mut self, input: Value) -> Result<(), Error> {
        let run: RunId = RUN.parse().unwrap();
        self.give(Input::Started(Start { run, input, starter: "user:ada".to_owned(), caused: 0 }))
    }

    /// Gives an input, and all the `Continue`s that follow.
    pub(crate) fn give(&mut self, input: Input) -> Result<(), Error> {
        self.give_one(input)?;
        while self.more {
            self.give_one(Input::Continue)?;
        }
        Ok(())
    }

    pub(crate) fn give_one(&mut self, input: Input) -> Result<(), Error> {
        if let Input::TimerFired { activation, kind } = &input {
            self.timers.remove(&(*activation, *kind));
        }
        let step = step(&self.template, &self.state, input, self.now, 7)?;
        let folded = step.events.iter().fold(self.state.clone(), State::apply);
        assert_eq!(folded, step.state, "the events' fold is the state");
        for effect in &step.effects {
            let bytes = self.sent.entry(effect.key.clone()).or_insert_with(|| effect.request.clone());
            assert_eq!(*bytes, effect.request, "attempts with one key have the same bytes");
        }
        self.state = step.state;
        self.events.extend(step.events);
        self.effects.extend(step.effects);
        self.more = step.more;
        for timer in step.timers {
            match timer.due {
                Some(due) => self.timers.insert((timer.activation, timer.kind), due),
                None => self.timers.remove(&(timer.activation, timer.kind)),
            };
        }
        for command in step.commands {
            match command {
                Command::OpenTask { activation, .. } => {
                    assert!(self.tasks.insert(activation), "a task is opened once")
                }
                Command::ClaimTask { .. } => {}
                Command::CloseTask { activation } => {
                    assert!(self.tasks.remove(&activation), "only an open task is closed")
                }
                Command::StartRun { activation, .. } => assert!(self.children.insert(activation)),
                Command::CancelRun { activation } => assert!(self.cancelled_children.insert(activation)),
            }
        }
        assert_eq!(step.status, self.state.status());
        assert_sound(&World {
            template: &self.template,
            state: &self.state,
            effects: self.effects.iter().map(|effect| (effect.activation, effect.attempt)).collect(),
            timers: self.timers.keys().copied().collect(),
            tasks: &self.tasks,
            children: &self.children,
            more: self.more,
        });
        let text = serde_json::to_string(&self.state).unwrap();
        assert_eq!(
            serde_json::from_str::<State>(&text).unwrap(),
            self.state,
            "the stored state is the state"
        );
        Ok(())
    }

    /// Takes the effect of a level out.
    pub(crate) fn take(&mut self, level: &str) -> Effect {
        let place = self.effects.iter().position(|effect| effect.level == level);
        let place = place.unwrap_or_else(|| panic!("no call of `{level}` is out, but {:?}", self.calls()));
        self.effects.remove(place)
    }

    pub(crate) fn answer(&mut self, effect: &Effect, outcome: Outcome) {
        if matches!(outcome, Outcome::Done { .. }) {
            self.applied.push(effect.level.clone());
        }
        let (activation, attempt) = (effect.activation, effect.attempt);
        self.give(Input::Answered(Answer { activation, attempt, outcome })).unwrap();
    }

    pub(crate) fn done(&mut self, level: &str, body: Value) {
        let effect = self.take(level);
        self.answer(&effect, Outcome::Done { status: 200, body });
    }

    /// The service refuses for good.
    pub(crate) fn refuse(&mut self, level: &str) {
        let effect = self.take(level);
        let fault = Fault { status: Some(422), ..Fault::new(FaultKind::Refused, "no") };
        self.answer(&effect, Outcome::Refused(fault));
    }

    /// Nobody knows what the service did.
    pub(crate) fn time_out(&mut self, level: &str) {
        let effect = self.take(level);
        self.answer(&effect, Outcome::Unknown(Fault::new(FaultKind::Timeout, "no answer")));
    }

    /// The levels whose calls are out, sorted.
    pub(crate) fn calls(&self) -> Vec<&str> {
        let mut calls: Vec<&str> = self.effects.iter().map(|effect| effect.level.as_str()).collect();
        calls.sort_unstable();
        calls
    }

    /// The live activation of a level.
    pub(crate) fn live(&self, level: &str) -> ActivationId {
        let id = self.template.find(level).unwrap().id;
        let live = self.state.activations.values().find(|live| live.level == id);
        live.unwrap_or_else(|| panic!("`{level}` is not live")).id
    }

    /// Lets time pass and fires what is due, in order.
    pub(crate) fn pass(&mut self, delay: Delay) {
        let until = self.now.after(delay.duration());
        while let Some((key, due)) = self.next_due(until) {
            self.now = self.now.max(due);
            self.timers.remove(&key);
            self.give(Input::TimerFired { activation: key.0, kind: key.1 }).unwrap();
        }
        self.now = until;
    }

    fn next_due(&self, until: Timestamp) -> Option<((ActivationId, TimerKind), Timestamp)> {
        let due =
            self.timers.iter().filter(|(_, due)| **due <= until).min_by_key(|(key, due)| (**due, **key));
        due.map(|(key, due)| (*key, *due))
    }

    pub(crate) fn complete_task(&mut self, level: &str, by: &str, data: Value) -> Result<(), Error> {
        let activation = self.live(level);
        self.give(Input::TaskCompleted { activation, by: by.to_owned(), data })
    }

    pub(crate) fn signal(&mut self, name: &str, dedup: &str, payload: Value) {
        self.give(Input::Signal { name: name.to_owned(), dedup: dedup.to_owned(), payload }).unwrap();
    }

    pub(crate) fn status(&self) -> Status {
        self.state.status()
    }

    pub(crate) fn result(&self) -> Value {
        match &self.state.end {
            Some(End::Completed { result }) => result.clone(),
            other => panic!("the run has not completed, but {other:?}"),
        }
    }

    /// The body that a level's call carries.
    pub(crate) fn body(effect: &Effect) -> Value {
        let request: Value = serde_json::from_str(&effect.request).unwrap();
        request.get("body").cloned().unwrap_or(json!(null))
    }
}
