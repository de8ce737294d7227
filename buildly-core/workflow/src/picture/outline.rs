//! What all pictures of a template have in common.

use crate::Template;
use crate::template::{Branch, BranchEvent, Kind, Level, Wait};

/// How the parts of a level stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// One after the other.
    Down,
    /// At the same time, or one of them.
    Across,
}

/// A level as it is drawn, with what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// What people call it; its name if they call it nothing else.
    pub title: String,
    /// What it does, in a few words.
    pub what: String,
    /// What it is to the level around it: a condition, an event, a level that it undoes.
    pub relation: Option<String>,
    /// Levels that must have ended before it begins, wherever they stand.
    pub after: Vec<String>,
    /// How its parts stand to each other.
    pub arrangement: Arrangement,
    /// Its parts.
    pub parts: Vec<Outline>,
    /// What is done when something happens to it, and what undoes its parts.
    pub beside: Vec<Outline>,
}

impl Outline {
    /// The outline of a template; its root is the template itself.
    #[must_use]
    pub fn of(template: &Template) -> Self {
        let mut root = Self {
            name: template.name.clone(),
            title: template.title.clone().unwrap_or_else(|| template.name.clone()),
            what: "workflow".to_owned(),
            relation: None,
            after: Vec::new(),
            arrangement: Arrangement::Down,
            parts: Vec::new(),
            beside: template.on.iter().map(branch).collect(),
        };
        root.take(&template.levels);
        root
    }

    /// Every level of it, itself first, from the outside in.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.parts.iter().chain(&next.beside).rev());
            Some(next)
        })
    }

    /// Takes levels as parts, and what undoes one of them beside them.
    fn take(&mut self, levels: &[Level]) {
        for level in levels {
            match &level.compensates {
                Some(undone) => self.beside.push(of_level(level, Some(format!("undoes {undone}")))),
                None => {
                    self.parts.push(of_level(level, level.when.as_ref().map(|when| format!("if {when}"))))
                }
            }
        }
    }
}

fn of_level(level: &Level, relation: Option<String>) -> Outline {
    let mut outline = Outline {
        name: level.name.clone(),
        title: level.title.clone().unwrap_or_else(|| level.name.clone()),
        what: what(&level.kind),
        relation,
        after: level.after.clone(),
        arrangement: Arrangement::Across,
        parts: Vec::new(),
        beside: level.on.iter().map(branch).collect(),
    };
    match &level.kind {
        Kind::Sequence(levels) => {
            outline.arrangement = Arrangement::Down;
            outline.take(levels);
        }
        Kind::Parallel(levels) | Kind::Race(levels) => outline.take(levels),
        Kind::Any(any) => outline.take(&any.levels),
        Kind::ForEach(each) => outline.parts.push(of_level(&each.level, None)),
        Kind::Loop(again) => outline.parts.push(of_level(&again.level, None)),
        Kind::Decide(decide) => {
            let branches = decide.branches.iter();
            let branches =
                branches.map(|branch| of_level(&branch.level, Some(format!("if {}", branch.condition))));
            let otherwise =
                decide.otherwise.iter().map(|level| of_level(level, Some("otherwise".to_owned())));
            outline.parts.extend(branches.chain(otherwise));
        }
        Kind::Task(_) | Kind::Call(_) | Kind::Read(_) | Kind::Wait(_) | Kind::Run(_) | Kind::Emit(_) => {}
    }
    outline
}

fn branch(branch: &Branch) -> Outline {
    let event = match &branch.event {
        BranchEvent::Fault(_) => "on fault".to_owned(),
        BranchEvent::Deadline => "on deadline".to_owned(),
        BranchEvent::Signal(name) => format!("on signal {name}"),
    };
    of_level(&branch.level, Some(event))
}

fn what(kind: &Kind) -> String {
    match kind {
        Kind::Sequence(_) => "sequence".to_owned(),
        Kind::Parallel(_) => "parallel".to_owned(),
        Kind::Any(any) => format!("{} of {}", any.needed, any.levels.len()),
        Kind::Race(_) => "race".to_owned(),
        Kind::ForEach(each) => format!("for each of {}", each.items),
        Kind::Loop(again) => format!("again while {}", again.condition),
        Kind::Task(task) => match (&task.group, &task.user) {
            (Some(group), _) => format!("task for {group}"),
            (None, Some(user)) => format!("task for the user {user}"),
            (None, None) => "task".to_owned(),
        },
        Kind::Call(call) => format!("calls {}", call.operation),
        Kind::Read(read) => format!("reads {}", read.records),
        Kind::Decide(_) => "decides".to_owned(),
        Kind::Wait(Wait::For(delay)) => format!("waits {delay}"),
        Kind::Wait(Wait::Until(local)) => format!("waits until {} in {}", local.date, local.zone),
        Kind::Wait(Wait::Signal(signal)) => format!("waits for signal {}", signal.name),
        Kind::Run(run) => format!("runs {}", run.template),
        Kind::Emit(emit) => format!("emits {}", emit.event),
    }
}
