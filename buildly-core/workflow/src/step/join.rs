//! What the end of a part means for the stage around it.

use serde_json::Value;

use super::machine::{Machine, Place};
use crate::compiled::{Needed, Node, NodeKind};
use crate::run::{ActivationId, End, Ended, Event, Fault, FaultKind, Part, Phase, Role, Then};

/// What is decided about a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Enough are done.
    Go,
    /// There cannot be enough any more.
    Fail,
    /// More must be known.
    Wait,
}

/// The one decision about parallel levels, n of m, races and links: `needed` of the parts must
/// be done; `None` means all that are not dead, and that none has failed.
pub(crate) const fn decided(done: u32, failed: u32, dead: u32, open: u32, needed: Option<u32>) -> Verdict {
    let _ = dead; // a dead part counts for neither side
    match needed {
        None if failed > 0 => Verdict::Fail,
        None if open == 0 => Verdict::Go,
        None => Verdict::Wait,
        Some(needed) if done >= needed => Verdict::Go,
        Some(needed) if done + open < needed => Verdict::Fail,
        Some(_) => Verdict::Wait,
    }
}

impl Machine<'_> {
    /// A level has done its work. If branches beside it are open, it waits for them.
    pub(super) fn complete(&mut self, activation: ActivationId, result: Value) {
        let Some((live, node)) = self.look(activation) else { return };
        let (level, scope, parent, role, index) =
            (live.level, live.scope, live.parent, live.role, live.index);
        let (is_drained, waits) = (matches!(live.phase, Phase::Draining { .. }), live.beside > 0);
        if let (Some(undo), false) = (node.undo, is_drained || matches!(role, Role::Undo(_))) {
            self.happened(activation, undo, &result, false);
        }
        if waits {
            self.release(activation);
            return self.move_to(activation, Phase::Draining { result });
        }
        self.end(activation, Ended::Done { result: result.clone() });
        if parent.is_none() {
            return self.record(Event::Finished { end: End::Completed { result } });
        }
        if matches!(role, Role::Body) {
            let around = if scope == activation { self.scope_around(parent) } else { scope };
            self.carry_all(level, around);
        }
        self.part_ended(parent, role, index, Part::Done(None), result);
    }

    fn scope_around(&self, parent: Option<ActivationId>) -> ActivationId {
        parent.and_then(|parent| self.live(parent)).map_or(crate::run::State::ROOT, |parent| parent.scope)
    }

    /// A part has ended; its parent goes on.
    pub(super) fn part_ended(
        &mut self,
        parent: Option<ActivationId>,
        role: Role,
        index: u32,
        part: Part,
        result: Value,
    ) {
        let Some((parent, (live, node))) = parent.and_then(|parent| Some((parent, self.look(parent)?)))
        else {
            return;
        };
        match role {
            Role::Body => {
                let keeps = live.each.is_some() && matches!(part, Part::Done(_));
                let counted = if keeps { Part::Done(Some(result.clone())) } else { part };
                self.record(Event::Counted { activation: parent, index, part: counted });
                self.go_on(parent, node, index, result);
            }
            Role::Handler => self.complete(parent, result),
            Role::Beside => {
                self.record(Event::Beside { activation: parent, opened: false });
                self.drained(parent);
            }
            Role::Undo(number) => self.undone(parent, number),
        }
    }

    /// Completes a level that only waited for branches beside it.
    pub(super) fn drained(&mut self, activation: ActivationId) {
        let Some(live) = self.live(activation).filter(|live| live.beside == 0) else { return };
        if let Phase::Draining { result } = &live.phase {
            let result = result.clone();
            self.complete(activation, result);
        }
    }

    fn go_on(&mut self, stage: ActivationId, node: &Node, index: u32, result: Value) {
        let Some(live) = self.live(stage) else { return };
        let scope = live.scope;
        let (done, failed, dead, open) = match live.phase {
            Phase::Joining { done, failed, dead, open } => (done, failed, dead, open),
            Phase::Cancelling { .. } => return self.settle_if_done(stage),
            _ => return,
        };
        match &node.kind {
            NodeKind::Sequence => match node.children.get(index as usize + 1) {
                Some(next) => self.open_part(stage, *next, index + 1, Place::In(scope)),
                None => self.complete(stage, result),
            },
            NodeKind::Join { needed } => {
                let needed = match needed {
                    Needed::All => None,
                    Needed::Some(needed) => Some(*needed),
                };
                match decided(done, failed, dead, open, needed) {
                    Verdict::Go => self.enough(stage, open),
                    Verdict::Fail => {
                        let message =
                            format!("{done} of {} parts completed, which is too few", node.children.len());
                        self.fail(stage, Fault::new(FaultKind::Join, message));
                    }
                    Verdict::Wait => {}
                }
            }
            NodeKind::ForEach { .. } => self.fill_window(stage, node),
            NodeKind::Loop { condition, bound } => {
                self.next_round(stage, node, condition, *bound, (index, result))
            }
            NodeKind::Decide { .. } => self.complete(stage, result),
            NodeKind::Task { .. }
            | NodeKind::Call { .. }
            | NodeKind::Wait(_)
            | NodeKind::Run { .. }
            | NodeKind::Emit { .. } => {}
        }
    }

    /// Enough parts are done: what is still open settles and is undone, then the stage completes.
    fn enough(&mut self, stage: ActivationId, open: u32) {
        if open == 0 {
            return self.complete(stage, Value::Null);
        }
        let parts =
            self.state.activations.values().filter(|live| {
                live.parent == Some(stage) && live.role == Role::Body && !live.phase.is_ending()
            });
        let losers: Vec<ActivationId> = parts.map(|live| live.id).collect();
        losers.into_iter().for_each(|loser| self.cancel(loser, Then::Forget));
    }

    fn next_round(
        &mut self,
        stage: ActivationId,
        node: &Node,
        condition: &crate::Expression,
        bound: u32,
        (round, last): (u32, Value),
    ) {
        let Some(scope) = self.live(stage).map(|live| live.scope) else { return };
        let mut sight = self.sight(scope);
        sight.extra.insert("last".to_owned(), last.clone());
        sight.extra.insert("index".to_owned(), round.into());
        match condition.evaluate_bool(&sight).map_err(super::request::expression_fault) {
            Ok(false) => self.complete(stage, last),
            Ok(true) if round + 1 >= bound => {
                let message =
                    format!("after {bound} rounds there should be another: raise `bound` or end sooner");
                self.fail(stage, Fault::new(FaultKind::Limit, message));
            }
            Ok(true) => self.begin_round(stage, node, round + 1, last),
            Err(fault) => self.fail(stage, fault),
        }
    }
}
