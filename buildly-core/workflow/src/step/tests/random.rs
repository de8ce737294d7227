//! Random templates and random answers: the engine and the naive interpreter agree.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::naive::{Answered, Log, Path, interpret};
use crate::template::{BranchEvent, Delay, Retry, Template};
use crate::testing::{Bench, Shape, shaped};
use crate::{
    ActivationId, Answer, End, Fault, FaultKind, Input, Level, NodeKind, Outcome, Role, Status, TimerKind,
    compile,
};

fn shapes() -> impl Strategy<Value = Shape> {
    let leaf = any::<bool>().prop_map(|has_undo| Shape::Call { has_undo });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 1..4);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            3 => parts().prop_map(Shape::Sequence),
            3 => parts().prop_map(Shape::Parallel),
            3 => (1_u32..3, parts()).prop_map(|(needed, parts)| {
                let most = u32::try_from(parts.len()).unwrap();
                Shape::Any(needed.min(most), parts.into_iter().map(without_instants).collect())
            }),
            2 => (0_u32..4, 1_u32..3, boxed()).prop_map(|(items, at_once, body)| Shape::ForEach { items, at_once, body }),
            1 => (1_u32..4, boxed()).prop_map(|(rounds, body)| Shape::Loop { rounds, body }),
            1 => (0_usize..4, parts()).prop_map(|(chosen, ways)| Shape::Decide { chosen, ways }),
            1 => boxed().prop_map(Shape::Skipped),
            2 => (boxed(), boxed()).prop_map(|(body, handler)| Shape::Rescued { body, handler }),
        ]
    })
}

/// In a race the order within one instant would matter, which the naive interpreter has not.
fn without_instants(shape: Shape) -> Shape {
    let all = |parts: Vec<Shape>| parts.into_iter().map(without_instants).collect::<Vec<_>>();
    let one = |part: Box<Shape>| Box::new(without_instants(*part));
    match shape {
        Shape::Skipped(body) => without_instants(*body),
        Shape::ForEach { items, at_once, body } => {
            Shape::ForEach { items: items.max(1), at_once, body: one(body) }
        }
        Shape::Decide { chosen, ways } => Shape::Decide { chosen: chosen % ways.len(), ways: all(ways) },
        Shape::Sequence(parts) => Shape::Sequence(all(parts)),
        Shape::Parallel(parts) => Shape::Parallel(all(parts)),
        Shape::Any(needed, parts) => Shape::Any(needed, all(parts)),
        Shape::Loop { rounds, body } => Shape::Loop { rounds, body: one(body) },
        Shape::Rescued { body, handler } => Shape::Rescued { body: one(body), handler: one(handler) },
        Shape::Call { has_undo } => Shape::Call { has_undo },
    }
}

/// The path of an activation in the terms of shapes.
fn path_of(run: &Bench, activation: ActivationId) -> Path {
    let mut path = Vec::new();
    let mut at = run.state.activations.get(&activation);
    while let Some(live) = at {
        let parent = live.parent.and_then(|parent| run.state.activations.get(&parent));
        let Some(parent) = parent else { break };
        let node = run.template.node(parent.level).unwrap();
        let is_root = parent.parent.is_none();
        if !is_root {
            path.push(match (&node.kind, live.role) {
                (_, Role::Handler) => 1,
                // A decision's place is which way was taken.
                (NodeKind::Decide { guards, .. }, _) => {
                    let way = guards.iter().position(|guard| guard.level == live.level);
                    u32::try_from(way.unwrap()).unwrap()
                }
                _ => live.index,
            });
        }
        at = Some(parent);
    }
    path.reverse();
    path
}

struct Play {
    run: Bench,
    paths: BTreeMap<ActivationId, Path>,
    log: Log,
    undone: Vec<Path>,
}

impl Play {
    fn new(shape: &Shape) -> Self {
        let run = Bench::new(compile(&shaped(shape)).unwrap());
        let mut play = Self { run, paths: BTreeMap::new(), log: Log::new(), undone: Vec::new() };
        play.run.start(json!({})).unwrap();
        play.learn();
        play
    }

    /// Learns where new calls stand, while what is around them is live.
    fn learn(&mut self) {
        for effect in self.run.effects.clone() {
            let is_undo = effect.level.starts_with("undo");
            if !is_undo && !self.paths.contains_key(&effect.activation) {
                let path = path_of(&self.run, effect.activation);
                self.paths.insert(effect.activation, path);
            }
        }
    }

