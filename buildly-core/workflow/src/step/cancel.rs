//! Cancelling: nothing new begins, calls in flight settle, what happened is undone in reverse
//! order of completion, then comes what was to follow.

use serde_json::Value;

use super::machine::{Entry, Machine, Place};
use crate::compiled::LinkId;
use crate::run::{
    ActivationId, Command, Doubt, Ended, Event, Fault, FaultKind, Part, Phase, Role, State, Then,
};

impl Machine<'_> {
    /// Cancels a level and all in it; `then` follows once it is settled and undone.
    pub(super) fn cancel(&mut self, activation: ActivationId, then: Then) {
        let Some((live, node)) = self.look(activation).filter(|(live, _)| !live.phase.is_ending()) else {
            return;
        };
        let (scope, beside, unsure) = (live.scope, live.beside, live.unsure);
        let is_calling = matches!(live.phase, Phase::Calling | Phase::SubRun);
        if live.phase == Phase::SubRun {
            self.commands.push(Command::CancelRun { activation });
        }
        let open = self.cancel_below(activation);
        if unsure && !is_calling {
            self.happened_in(activation, node, &Value::Null, true);
            self.record(Event::Doubted { activation, unsure: false });
        }
        (0..beside).for_each(|_| self.record(Event::Beside { activation, opened: false }));
        self.release(activation);
        let links: Vec<LinkId> = self
            .template
            .links_between(node.id.0.saturating_add(1), node.end)
            .map(|(link, _)| link)
            .collect();
        for link in links {
            let is_open = self.state.scopes.get(&scope).is_some_and(|scope| !scope.links.contains_key(&link));
            if is_open {
                self.carry_dead(scope, link);
            }
        }
        self.move_to(activation, Phase::Cancelling { then, is_calling, open });
        self.settle_if_done(activation);
    }

    /// Stops everything below a level; how much of it must still settle.
    fn cancel_below(&mut self, activation: ActivationId) -> u32 {
        let (mut open, mut dropped) = (0, Vec::new());
        for below in self.below(activation) {
            let Some((live, node)) = self.look(below) else { continue };
            match &live.phase {
                // A compensation that has begun goes on: the same key must come to its end.
                _ if matches!(live.role, Role::Undo(_)) => {
                    self.record(Event::Attached { activation: below, parent: activation });
                    open += 1;
                }
                Phase::Calling | Phase::SubRun | Phase::Cancelling { is_calling: true, .. } => {
                    if live.phase == Phase::SubRun {
                        self.commands.push(Command::CancelRun { activation: below });
                    }
                    self.release(below);
                    let then = Then::Drop;
                    self.move_to(below, Phase::Cancelling { then, is_calling: true, open: 0 });
                    self.record(Event::Attached { activation: below, parent: activation });
                    open += 1;
                }
                _ => {
                    if live.unsure {
                        self.happened_in(below, node, &Value::Null, true);
                    }
                    dropped.push(below);
                }
            }
        }
        dropped.into_iter().for_each(|below| self.end(below, Ended::Dropped));
        open
    }

    /// What is live below a level, the innermost first.
    fn below(&self, activation: ActivationId) -> Vec<ActivationId> {
        let mut inside = std::collections::BTreeSet::from([activation]);
        // INVARIANT: a part has a higher number than what it is in, so one pass finds all.
        for live in self.state.activations.values() {
            if live.parent.is_some_and(|parent| inside.contains(&parent)) {
                inside.insert(live.id);
            }
        }
        inside.remove(&activation);
        inside.into_iter().rev().collect()
    }

    fn carry_dead(&mut self, scope: ActivationId, link: LinkId) {
        // Whoever waits for it is in the same scope: it may be outside of what is cancelled.
        let source = self.template.links.get(usize::from(link)).map(|link| link.source);
        if let Some(source) = source {
            self.kill(source, scope);
        }
    }

    pub(super) fn settle_if_done(&mut self, activation: ActivationId) {
        let is_done = self
            .live(activation)
            .is_some_and(|live| matches!(live.phase, Phase::Cancelling { is_calling: false, open: 0, .. }));
        if is_done {
            self.record(Event::Settled { activation });
            self.undo_next(activation);
        }
    }

    /// Undoes the last completion in a scope that is not undone yet; if there is none, goes on.
    fn undo_next(&mut self, activation: ActivationId) {
        let Some(Phase::Undoing { then }) = self.live(activation).map(|live| live.phase.clone()) else {
            return;
        };
        let is_at_it = self
            .state
            .activations
            .values()
            .any(|live| live.parent == Some(activation) && matches!(live.role, Role::Undo(_)));
        if is_at_it {
            return;
        }
        let last =
            self.state.undo.iter().rev().find(|(_, undo)| !undo.begun && undo.path.contains(&activation));
        match last.map(|(number, _)| *number) {
            Some(number) => self.begin_undo(activation, number),
            None => self.follow(activation, then),
        }
    }

    /// Enters the compensation of a completion, with a key of its own.
    pub(super) fn begin_undo(&mut self, parent: ActivationId, number: u64) {
        let Some(undo) = self.state.undo.get(&number).cloned() else { return };
        self.record(Event::UndoBegun { number });
        let (role, place) = (Role::Undo(number), Place::In(State::ROOT));
        let entry = Entry { level: undo.level, parent: Some(parent), index: 0, role, place };
        let activation = self.enter(entry);
        match undo.request {
            Ok(request) => self.record(Event::Requested { activation, request }),
            Err(reason) => {
                let message =
                    format!("the compensation's request could not be made when it was due: {reason}");
                self.stick(activation, Fault::new(FaultKind::Expression, message));
            }
        }
    }

    /// Undoes what turned out to have happened after its compensation, beside all else.
    pub(super) fn begin_late_undo(&mut self, number: u64) {
        // A root that is being undone comes to it by itself.
        if self.live(State::ROOT).is_some_and(|root| !root.phase.is_ending()) {
            self.record(Event::Beside { activation: State::ROOT, opened: true });
            self.begin_undo(State::ROOT, number);
        }
    }

    /// A compensation has succeeded.
    pub(super) fn undone(&mut self, parent: ActivationId, number: u64) {
        let doubtful = self.state.undo.get(&number).filter(|undo| undo.unsure);
        let doubt = doubtful
            .map(|undo| (undo.activation, Doubt { level: undo.level, request: undo.request.clone() }));
        self.record(Event::Undone { number, by_us: true, doubt });
        self.undo_ended(parent);
    }

    /// The parent of a compensation that has ended, or was given up, goes on.
    pub(super) fn undo_ended(&mut self, parent: ActivationId) {
        match self.live(parent).map(|live| &live.phase) {
            Some(Phase::Undoing { .. }) => self.undo_next(parent),
            Some(Phase::Cancelling { .. }) => {
                self.record(Event::Counted { activation: parent, index: 0, part: Part::Settled });
                self.settle_if_done(parent);
            }
            Some(_) => {
                self.record(Event::Beside { activation: parent, opened: false });
                self.drained(parent);
            }
            None => {}
        }
    }

    /// What was to follow the cancelling.
    fn follow(&mut self, activation: ActivationId, then: Then) {
        let Some(live) = self.live(activation) else { return };
        let (level, scope, parent, role, index) =
            (live.level, live.scope, live.parent, live.role, live.index);
        let around = if scope == activation { None } else { Some(scope) };
        match then {
            Then::Drop | Then::Forget => {
                self.end(activation, Ended::Dropped);
                self.kill_around(level, around);
                self.part_ended(parent, role, index, Part::Settled, Value::Null);
            }
            Then::Handle { branch, given } => self.handle(activation, branch, given),
            Then::Reenter => {
                let place = match around {
                    Some(scope) => Place::In(scope),
                    None => {
                        let own = self.state.scopes.get(&scope).cloned().unwrap_or_default();
                        Place::Opens(own.parent, own.given)
                    }
                };
                self.end(activation, Ended::Dropped);
                self.reopen_links(level, around);
                self.enter(Entry { level, parent, index, role, place });
            }
            Then::Fail(fault) => {
                self.end(activation, Ended::Failed { fault });
                self.kill_around(level, around);
                self.part_ended(parent, role, index, Part::Failed, Value::Null);
            }
            Then::Stick(fault) => self.move_to(activation, Phase::Stuck { fault }),
            Then::End(end) => self.record(Event::Finished { end }),
        }
    }

    fn kill_around(&mut self, level: crate::run::LevelId, scope: Option<ActivationId>) {
        if let Some(scope) = scope {
            self.kill(level, scope);
        }
    }

    /// A level that begins anew decides its links anew.
    fn reopen_links(&mut self, level: crate::run::LevelId, scope: Option<ActivationId>) {
        let (Some(scope), Some(node)) = (scope, self.template.node(level)) else { return };
        let links: Vec<LinkId> =
            self.template.links_between(level.0, node.end).map(|(link, _)| link).collect();
        for link in links {
            let is_decided =
                self.state.scopes.get(&scope).is_some_and(|scope| scope.links.contains_key(&link));
            if is_decided {
                self.record(Event::Linked { scope, link, alive: None });
            }
        }
    }
}
