//! The flat form of a template that runs: levels in pre-order, expressions compiled.

mod compile;
mod links;
mod names;

use std::collections::HashMap;

use crate::run::LevelId;
use crate::template::{Actor, Delay, FaultFilter, LinkJoin, Retry, TemplateHash, Unhandled};
use crate::{Expression, Schema};

pub use compile::compile;

/// A compiled template; made once for each hash.
#[derive(Debug)]
pub struct Compiled {
    /// The template's name.
    pub name: String,
    /// The hash of what it does.
    pub hash: TemplateHash,
    /// What a run's input must satisfy.
    pub input: Option<Schema>,
    /// The events that start a run.
    pub starts: Box<[StartedBy]>,
    /// What a fault does that nobody catches.
    pub unhandled: Unhandled,
    /// All levels, in pre-order; the first is the root.
    pub nodes: Box<[Node]>,
    /// All links, ordered by the level that they come from.
    pub links: Box<[Link]>,
    names: HashMap<String, LevelId>,
}

/// An event that starts a run.
#[derive(Debug)]
pub struct StartedBy {
    /// Its name.
    pub event: String,
    /// Whether it does.
    pub when: Option<Expression>,
    /// What the run is given.
    pub input: Option<Expression>,
}

/// One level.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its place.
    pub id: LevelId,
    /// The level around it.
    pub parent: Option<LevelId>,
    /// Where its subtree ends in the pre-order, exclusive.
    pub end: u16,
    /// The levels that run in it, in order; branches and compensations are not among them.
    pub children: Box<[LevelId]>,
    /// What it does.
    pub kind: NodeKind,
    /// Whether it runs at all.
    pub when: Option<Expression>,
    /// The links that lead to it (indices into [`Compiled::links`]).
    pub incoming: Box<[LinkId]>,
    /// What it makes of them.
    pub join: LinkJoin,
    /// The level that it undoes, if it is a compensation.
    pub compensates: Option<LevelId>,
    /// The level that undoes it.
    pub undo: Option<LevelId>,
    /// As whom it acts.
    pub actor: Actor,
    /// How attempts are repeated.
    pub retry: Option<Retry>,
    /// How long an attempt may take.
    pub timeout: Option<Delay>,
    /// How long the level may take.
    pub deadline: Option<Delay>,
    /// What catches what happens to it.
    pub on: Box<[Handler]>,
}

/// A link's place in the compiled template.
pub type LinkId = u16;

/// A link: one level waits for another to end, wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The level that must have ended.
    pub source: LevelId,
    /// The level that waits.
    pub target: LevelId,
}

/// A branch that takes over or runs beside.
#[derive(Debug)]
pub struct Handler {
    /// What must happen.
    pub event: Handled,
    /// Whether the level is stopped and undone first.
    pub interrupting: bool,
    /// What is done.
    pub level: LevelId,
}

/// What a branch handles.
#[derive(Debug)]
pub enum Handled {
    /// A fault.
    Fault(FaultFilter),
    /// The deadline.
    Deadline,
    /// A signal, by name.
    Signal(String),
}

/// How many parts of a stage must complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// All that are not skipped; the first failure fails the stage.
    All,
    /// So many; failures are tolerated, and what is left over is stopped and undone.
    Some(u32),
}

/// A condition of a decision and the level it leads to.
#[derive(Debug)]
pub struct Guard {
    /// The condition.
    pub condition: Expression,
    /// The level.
    pub level: LevelId,
}

/// What a call or a read is aimed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `service.operationId`.
    Operation(String),
    /// `service.record_type`.
    Records(String),
}

/// What is waited for.
#[derive(Debug)]
pub enum WaitFor {
    /// Time.
    Delay(Delay),
    /// The clock of a place.
    Local {
        /// The date.
        date: Expression,
        /// The IANA zone.
        zone: String,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
        /// The result once the deadline has passed.
        default: Option<Expression>,
    },
}

