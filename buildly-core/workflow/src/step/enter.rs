//! Begins levels: what each kind does first.

use serde_json::{Map, Value};

use super::join::{self, Verdict};
use super::machine::{Entry, Machine, Place};
use super::{Error, VARIABLES_BYTES_MAX};
use crate::compiled::{Guard, LinkId, Node, NodeKind};
use crate::run::{
    ActivationId, Command, Ended, Event, Fault, FaultKind, LevelId, Part, Phase, Role, Start, State,
};
use crate::template::LinkJoin;

impl Machine<'_> {
    pub(super) fn start(&mut self, start: Start) -> Result<(), Error> {
        if self.state.run.is_some() {
            return Err(self.refuse("start", "it has begun already"));
        }
        if let Some(schema) = &self.template.input {
            schema.check(&start.input, "input").map_err(Error::Invalid)?;
        }
        if crate::run::bytes(&start.input) > VARIABLES_BYTES_MAX {
            return Err(Error::Limited { what: "bytes of input and results", max: VARIABLES_BYTES_MAX });
        }
        self.record(Event::Started { start, at: self.now });
        let place = Place::Opens(None, Map::new());
        self.enter(Entry { level: LevelId(0), parent: None, index: 0, role: Role::Body, place });
        Ok(())
    }

    /// Begins a level that is ready, or makes the next attempt of its call.
    pub(super) fn begin(&mut self, activation: ActivationId) {
        let Some((live, node)) = self.look(activation) else { return };
        if live.request.is_some() {
            return self.attempt(activation);
        }
        let scope = live.scope;
        if self.links_verdict(activation) == Verdict::Fail {
            return self.skip(activation);
        }
        if self.state.values_bytes > VARIABLES_BYTES_MAX {
            let message =
                format!("input and results take more than {VARIABLES_BYTES_MAX} bytes: keep less of them");
            return self.fail(activation, Fault::new(FaultKind::Limit, message));
        }
        match node.when.as_ref().map_or(Ok(true), |when| self.truth(when, scope)) {
            Ok(true) => {}
            Ok(false) => return self.skip(activation),
            Err(fault) => return self.fail(activation, fault),
        }
        if let Some(deadline) = node.deadline {
            self.set_deadline(activation, Some(self.now.after(deadline.duration())));
        }
        if let Err(fault) = self.begin_kind(activation, node, scope) {
            self.fail(activation, fault);
        }
        self.take_kept_signals(activation, node);
    }

    fn begin_kind(
        &mut self,
        activation: ActivationId,
        node: &Node,
        scope: ActivationId,
    ) -> Result<(), Fault> {
        match &node.kind {
            NodeKind::Sequence => {
                self.begin_parts(activation, node.children.get(..1).unwrap_or_default(), scope)
            }
            NodeKind::Join { .. } => self.begin_parts(activation, &node.children, scope),
            NodeKind::ForEach { items, bound, .. } => {
                let items =
                    items.evaluate_list(&self.sight(scope)).map_err(super::request::expression_fault)?;
                if items.len() > *bound as usize {
                    let message = format!("there are {} items, at most {bound} are allowed", items.len());
                    return Err(Fault::new(FaultKind::Limit, message));
                }
                self.move_to(activation, Phase::Joining { done: 0, failed: 0, dead: 0, open: 0 });
                self.record(Event::Spread { activation, items });
                self.fill_window(activation, node);
            }
            NodeKind::Loop { .. } => {
                self.move_to(activation, Phase::Joining { done: 0, failed: 0, dead: 0, open: 0 });
                self.begin_round(activation, node, 0, Value::Null);
            }
            NodeKind::Decide { guards, otherwise } => self.decide(activation, guards, *otherwise, scope)?,
            NodeKind::Task { .. } => self.open_task(activation, node, scope)?,
            NodeKind::Call { .. } => self.call(activation, node, scope)?,
            NodeKind::Wait(wait) => self.begin_wait(activation, wait, scope)?,
            NodeKind::Run { template, input } => {
                let input =
                    input.as_ref().map(|input| self.value(input, scope)).transpose()?.unwrap_or_default();
                self.move_to(activation, Phase::SubRun);
                let (key, template) = (self.state.key(activation), template.clone());
                self.commands.push(Command::StartRun { activation, key, template, input });
            }
            NodeKind::Emit { event, payload } => {
                let payload =
                    payload.as_ref().map(|it| self.value(it, scope)).transpose()?.unwrap_or_default();
                self.record(Event::Emitted {
                    level: node.id,
                    event: event.clone(),
                    payload: payload.clone(),
                });
                self.complete(activation, payload);
            }
        }
        Ok(())
    }

    fn begin_parts(&mut self, activation: ActivationId, parts: &[LevelId], scope: ActivationId) {
        if parts.is_empty() {
            return self.complete(activation, Value::Null);
        }
        self.move_to(activation, Phase::Joining { done: 0, failed: 0, dead: 0, open: 0 });
        // All are opened before any begins: a join must not be decided on half of its parts.
        for _ in parts {
            self.record(Event::Opened { activation });
        }
        for (index, level) in (0..).zip(parts) {
            // Dead links of the first parts can already have decided that there cannot be enough.
            if !self.live(activation).is_some_and(|live| matches!(live.phase, Phase::Joining { .. })) {
                return;
            }
            let (parent, place) = (Some(activation), Place::In(scope));
            self.enter(Entry { level: *level, parent, index, role: Role::Body, place });
        }
    }

    fn decide(
        &mut self,
        activation: ActivationId,
        guards: &[Guard],
        otherwise: Option<LevelId>,
        scope: ActivationId,
    ) -> Result<(), Fault> {
        let mut chosen = None;
        for guard in guards {
            if self.truth(&guard.condition, scope)? {
                chosen = Some(guard.level);
                break;
            }
        }
        let chosen = chosen.or(otherwise);
        for level in guards.iter().map(|guard| guard.level).chain(otherwise) {
            if Some(level) != chosen {
                self.kill(level, scope);
            }
        }
        match chosen {
            Some(level) => self.begin_parts(activation, &[level], scope),
            None => self.complete(activation, Value::Null),
        }
        Ok(())
    }

    /// Opens items until the window is full.
    pub(super) fn fill_window(&mut self, activation: ActivationId, node: &Node) {
        let NodeKind::ForEach { at_once, .. } = &node.kind else { return };
        let body = node.children.first().copied();
        loop {
            let Some(live) = self.live(activation) else { return };
            let (Phase::Joining { open, .. }, Some(each), scope) = (&live.phase, &live.each, live.scope)
            else {
                return;
            };
            let Some((item, body)) = each.items.get(each.next as usize).cloned().zip(body) else {
                if *open == 0 {
                    let results = each.results.clone();
                    self.complete(activation, Value::Array(results));
                }
                return;
            };
            if open >= at_once {
                return;
            }
            let index = each.next;
            let mut given = Map::new();
            given.insert("item".to_owned(), item);
            given.insert("index".to_owned(), index.into());
            self.open_part(activation, body, index, Place::Opens(Some(scope), given));
        }
    }

    pub(super) fn begin_round(&mut self, activation: ActivationId, node: &Node, round: u32, last: Value) {
        let Some((body, live)) = node.children.first().copied().zip(self.live(activation)) else {
            return self.complete(activation, Value::Null);
        };
        let mut given = Map::new();
        given.insert("last".to_owned(), last);
        given.insert("index".to_owned(), round.into());
        let place = Place::Opens(Some(live.scope), given);
        self.open_part(activation, body, round, place);
    }

    /// Ends a level that will not run.
    pub(super) fn skip(&mut self, activation: ActivationId) {
        let Some(live) = self.live(activation) else { return };
        let (level, scope, parent, role, index) =
            (live.level, live.scope, live.parent, live.role, live.index);
        self.end(activation, Ended::Skipped);
        self.kill(level, scope);
        self.part_ended(parent, role, index, Part::Dead, Value::Null);
    }

    /// Marks the links from a level and all below it as dead, where they are not decided.
    pub(super) fn kill(&mut self, level: LevelId, scope: ActivationId) {
        let Some(node) = self.template.node(level) else { return };
        let links: Vec<LinkId> =
            self.template.links_between(level.0, node.end).map(|(link, _)| link).collect();
        links.into_iter().for_each(|link| self.carry(scope, link, false));
    }

    /// Marks the links from a level as alive.
    pub(super) fn carry_all(&mut self, level: LevelId, scope: ActivationId) {
        let links: Vec<LinkId> = self.template.links_from(level).map(|(link, _)| link).collect();
        links.into_iter().for_each(|link| self.carry(scope, link, true));
    }

    fn carry(&mut self, scope: ActivationId, link: LinkId, alive: bool) {
        let is_open = self.state.scopes.get(&scope).is_some_and(|scope| !scope.links.contains_key(&link));
        if !is_open {
            return;
        }
        self.record(Event::Linked { scope, link, alive: Some(alive) });
        let target = self.template.links.get(usize::from(link)).map(|link| link.target);
        let waiting =
            self.state.activations.values().find(|live| {
                live.phase == Phase::Linked && live.scope == scope && Some(live.level) == target
            });
        if let Some(waiting) = waiting.map(|live| live.id) {
            self.follow_links(waiting);
        }
    }

    /// Makes a level ready whose links are decided. One that will not run is skipped when it is
    /// its turn, not here: a long chain of dead levels must not nest as deep as it is long.
    pub(super) fn follow_links(&mut self, activation: ActivationId) {
        match self.links_verdict(activation) {
            Verdict::Go | Verdict::Fail => self.move_to(activation, Phase::Ready),
            Verdict::Wait => {}
        }
    }

    fn links_verdict(&self, activation: ActivationId) -> Verdict {
        let Some((live, node)) = self.look(activation) else { return Verdict::Wait };
        if node.incoming.is_empty() {
            return Verdict::Go;
        }
        // A level in a scope of its own waits for levels of the scope around it.
        let around = self.link_scope(live.scope, activation);
        let decided = self.state.scopes.get(&around).map(|scope| &scope.links);
        let (mut done, mut dead, mut open) = (0, 0, 0);
        for link in &node.incoming {
            match decided.and_then(|links| links.get(link)) {
                Some(true) => done += 1,
                Some(false) => dead += 1,
                None => open += 1,
            }
        }
        let needed = match node.join {
            LinkJoin::All => done + dead + open,
            LinkJoin::Any => 1,
        };
        join::decided(done, 0, dead, open, Some(needed))
    }

    fn link_scope(&self, scope: ActivationId, activation: ActivationId) -> ActivationId {
        if scope != activation {
            return scope;
        }
        self.state.scopes.get(&scope).and_then(|scope| scope.parent).unwrap_or(State::ROOT)
    }
}