    /// Compensations are answered at once.
    fn undo(&mut self) {
        while let Some(place) = self.run.effects.iter().position(|effect| effect.level.starts_with("undo")) {
            let effect = self.run.effects.remove(place);
            let live = &self.run.state.activations[&effect.activation];
            let Role::Undo(number) = live.role else { panic!("{live:?}") };
            let undone = self.run.state.undo[&number].activation;
            self.undone.push(self.paths[&undone].clone());
            self.run.answer(&effect, Outcome::Done { status: 204, body: json!(null) });
            self.learn();
        }
    }

    fn answer(&mut self, choice: u8, how: Answered) {
        let place = usize::from(choice) % self.run.effects.len();
        let effect = self.run.effects.remove(place);
        let path = self.paths[&effect.activation].clone();
        self.log.insert(path, (self.log.len() + 1, how));
        let outcome = match how {
            Answered::Done => Outcome::Done { status: 200, body: json!("done") },
            Answered::Refused => Outcome::Refused(Fault::new(FaultKind::Refused, "no")),
            Answered::Unknown => Outcome::Unknown(Fault::new(FaultKind::Timeout, "no answer")),
        };
        self.run.answer(&effect, outcome);
        self.learn();
        self.undo();
    }

    fn compare(&self, shape: &Shape) {
        let verdict = interpret(shape, &self.log);
        let status = match self.run.status() {
            Status::Completed => "completed",
            Status::Failed | Status::Compensated => "failed",
            _ => "running",
        };
        assert_eq!(status, verdict.status, "status, after {:?}", self.log);
        let mut started: Vec<Path> = self.paths.values().cloned().collect();
        started.sort_unstable();
        assert_eq!(started, verdict.started, "calls, after {:?}", self.log);
        assert_eq!(self.undone, verdict.undone, "undone, after {:?}", self.log);
    }
}

fn answers() -> impl Strategy<Value = Vec<(u8, Answered)>> {
    let how =
        prop_oneof![4 => Just(Answered::Done), 1 => Just(Answered::Refused), 1 => Just(Answered::Unknown)];
    prop::collection::vec((any::<u8>(), how), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1_000), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_and_the_naive_interpreter_agree(shape in shapes(), answers in answers()) {
        let mut play = Play::new(&shape);
        play.compare(&shape);
        for (choice, how) in answers {
            if play.run.effects.is_empty() {
                break;
            }
            play.answer(choice, how);
            play.compare(&shape);
        }
        prop_assert!(play.run.state.is_ended() || !play.run.effects.is_empty(), "a run that goes on has calls out");
    }

    #[test]
    fn keys_are_distinct_per_activation_and_every_run_ends(shape in shapes(), answers in answers()) {
        let mut play = Play::new(&shape);
        let mut keys = BTreeSet::new();
        let mut choices = answers.into_iter().chain(std::iter::repeat((0, Answered::Done)));
        while !play.run.effects.is_empty() {
            for effect in &play.run.effects {
                keys.insert((effect.key.clone(), effect.activation));
            }
            let (choice, how) = choices.next().unwrap();
            play.answer(choice, how);
        }
        prop_assert!(play.run.state.is_ended());
        let distinct: BTreeSet<&String> = keys.iter().map(|(key, _)| key).collect();
        prop_assert_eq!(distinct.len(), keys.len());
    }

    /// Whatever comes, in whatever order: no panic, the fold is the state, everything live has
    /// what brings it on, and an ended run takes nothing. (`Bench` checks that at each step.)
    #[test]
    fn no_input_breaks_a_run(shape in shapes(), inputs in prop::collection::vec(inputs(), 0..40), attention: bool) {
        let mut template = shaped(&shape);
        if attention {
            template.unhandled = crate::template::Unhandled::Attention;
        }
        sprinkle(&mut template);
        let mut run = Bench::new(compile(&template).unwrap());
        run.start(json!({"n": 1})).unwrap();
        for input in inputs {
            let before = run.state.clone();
            match input {
                Chaos::Answer(choice, outcome) if !run.effects.is_empty() => {
                    let effect = run.effects.remove(usize::from(choice) % run.effects.len());
                    run.answer(&effect, outcome);
                }
                Chaos::Time => run.pass(Delay::from_seconds(100)),
                Chaos::Answer(..) => {}
                Chaos::Input(input) => {
                    let is_refused = run.give(input).is_err();
                    if is_refused || before.is_ended() {
                        prop_assert_eq!(&run.state, &before);
                    }
                }
            }
        }
    }
}

