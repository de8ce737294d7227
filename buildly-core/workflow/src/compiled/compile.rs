//! Compiles a template: pre-order, compiled expressions and schemas, resolved names.

use std::collections::HashMap;

use super::{
    Compiled, Guard, Handled, Handler, Needed, Node, NodeKind, StartedBy, Target, WaitFor, links, names,
};
use crate::check::Finding;
use crate::run::LevelId;
use crate::template::{
    Actor, BOUND_MAX, BranchEvent, Call, Decide, EVENT_BYTES_MAX, ForEach, Kind, LEVEL_DEPTH_MAX, LEVELS_MAX,
    Level, Read, StartEvent, Task, Template, WINDOW_MAX, Wait,
};
use crate::{Expression, Schema};

/// Compiles a template into the form that runs.
///
/// # Errors
/// All findings at once: names, references inside the template, expressions, schemas, bounds.
/// What concerns the world outside, and whether every path can end, is [`check`](crate::check())'s.
pub fn compile(template: &Template) -> Result<Compiled, Vec<Finding>> {
    let mut root = Level::new(template.name.clone(), Kind::Sequence(Vec::new()));
    root.deadline = template.deadline;
    let mut compiler = Compiler { nodes: Vec::new(), findings: Vec::new(), names: HashMap::new() };
    let top = Stage { level: &root, branches: &template.on, kind: Shape::Sequence(&template.levels) };
    compiler.add(&top, None, 0);
    let input = template.input.as_ref().and_then(|schema| compiler.schema(&template.name, "input", schema));
    let starts = compiler.starts(template);
    let links = links::resolve(template, &mut compiler.nodes, &compiler.names, &mut compiler.findings);
    if compiler.findings.is_empty() {
        Ok(Compiled {
            name: template.name.clone(),
            hash: template.hash(),
            input,
            starts,
            unhandled: template.unhandled,
            nodes: compiler.nodes.into(),
            links,
            names: compiler.names,
        })
    } else {
        Err(compiler.findings)
    }
}

/// A level with its parts; the template itself is one whose parts stand elsewhere.
struct Stage<'a> {
    level: &'a Level,
    branches: &'a [crate::template::Branch],
    kind: Shape<'a>,
}