/// What a level does, compiled.
#[derive(Debug)]
pub enum NodeKind {
    /// One after the other.
    Sequence,
    /// At the same time.
    Join {
        /// How many must complete.
        needed: Needed,
    },
    /// For each item.
    ForEach {
        /// The items.
        items: Expression,
        /// The window.
        at_once: u32,
        /// The most items.
        bound: u32,
    },
    /// Again and again.
    Loop {
        /// Whether there is another round.
        condition: Expression,
        /// The most rounds.
        bound: u32,
    },
    /// A person's work.
    Task {
        /// Which group may.
        group: Option<String>,
        /// Which user shall.
        user: Option<Expression>,
        /// What is filled in.
        form: Option<Schema>,
        /// What is shown.
        show: Option<Expression>,
    },
    /// A service or the mesh.
    Call {
        /// What it is aimed at.
        target: Target,
        /// By name.
        parameters: Box<[(String, Expression)]>,
        /// The body.
        body: Option<Expression>,
        /// The level's result, over `answer`.
        result: Option<Expression>,
    },
    /// A choice.
    Decide {
        /// The conditions, in order.
        guards: Box<[Guard]>,
        /// What is done if none is true.
        otherwise: Option<LevelId>,
    },
    /// A pause.
    Wait(WaitFor),
    /// Another template.
    Run {
        /// Its name.
        template: String,
        /// What it is given.
        input: Option<Expression>,
    },
    /// A fact.
    Emit {
        /// What happened.
        event: String,
        /// The facts.
        payload: Option<Expression>,
    },
}

impl Compiled {
    /// A level by its place.
    #[must_use]
    pub fn node(&self, level: LevelId) -> Option<&Node> {
        self.nodes.get(usize::from(level.0))
    }

    /// A level by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Node> {
        self.names.get(name).and_then(|level| self.node(*level))
    }

    /// A level's name, for people.
    #[must_use]
    pub fn name_of(&self, level: LevelId) -> &str {
        self.node(level).map_or("?", |node| node.name.as_str())
    }

    /// The links that come from a level.
    pub(crate) fn links_from(&self, level: LevelId) -> impl Iterator<Item = (LinkId, Link)> + '_ {
        self.links_between(level.0, level.0.saturating_add(1))
    }

    /// The links that come from the levels of a stretch of the pre-order.
    pub(crate) fn links_between(&self, from: u16, end: u16) -> impl Iterator<Item = (LinkId, Link)> + '_ {
        let first = self.links.partition_point(|link| link.source.0 < from);
        let stretch =
            self.links.iter().enumerate().skip(first).take_while(move |(_, link)| link.source.0 < end);
        stretch.filter_map(|(place, link)| Some((u16::try_from(place).ok()?, *link)))
    }

    /// Every expression of a level, with what its value must be.
    pub(crate) fn expressions(node: &Node) -> Vec<(&Expression, &'static str)> {
        const ANY: &str = "";
        let mut all: Vec<(&Expression, &'static str)> =
            node.when.iter().map(|it| (it, "true or false")).collect();
        match &node.kind {
            NodeKind::Sequence | NodeKind::Join { .. } | NodeKind::Wait(WaitFor::Delay(_)) => {}
            NodeKind::ForEach { items, .. } => all.push((items, "a list")),
            NodeKind::Loop { condition, .. } => all.push((condition, "true or false")),
            NodeKind::Task { user, show, .. } => {
                all.extend(user.iter().map(|it| (it, "a text")));
                all.extend(show.iter().map(|it| (it, ANY)));
            }
            NodeKind::Call { parameters, body, result, .. } => {
                all.extend(parameters.iter().map(|(_, it)| (it, ANY)));
                all.extend(body.iter().chain(result).map(|it| (it, ANY)));
            }
            NodeKind::Decide { guards, .. } => {
                all.extend(guards.iter().map(|guard| (&guard.condition, "true or false")));
            }
            NodeKind::Wait(WaitFor::Local { date, .. }) => all.push((date, "a text")),
            NodeKind::Wait(WaitFor::Signal { default, .. }) => all.extend(default.iter().map(|it| (it, ANY))),
            NodeKind::Run { input: it, .. } | NodeKind::Emit { payload: it, .. } => {
                all.extend(it.iter().map(|it| (it, ANY)));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
