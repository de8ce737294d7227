//! People's work: opened, claimed, completed once.

use buildly_model::FieldError;
use serde_json::Value;

use super::Error;
use super::machine::Machine;
use super::request::expression_fault;
use crate::compiled::{Node, NodeKind};
use crate::run::{ActivationId, Command, Event, Fault, FaultKind, Phase};

/// The most bytes that a form may be filled with.
const FORM_BYTES_MAX: u64 = 256 * 1024;

impl Machine<'_> {
    pub(super) fn open_task(
        &mut self,
        activation: ActivationId,
        node: &Node,
        scope: ActivationId,
    ) -> Result<(), Fault> {
        let NodeKind::Task { group, user, show, .. } = &node.kind else { return Ok(()) };
        let sight = self.sight(scope);
        let user =
            user.as_ref().map(|user| user.evaluate_text(&sight).map_err(expression_fault)).transpose()?;
        if user.as_ref().is_some_and(|user| user.contains('\0')) {
            let message = "the user whom the task is for cannot have null characters in the name";
            return Err(Fault::new(FaultKind::Expression, message));
        }
        let show = show.as_ref().map(|show| self.value(show, scope)).transpose()?.unwrap_or_default();
        let due = self.live(activation).and_then(|live| live.deadline);
        self.move_to(activation, Phase::Task { claimed_by: None });
        let (level, group) = (node.name.clone(), group.clone());
        self.commands.push(Command::OpenTask { activation, level, group, user, show, due });
        Ok(())
    }

    pub(super) fn claim_task(&mut self, activation: ActivationId, by: String) -> Result<(), Error> {
        match self.claimed_by("claim", activation)? {
            Some(holder) if holder != by => Err(self.refuse("claim", "somebody else has the task")),
            Some(_) => Ok(()),
            None => {
                self.move_to(activation, Phase::Task { claimed_by: Some(by.clone()) });
                self.commands.push(Command::ClaimTask { activation, by });
                Ok(())
            }
        }
    }

    pub(super) fn complete_task(
        &mut self,
        activation: ActivationId,
        by: String,
        data: Value,
    ) -> Result<(), Error> {
        if self.claimed_by("completion", activation)?.is_some_and(|holder| holder != by) {
            return Err(self.refuse("completion", "somebody else has the task"));
        }
        let (live, node) = self.look(activation).ok_or(Error::NotFound { activation })?;
        let level = live.level;
        if crate::run::bytes(&data) > FORM_BYTES_MAX {
            let message = format!("expected at most {FORM_BYTES_MAX} bytes");
            return Err(Error::Invalid(vec![FieldError::new("data", message)]));
        }
        if let NodeKind::Task { form: Some(form), .. } = &node.kind {
            form.check(&data, "data").map_err(Error::Invalid)?;
        }
        self.record(Event::TaskCompleted { level, by });
        self.complete(activation, data);
        Ok(())
    }

    /// Who has a task that is open.
    fn claimed_by(&self, input: &'static str, activation: ActivationId) -> Result<Option<String>, Error> {
        match self.live(activation).map(|live| &live.phase) {
            Some(Phase::Task { claimed_by }) => Ok(claimed_by.clone()),
            Some(_) => Err(self.refuse(input, "this level is not an open task")),
            None if activation.0 < self.state.next_activation => {
                Err(self.refuse(input, "the task is done already, or no longer wanted"))
            }
            None => Err(Error::NotFound { activation }),
        }
    }
}