enum Shape<'a> {
    Sequence(&'a [Level]),
    Of(&'a Kind),
}

struct Compiler {
    nodes: Vec<Node>,
    findings: Vec<Finding>,
    names: HashMap<String, LevelId>,
}

impl Compiler {
    /// What starts a run; expressions there read `event` only, since there is no run yet.
    fn starts(&mut self, template: &Template) -> Box<[StartedBy]> {
        let mut starts = Vec::new();
        for StartEvent { event, when, input } in &template.starts {
            if event.is_empty() || event.len() > EVENT_BYTES_MAX || event.contains('\0') {
                let reason = format!("`{}` cannot be the name of an event", event.escape_debug());
                let mending = format!("use 1 to {EVENT_BYTES_MAX} bytes, without null characters");
                self.findings.push(Finding::error(&template.name, reason, mending));
            }
            let mut compiled = [when, input].map(|source| {
                let expression = self.expression(&template.name, source.as_ref()?)?;
                for read in expression.reads().iter().filter(|read| read.root != "event") {
                    let reason = format!("`{}` is not there before a run has begun", read.root);
                    self.findings.push(Finding::error(&template.name, reason, "read `event`"));
                }
                Some(expression)
            });
            let (when, input) = (compiled[0].take(), compiled[1].take());
            if let Some(got) =
                when.as_ref().and_then(Expression::known_type).filter(|got| *got != "true or false")
            {
                let reason = format!("`when` of the event `{event}` is {got}, but true or false is needed");
                self.findings.push(Finding::error(&template.name, reason, "correct the expression"));
            }
            starts.push(StartedBy { event: event.clone(), when, input });
        }
        starts.into()
    }

    fn level(&mut self, level: &Level, parent: LevelId, depth: usize) -> Option<LevelId> {
        let kind = match &level.kind {
            Kind::Sequence(levels) => Shape::Sequence(levels),
            kind => Shape::Of(kind),
        };
        self.add(&Stage { level, branches: &level.on, kind }, Some(parent), depth)
    }

    /// Adds a level and all below it; `None` if it is refused as a whole.
    fn add(&mut self, stage: &Stage<'_>, parent: Option<LevelId>, depth: usize) -> Option<LevelId> {
        let level = stage.level;
        let place = self.nodes.len();
        // A builder can make what the parser would refuse.
        if place > LEVELS_MAX || depth > LEVEL_DEPTH_MAX {
            if place <= LEVELS_MAX || self.findings.is_empty() {
                let mending = "move a part into a sub-workflow";
                self.findings.push(Finding::error(
                    &level.name,
                    "there are too many levels, or they stand too deep",
                    mending,
                ));
            }
            return None;
        }
        let id = LevelId(u16::try_from(place).unwrap_or(u16::MAX));
        names::claim(&mut self.names, &mut self.findings, &level.name, id);
        self.nodes.push(Node {
            name: level.name.clone(),
            id,
            parent,
            end: id.0 + 1,
            children: Box::default(),
            kind: NodeKind::Sequence,
            when: None,
            incoming: Box::default(),
            join: level.join,
            compensates: None,
            undo: None,
            actor: level.actor.clone(),
            retry: level.retry.clone(),
            timeout: level.timeout,
            deadline: level.deadline,
            on: Box::default(),
        });
        let when = level.when.as_ref().and_then(|source| self.expression(&level.name, source));
        let (kind, children) = match &stage.kind {
            Shape::Sequence(levels) => (Some(NodeKind::Sequence), self.levels(levels, id, depth)),
            Shape::Of(kind) => self.kind(level, kind, id, depth),
        };
        let on = stage.branches.iter().filter_map(|branch| {
            let event = match &branch.event {
                BranchEvent::Fault(filter) => Handled::Fault(filter.clone()),
                BranchEvent::Deadline => Handled::Deadline,
                BranchEvent::Signal(name) => Handled::Signal(name.clone()),
            };
            let interrupting = branch.interrupting || matches!(event, Handled::Fault(_));
            Some(Handler { event, interrupting, level: self.level(&branch.level, id, depth + 1)? })
        });
        let on: Box<[Handler]> = on.collect();
        if on.iter().any(|handler| matches!(handler.event, Handled::Deadline)) && level.deadline.is_none() {
            let reason = "a branch waits for the deadline, but there is none";
            self.findings.push(Finding::error(&level.name, reason, "add `deadline`"));
        }
        let end = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        if let (Some(node), Some(kind)) = (self.nodes.get_mut(place), kind) {
            (node.kind, node.children, node.when, node.on, node.end) = (kind, children.into(), when, on, end);
        }
        Some(id)
    }

    /// The levels of a stage. Compensations stand among them, but do not run in their order.
    fn levels(&mut self, levels: &[Level], parent: LevelId, depth: usize) -> Vec<LevelId> {
        let mut run = Vec::new();
        for level in levels {
            let id = self.level(level, parent, depth + 1);
            run.extend(id.filter(|_| level.compensates.is_none()));
        }
        run
    }

    fn kind(
        &mut self,
        level: &Level,
        kind: &Kind,
        id: LevelId,
        depth: usize,
    ) -> (Option<NodeKind>, Vec<LevelId>) {
        let name = level.name.as_str();
        let one =
            |compiler: &mut Self, level: &Level| compiler.levels(std::slice::from_ref(level), id, depth);
        match kind {
            Kind::Sequence(levels) => (Some(NodeKind::Sequence), self.levels(levels, id, depth)),
            Kind::Parallel(levels) => {
                (Some(NodeKind::Join { needed: Needed::All }), self.levels(levels, id, depth))
            }
            Kind::Race(levels) => {
                (Some(NodeKind::Join { needed: Needed::Some(1) }), self.levels(levels, id, depth))
            }
            Kind::Any(any) => {
                let needed = Needed::Some(any.needed);
                (Some(NodeKind::Join { needed }), self.levels(&any.levels, id, depth))
            }
            Kind::ForEach(each) => (self.for_each(name, each), one(self, &each.level)),
            Kind::Loop(repeated) => {
                self.bound(name, repeated.bound);
                let condition = self.expression(name, &repeated.condition);
                let kind = condition.map(|condition| NodeKind::Loop { condition, bound: repeated.bound });
                (kind, one(self, &repeated.level))
            }
            Kind::Decide(decide) => self.decide(name, decide, id, depth),
            Kind::Task(task) => (self.task(name, task), Vec::new()),
            Kind::Call(call) => (self.call(name, call), Vec::new()),
            Kind::Read(read) => (self.read(name, read), Vec::new()),
            Kind::Wait(wait) => (self.wait(name, wait), Vec::new()),
            Kind::Run(run) => {
                let (template, input) = (run.template.clone(), self.optional(name, run.input.as_ref()));
                (input.map(|input| NodeKind::Run { template, input }), Vec::new())
            }
            Kind::Emit(emit) => {
                let (event, payload) = (emit.event.clone(), self.optional(name, emit.payload.as_ref()));
                (payload.map(|payload| NodeKind::Emit { event, payload }), Vec::new())
            }
        }
    }

    fn for_each(&mut self, name: &str, each: &ForEach) -> Option<NodeKind> {
        self.bound(name, each.bound);
        if each.at_once == 0 || each.at_once > WINDOW_MAX {
            let reason = format!("`at_once` is {}", each.at_once);
            self.findings.push(Finding::error(name, reason, format!("choose 1 to {WINDOW_MAX}")));
        }
        let items = self.expression(name, &each.items)?;
        Some(NodeKind::ForEach { items, at_once: each.at_once, bound: each.bound })
    }

    fn decide(
        &mut self,
        name: &str,
        decide: &Decide,
        id: LevelId,
        depth: usize,
    ) -> (Option<NodeKind>, Vec<LevelId>) {
        let (mut guards, mut children) = (Vec::new(), Vec::new());
        for choice in &decide.branches {
            let condition = self.expression(name, &choice.condition);
            let level = self.level(&choice.level, id, depth + 1);
            if let (Some(condition), Some(level)) = (condition, level) {
                guards.push(Guard { condition, level });
                children.push(level);
            }
        }
        let otherwise = decide.otherwise.as_ref().and_then(|level| self.level(level, id, depth + 1));
        children.extend(otherwise);
        (Some(NodeKind::Decide { guards: guards.into(), otherwise }), children)
    }

    fn task(&mut self, name: &str, task: &Task) -> Option<NodeKind> {
        let form = task.form.as_ref().and_then(|schema| self.schema(name, "form", schema));
        let (user, show) = (self.optional(name, task.user.as_ref()), self.optional(name, task.show.as_ref()));
        Some(NodeKind::Task { group: task.group.clone(), user: user?, form, show: show? })
    }

    fn call(&mut self, name: &str, call: &Call) -> Option<NodeKind> {
        let parameters = self.parameters(name, call.parameters.iter());
        let body = self.optional(name, call.body.as_ref());
        let result = self.optional(name, call.result.as_ref());
        let target = Target::Operation(call.operation.clone());
        Some(NodeKind::Call { target, parameters, body: body?, result: result? })
    }

    fn read(&mut self, name: &str, read: &Read) -> Option<NodeKind> {
        let parameters = self.parameters(name, read.query.iter());
        let result = self.optional(name, read.result.as_ref());
        let target = Target::Records(read.records.clone());
        Some(NodeKind::Call { target, parameters, body: None, result: result? })
    }

    fn wait(&mut self, name: &str, wait: &Wait) -> Option<NodeKind> {
        Some(NodeKind::Wait(match wait {
            Wait::For(delay) => WaitFor::Delay(*delay),
            Wait::Until(local) => {
                if jiff::tz::TimeZone::get(&local.zone).is_err() {
                    let reason = format!("`{}` is no time zone", local.zone);
                    self.findings.push(Finding::error(
                        name,
                        reason,
                        "use an IANA name such as `Europe/Berlin`",
                    ));
                }
                WaitFor::Local { date: self.expression(name, &local.date)?, zone: local.zone.clone() }
            }
            Wait::Signal(signal) => {
                let default = self.optional(name, signal.default.as_ref())?;
                WaitFor::Signal { name: signal.name.clone(), default }
            }
        }))
    }

    fn parameters<'a>(
        &mut self,
        name: &str,
        sources: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Box<[(String, Expression)]> {
        sources.filter_map(|(key, source)| Some((key.clone(), self.expression(name, source)?))).collect()
    }

    /// `None` if there is a finding; `Some(None)` if there is no expression.
    fn optional(&mut self, name: &str, source: Option<&String>) -> Option<Option<Expression>> {
        match source {
            None => Some(None),
            Some(source) => self.expression(name, source).map(Some),
        }
    }

    fn expression(&mut self, name: &str, source: &str) -> Option<Expression> {
        let compiled = Expression::compile(source);
        compiled
            .map_err(|error| {
                let mending = "correct the expression (https://cel.dev)";
                self.findings.push(Finding::error(name, error.to_string(), mending));
            })
            .ok()
    }

    fn schema(&mut self, name: &str, field: &str, schema: &serde_json::Value) -> Option<Schema> {
        let compiled = Schema::compile(schema);
        compiled
            .map_err(|error| {
                let reason = format!("`{field}`: {error}");
                self.findings.push(Finding::error(
                    name,
                    reason,
                    "correct the schema (https://json-schema.org)",
                ));
            })
            .ok()
    }

    fn bound(&mut self, name: &str, bound: u32) {
        if bound == 0 || bound > BOUND_MAX {
            let mending = format!("choose 1 to {BOUND_MAX}");
            self.findings.push(Finding::error(name, format!("`bound` is {bound}"), mending));
        }
    }
}

/// Whether a level acts as somebody in particular.
pub(super) const fn is_account(actor: &Actor) -> bool {
    matches!(actor, Actor::Account(_))
}