/// Gives some levels of a random template what the naive interpreter does not know.
fn sprinkle(template: &mut Template) {
    template.deadline = Some(Delay::from_seconds(1_000));
    let task = Level::task("task").group("g").deadline(Delay::from_seconds(150));
    let task =
        task.beside(BranchEvent::Deadline, Level::call("remind", "svc.remind").retry(Retry::attempts(3)));
    let sub =
        Level::run("sub", "other").on(BranchEvent::Signal("stop".to_owned()), Level::emit("stopped", "x"));
    let call = Level::call("again", "svc.again").retry(Retry::attempts(4)).deadline(Delay::from_seconds(300));
    let undo = Level::call("undo_again", "svc.undo")
        .compensates("again")
        .account("janitor")
        .retry(Retry::attempts(2));
    let wait = Level::wait_signal("signal", "go").after("again").deadline(Delay::from_seconds(400));
    let first = template.levels.remove(0);
    template.levels.insert(0, Level::parallel("all", [first, task, sub, call, undo, wait]));
}

#[derive(Debug, Clone)]
enum Chaos {
    Answer(u8, Outcome),
    Time,
    Input(Input),
}

fn inputs() -> impl Strategy<Value = Chaos> {
    let fault = prop_oneof![
        Just(FaultKind::Refused),
        Just(FaultKind::Forbidden),
        Just(FaultKind::Timeout),
        Just(FaultKind::Unavailable)
    ]
    .prop_map(|kind| Fault::new(kind, "no"));
    let outcome = prop_oneof![
        3 => Just(Outcome::Done { status: 200, body: json!({"a": 1}) }),
        1 => fault.clone().prop_map(Outcome::Refused),
        1 => fault.clone().prop_map(Outcome::Unknown),
    ];
    let id = || (1_u64..30).prop_map(ActivationId);
    let by = || prop_oneof![Just("user:ada".to_owned()), Just("user:bob".to_owned())];
    let kind = prop_oneof![Just(TimerKind::Wait), Just(TimerKind::Retry), Just(TimerKind::Deadline)];
    let end = prop_oneof![
        Just(End::Completed { result: json!(1) }),
        fault.prop_map(|fault| End::Failed { fault }),
        Just(End::Cancelled { reason: "x".to_owned() })
    ];
    let input = prop_oneof![
        2 => (id(), 1_u32..4, outcome.clone()).prop_map(|(activation, attempt, outcome)| Input::Answered(Answer { activation, attempt, outcome })),
        2 => (id(), kind).prop_map(|(activation, kind)| Input::TimerFired { activation, kind }),
        2 => (id(), by()).prop_map(|(activation, by)| Input::TaskClaimed { activation, by }),
        3 => (id(), by()).prop_map(|(activation, by)| Input::TaskCompleted { activation, by, data: json!({}) }),
        3 => (0_u8..4, any::<bool>()).prop_map(|(dedup, stop)| Input::Signal {
            name: if stop { "stop" } else { "go" }.to_owned(), dedup: dedup.to_string(), payload: json!(1) }),
        3 => (id(), end).prop_map(|(activation, end)| Input::ChildEnded { activation, end }),
        1 => Just(Input::Cancel { reason: "x".to_owned() }),
        1 => Just(Input::Pause),
        2 => Just(Input::Resume),
        3 => (id(), any::<bool>()).prop_map(|(activation, waive)| Input::Retry { activation, waive }),
        2 => id().prop_map(|activation| Input::Skip { activation }),
        1 => Just(Input::Continue),
    ];
    prop_oneof![6 => (any::<u8>(), outcome).prop_map(|(choice, outcome)| Chaos::Answer(choice, outcome)), 2 => Just(Chaos::Time), 5 => input.prop_map(Chaos::Input)]
}

/// `WORKFLOW_CASES` multiplies how many are tried.
fn cases(ordinary: u32) -> u32 {
    let times = std::env::var("WORKFLOW_CASES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    ordinary.saturating_mul(times)
}
