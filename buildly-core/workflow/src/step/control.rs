//! What people do to a run as a whole: cancel, pause, resume, retry, skip, set variables.

use serde_json::{Map, Value};

use super::machine::Machine;
use super::{Error, VARIABLES_BYTES_MAX};
use crate::run::{ActivationId, End, Ended, Event, Phase, Role, State, Then};

impl Machine<'_> {
    pub(super) fn cancel_run(&mut self, reason: String) -> Result<(), Error> {
        let end = End::Cancelled { reason };
        let phase = self.live(State::ROOT).map(|root| root.phase.clone());
        match phase {
            Some(Phase::Cancelling { then: Then::End(_), .. } | Phase::Undoing { then: Then::End(_) }) => {
                return Err(self.refuse("cancel", "it is ending already"));
            }
            // It is being stopped for a branch: that branch will not begin.
            Some(Phase::Cancelling { is_calling, open, .. }) => {
                self.move_to(State::ROOT, Phase::Cancelling { then: Then::End(end), is_calling, open });
            }
            Some(Phase::Undoing { .. }) => self.move_to(State::ROOT, Phase::Undoing { then: Then::End(end) }),
            Some(_) | None => self.cancel(State::ROOT, Then::End(end)),
        }
        Ok(())
    }

    pub(super) fn pause(&mut self) -> Result<(), Error> {
        if self.state.paused {
            return Err(self.refuse("pause", "it is paused already"));
        }
        self.record(Event::Paused);
        Ok(())
    }

    pub(super) fn resume(&mut self) -> Result<(), Error> {
        if !self.state.paused {
            return Err(self.refuse("resume", "it is not paused"));
        }
        self.record(Event::Resumed);
        self.queue_ready();
        Ok(())
    }

    /// Does a level anew. What it did is undone first, so its outcome must be known, or have a
    /// compensation, or be waived.
    pub(super) fn retry(&mut self, activation: ActivationId, waive: bool) -> Result<(), Error> {
        let (live, node) = self.look(activation).ok_or(Error::NotFound { activation })?;
        let is_undo = matches!(live.role, Role::Undo(_));
        if live.unsure && !waive && (is_undo || node.undo.is_none()) {
            let reason = "nobody knows whether the last attempt happened; find out, then say `waive`";
            return Err(self.refuse("retry", reason));
        }
        if live.phase.is_ending() {
            return Err(self.refuse("retry", "the level is being undone"));
        }
        if activation == State::ROOT {
            return Err(self.refuse("retry", "the run as a whole cannot be repeated; start a new one"));
        }
        if let Role::Undo(number) = live.role {
            let parent = live.parent;
            self.is_stuck("retry", activation)?;
            let has_request = self.state.undo.get(&number).is_some_and(|undo| undo.request.is_ok());
            let (true, Some(parent)) = (has_request, parent) else {
                return Err(
                    self.refuse("retry", "the compensation has no request; see to it yourself, then skip it")
                );
            };
            self.end(activation, Ended::Dropped);
            self.begin_undo(parent, number);
            return Ok(());
        }
        if waive && live.unsure {
            self.record(Event::Doubted { activation, unsure: false });
        }
        self.cancel(activation, Then::Reenter);
        Ok(())
    }

    pub(super) fn skip_compensation(&mut self, activation: ActivationId) -> Result<(), Error> {
        let live = self.live(activation).ok_or(Error::NotFound { activation })?;
        let (Role::Undo(number), Some(parent)) = (live.role, live.parent) else {
            return Err(self.refuse("skip", "only a compensation that failed can be skipped"));
        };
        self.is_stuck("skip", activation)?;
        self.end(activation, Ended::Dropped);
        self.record(Event::Undone { number, by_us: false, doubt: None });
        self.undo_ended(parent);
        Ok(())
    }

    fn is_stuck(&self, input: &'static str, activation: ActivationId) -> Result<(), Error> {
        let is_stuck = self.live(activation).is_some_and(|live| matches!(live.phase, Phase::Stuck { .. }));
        if is_stuck { Ok(()) } else { Err(self.refuse(input, "the compensation is on its way")) }
    }

    pub(super) fn set_variables(&mut self, values: Map<String, Value>) -> Result<(), Error> {
        let bytes: u64 = values.values().map(crate::run::bytes).sum();
        if self.state.values_bytes.saturating_add(bytes) > VARIABLES_BYTES_MAX {
            return Err(Error::Limited { what: "bytes of input and results", max: VARIABLES_BYTES_MAX });
        }
        self.record(Event::VariablesSet { values });
        Ok(())
    }
}
