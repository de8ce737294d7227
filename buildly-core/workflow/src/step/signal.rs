//! Signals: kept until somebody waits for them, each key once.

use serde_json::{Map, Value};

use super::machine::Machine;
use super::{Error, SIGNALS_MAX, VARIABLES_BYTES_MAX};
use crate::compiled::{Handled, Node, NodeKind, WaitFor};
use crate::run::{Activation, ActivationId, Event, KeptSignal, Phase, Then};

impl Machine<'_> {
    pub(super) fn signal(&mut self, name: String, dedup: String, payload: Value) -> Result<(), Error> {
        if self.state.signals_seen.contains(&dedup) {
            self.late("signal", None);
            return Ok(());
        }
        if self.state.values_bytes.saturating_add(crate::run::bytes(&payload)) > VARIABLES_BYTES_MAX {
            return Err(Error::Limited { what: "bytes of input and results", max: VARIABLES_BYTES_MAX });
        }
        let waiting =
            self.state.activations.values().find(|live| self.waits_for(live, &name)).map(|live| live.id);
        // The innermost level with a branch for it; it was entered last.
        let branch = self.state.activations.values().rev().find_map(|live| self.branch_for(live, &name));
        if waiting.is_none() && branch.is_none() {
            if self.state.signals.len() >= SIGNALS_MAX {
                return Err(Error::Limited {
                    what: "signals that nobody waits for",
                    max: SIGNALS_MAX as u64,
                });
            }
            self.record(Event::SignalCame { dedup, kept: Some(KeptSignal { name, payload }) });
            return Ok(());
        }
        self.record(Event::SignalCame { dedup, kept: None });
        match (waiting, branch) {
            (Some(activation), _) => self.complete(activation, payload),
            (None, Some((activation, branch))) => self.branch_off(activation, branch, payload),
            (None, None) => {}
        }
        Ok(())
    }

    /// The signal that a level waits for may have come before.
    pub(super) fn begin_wait_signal(&mut self, activation: ActivationId, name: &str) {
        self.move_to(activation, Phase::WaitingSignal);
        if let Some(payload) = self.take_kept(name) {
            self.complete(activation, payload);
        }
    }

    /// Signals that came before a level with branches for them began.
    pub(super) fn take_kept_signals(&mut self, activation: ActivationId, node: &Node) {
        for (branch, handler) in (0..).zip(&node.on) {
            let Handled::Signal(name) = &handler.event else { continue };
            while self.live(activation).is_some_and(|live| self.branch_for(live, name).is_some()) {
                let Some(payload) = self.take_kept(name) else { break };
                self.branch_off(activation, branch, payload);
            }
        }
    }

    fn take_kept(&mut self, name: &str) -> Option<Value> {
        let payload = self.state.signals.iter().find(|kept| kept.name == name)?.payload.clone();
        self.record(Event::SignalTaken { name: name.to_owned() });
        Some(payload)
    }

    fn branch_off(&mut self, activation: ActivationId, branch: u32, payload: Value) {
        let Some((_, node)) = self.look(activation) else { return };
        let mut given = Map::new();
        given.insert("signal".to_owned(), payload);
        if node.on.get(branch as usize).is_some_and(|handler| handler.interrupting) {
            self.cancel(activation, Then::Handle { branch, given });
        } else {
            self.begin_beside(activation, branch, given);
        }
    }

    fn waits_for(&self, live: &Activation, signal: &str) -> bool {
        let node = self.template.node(live.level);
        let is_named = node.is_some_and(
            |node| matches!(&node.kind, NodeKind::Wait(WaitFor::Signal { name, .. }) if name == signal),
        );
        live.phase == Phase::WaitingSignal && is_named
    }

    fn branch_for(&self, live: &Activation, signal: &str) -> Option<(ActivationId, u32)> {
        let is_under_way = match live.phase {
            Phase::Calling
            | Phase::Backoff { .. }
            | Phase::Waiting { .. }
            | Phase::WaitingSignal
            | Phase::Task { .. }
            | Phase::SubRun
            | Phase::Joining { .. }
            | Phase::Stuck { .. } => true,
            Phase::Linked
            | Phase::Ready
            | Phase::Handling { .. }
            | Phase::Draining { .. }
            | Phase::Cancelling { .. }
            | Phase::Undoing { .. } => false,
        };
        let node = self.template.node(live.level).filter(|_| is_under_way)?;
        let mut branches = (0..).zip(&node.on);
        let found =
            branches.find(|(_, handler)| matches!(&handler.event, Handled::Signal(name) if name == signal));
        found.map(|(branch, _)| (live.id, branch))
    }
}
