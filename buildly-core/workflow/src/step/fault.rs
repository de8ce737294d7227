//! Faults: they rise to the nearest level that catches them.

use serde_json::Map;

use super::machine::{Entry, Machine, Place};
use crate::compiled::{Handled, Needed, Node, NodeKind};
use crate::run::{ActivationId, End, Event, Fault, Phase, Role, State, Then};
use crate::template::Unhandled;

/// Who catches a fault.
enum Catcher {
    /// A branch of a level.
    Branch(ActivationId, u32),
    /// A stage that goes on without this part of it.
    Tolerated(ActivationId),
    /// Nobody.
    Nobody,
}

impl Machine<'_> {
    /// A level has failed.
    pub(super) fn fail(&mut self, activation: ActivationId, mut fault: Fault) {
        let Some((live, node)) = self.look(activation) else { return };
        if fault.level.is_empty() {
            fault.level.clone_from(&node.name);
        }
        let is_out = matches!(live.phase, Phase::Calling | Phase::SubRun);
        if let Role::Undo(_) = live.role {
            return self.stick(activation, fault);
        }
        match self.catcher(activation, &fault) {
            Catcher::Branch(level, branch) => {
                let mut given = Map::new();
                given.insert("fault".to_owned(), fault.to_value());
                self.cancel(level, Then::Handle { branch, given });
            }
            Catcher::Tolerated(part) => self.cancel(part, Then::Fail(fault)),
            Catcher::Nobody => match self.template.unhandled {
                Unhandled::Attention if is_leaf(node) && !is_out => self.stick(activation, fault),
                Unhandled::Attention => self.cancel(activation, Then::Stick(fault)),
                Unhandled::Undo => self.cancel(State::ROOT, Then::End(End::Failed { fault })),
            },
        }
    }

    /// Leaves a level to a person.
    pub(super) fn stick(&mut self, activation: ActivationId, mut fault: Fault) {
        if let Some((_, node)) = self.look(activation).filter(|_| fault.level.is_empty()) {
            fault.level.clone_from(&node.name);
        }
        self.release(activation);
        self.move_to(activation, Phase::Stuck { fault });
    }

    fn catcher(&self, activation: ActivationId, fault: &Fault) -> Catcher {
        let mut at = activation;
        loop {
            let Some((live, node)) = self.look(at) else { return Catcher::Nobody };
            // A branch does not catch its own faults, nor those of another branch in its place.
            if !matches!(live.phase, Phase::Handling { .. }) {
                let catches =
                    |handled: &Handled| matches!(handled, Handled::Fault(filter) if filter.catches(fault));
                let branch = (0..).zip(&node.on).find(|(_, handler)| catches(&handler.event));
                if let Some((branch, _)) = branch {
                    return Catcher::Branch(at, branch);
                }
            }
            let Some(parent) = live.parent else { return Catcher::Nobody };
            let tolerates =
                |(_, node): &(_, &Node)| matches!(node.kind, NodeKind::Join { needed: Needed::Some(_) });
            if live.role == Role::Body && self.look(parent).as_ref().is_some_and(tolerates) {
                return Catcher::Tolerated(at);
            }
            at = parent;
        }
    }

    /// Begins the branch that takes the place of a level.
    pub(super) fn handle(
        &mut self,
        activation: ActivationId,
        branch: u32,
        given: Map<String, serde_json::Value>,
    ) {
        let Some((live, node)) = self.look(activation) else { return };
        let Some(handler) = node.on.get(branch as usize) else { return };
        let around = live.scope;
        self.move_to(activation, Phase::Handling { branch });
        let place = Place::Opens(Some(around), given);
        let (level, parent) = (handler.level, Some(activation));
        self.enter(Entry { level, parent, index: branch, role: Role::Handler, place });
    }

    /// Begins a branch beside a level.
    pub(super) fn begin_beside(
        &mut self,
        activation: ActivationId,
        branch: u32,
        given: Map<String, serde_json::Value>,
    ) {
        let Some((live, node)) = self.look(activation) else { return };
        let Some(handler) = node.on.get(branch as usize) else { return };
        let place = Place::Opens(Some(live.scope), given);
        self.record(Event::Beside { activation, opened: true });
        let (level, parent) = (handler.level, Some(activation));
        self.enter(Entry { level, parent, index: branch, role: Role::Beside, place });
    }
}

/// Whether a level has no levels in it that could be live.
const fn is_leaf(node: &Node) -> bool {
    match node.kind {
        NodeKind::Task { .. }
        | NodeKind::Call { .. }
        | NodeKind::Wait(_)
        | NodeKind::Run { .. }
        | NodeKind::Emit { .. } => true,
        NodeKind::Sequence
        | NodeKind::Join { .. }
        | NodeKind::ForEach { .. }
        | NodeKind::Loop { .. }
        | NodeKind::Decide { .. } => false,
    }
}
