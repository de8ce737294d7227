//! Calls: the effect, its answer, further attempts.

use serde_json::{Value, json};

use super::machine::Machine;
use super::request::{expression_fault, render, render_undo};
use crate::compiled::{Node, NodeKind, Target};
use crate::planted::{self, Bug};
use crate::run::{
    ActivationId, Answer, Effect, End, Ended, Event, Fault, FaultKind, LevelId, Outcome, Part, Phase, Role,
    Then, TimerKind, Undo,
};
use crate::template::Delay;

/// How long an attempt may take when the template does not say.
const TIMEOUT_DEFAULT: Delay = Delay::from_seconds(30);
/// The most bytes that one answer may add to a run.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

impl Machine<'_> {
    /// Fixes the bytes of a call and makes the first attempt.
    pub(super) fn call(
        &mut self,
        activation: ActivationId,
        node: &Node,
        scope: ActivationId,
    ) -> Result<(), Fault> {
        let request = render(node, &self.sight(scope))?;
        self.record(Event::Requested { activation, request });
        self.attempt(activation);
        Ok(())
    }

    /// Makes the next attempt, with the bytes of the first.
    pub(super) fn attempt(&mut self, activation: ActivationId) {
        let Some((live, node)) = self.look(activation) else { return };
        let (attempt, request) = (live.attempt + 1, live.request.clone().unwrap_or_default());
        let acting = match self.acting(node) {
            Ok(acting) => acting,
            Err(fault) => return self.fail(activation, fault),
        };
        let mut key = self.state.key(activation);
        if planted::is(Bug::KeyFromAttempt) {
            key = format!("{key}:{attempt}");
        }
        self.record(Event::Called { activation, attempt });
        self.effects.push(Effect {
            activation,
            attempt,
            key,
            level: node.name.clone(),
            acting,
            request,
            timeout: node.timeout.unwrap_or(TIMEOUT_DEFAULT).duration(),
        });
    }

    pub(super) fn answered(&mut self, answer: Answer) {
        let Answer { activation, attempt, outcome } = answer;
        let Some((live, node)) = self.look(activation).filter(|(live, _)| live.attempt == attempt) else {
            return self.answered_late(activation, &outcome);
        };
        let (is_calling, unsure) = (live.phase == Phase::Calling, live.unsure);
        let is_settling = matches!(live.phase, Phase::Cancelling { is_calling: true, .. });
        if !is_calling && !is_settling {
            return self.answered_late(activation, &outcome);
        }
        self.record(Event::Answered { activation, outcome: outcome.name().to_owned() });
        if is_calling {
            match outcome {
                Outcome::Done { status, body } => self.answered_done(activation, node, status, body),
                Outcome::Refused(fault) => self.attempt_failed(activation, node, fault),
                Outcome::Unknown(fault) => {
                    self.doubt(activation, node);
                    self.attempt_failed(activation, node, fault);
                }
            }
        } else {
            match outcome {
                Outcome::Done { .. } if planted::is(Bug::AnswerAfterCancel) => {}
                Outcome::Done { body, .. } => self.happened_in(activation, node, &body, false),
                Outcome::Unknown(_) => self.happened_in(activation, node, &Value::Null, true),
                Outcome::Refused(_) if unsure => self.happened_in(activation, node, &Value::Null, true),
                Outcome::Refused(_) => {}
            }
            self.call_settled(activation);
        }
    }

    /// A late answer changes nothing, unless it tells that something happened after all that
    /// we have already undone in doubt: then it is undone once more.
    fn answered_late(&mut self, activation: ActivationId, outcome: &Outcome) {
        self.late("answer", Some(activation));
        let is_done = matches!(outcome, Outcome::Done { .. });
        let doubt = self.state.doubts.get(&activation).filter(|_| is_done).cloned();
        if let Some(doubt) = doubt {
            let number = self.state.next_completion;
            let (path, unsure, begun) = (vec![crate::run::State::ROOT], false, false);
            let undo = Undo { activation, path, level: doubt.level, request: doubt.request, unsure, begun };
            self.record(Event::Happened { number, undo });
            self.begin_late_undo(number);
        }
    }

    fn answered_done(&mut self, activation: ActivationId, node: &Node, status: u16, body: Value) {
        let Some(live) = self.live(activation) else { return };
        let NodeKind::Call { result, .. } = &node.kind else { return };
        if let Role::Undo(_) = live.role {
            return self.complete(activation, Value::Null);
        }
        let size = crate::run::bytes(&body);
        if size > ANSWER_BYTES_MAX {
            let message =
                format!("the answer has {size} bytes, at most {ANSWER_BYTES_MAX} are kept: ask for less");
            self.happened_in(activation, node, &Value::Null, false);
            return self.fail_happened(activation, Fault::new(FaultKind::Limit, message));
        }
        let value = match result {
            None => Ok(body.clone()),
            Some(result) => {
                let mut sight = self.sight(live.scope);
                sight.extra.insert("answer".to_owned(), json!({ "status": status, "body": body }));
                result.evaluate(&sight).map_err(expression_fault)
            }
        };
        match value {
            Ok(value) => self.complete(activation, value),
            Err(fault) => {
                // It has happened all the same, so it must be undone if the fault is not caught.
                self.happened_in(activation, node, &body, false);
                self.fail_happened(activation, fault);
            }
        }
    }

    fn attempt_failed(&mut self, activation: ActivationId, node: &Node, fault: Fault) {
        let Some(live) = self.live(activation) else { return };
        let (attempt, unsure) = (live.attempt, live.unsure);
        let retry = node.retry.as_ref().filter(|retry| fault.kind.may_pass() && attempt < retry.attempts);
        if let Some(retry) = retry {
            let due = self.now.after(retry.pause_after(attempt, self.draw()));
            self.move_to(activation, Phase::Backoff { due });
            return self.set_timer(activation, TimerKind::Retry, Some(due));
        }
        if fault.kind == FaultKind::Forbidden {
            return self.stick(activation, fault);
        }
        if unsure {
            self.happened_in(activation, node, &Value::Null, true);
            return self.fail_happened(activation, fault);
        }
        self.fail(activation, fault);
    }

    /// Remembers that an attempt may have happened, where that could make a difference.
    fn doubt(&mut self, activation: ActivationId, node: &Node) {
        let is_new = self.live(activation).is_some_and(|live| !live.unsure);
        if is_new && matches!(node.kind, NodeKind::Call { target: Target::Operation(_), .. }) {
            self.record(Event::Doubted { activation, unsure: true });
        }
    }

    /// The failure of a level whose effect is recorded already.
    fn fail_happened(&mut self, activation: ActivationId, fault: Fault) {
        let is_recorded =
            self.look(activation).is_some_and(|(live, node)| live.unsure && node.undo.is_some());
        if is_recorded {
            self.record(Event::Doubted { activation, unsure: false });
        }
        self.fail(activation, fault);
    }

    /// Records what can be undone, if the level has a compensation.
    pub(super) fn happened_in(
        &mut self,
        activation: ActivationId,
        node: &Node,
        result: &Value,
        unsure: bool,
    ) {
        let is_undo = self.live(activation).is_some_and(|live| matches!(live.role, Role::Undo(_)));
        if unsure && planted::is(Bug::UndoOnlyCompleted) {
            return;
        }
        if let (Some(undo), false) = (node.undo, is_undo) {
            self.happened(activation, undo, result, unsure);
        }
    }

    /// Records that a level happened, or may have, and how to undo it with the values of now.
    pub(super) fn happened(&mut self, activation: ActivationId, undo: LevelId, result: &Value, unsure: bool) {
        let Some(live) = self.live(activation) else { return };
        let undone = (activation, live.level, live.scope);
        let request = render_undo(self.template, &self.state, undo, undone, result);
        let mut path: Vec<ActivationId> =
            std::iter::successors(Some(activation), |at| self.live(*at).and_then(|live| live.parent))
                .collect();
        path.reverse();
        let number = self.state.next_completion;
        let undo = Undo { activation, path, level: undo, request, unsure, begun: false };
        self.record(Event::Happened { number, undo });
    }

    /// A call of a level that is being cancelled has settled.
    pub(super) fn call_settled(&mut self, activation: ActivationId) {
        let Some(live) = self.live(activation) else { return };
        if matches!(live.phase, Phase::Cancelling { then: Then::Drop, .. }) {
            let (parent, index) = (live.parent, live.index);
            self.end(activation, Ended::Dropped);
            return self.part_ended(parent, Role::Body, index, Part::Settled, Value::Null);
        }
        self.settle_if_done(activation);
    }

    pub(super) fn sub_run_ended(&mut self, activation: ActivationId, end: End) {
        let Some((live, node)) = self.look(activation) else {
            return self.late("end of a sub-workflow", Some(activation));
        };
        let is_settling = matches!(live.phase, Phase::Cancelling { is_calling: true, .. });
        if live.phase != Phase::SubRun && !is_settling {
            return self.late("end of a sub-workflow", Some(activation));
        }
        let outcome = if matches!(end, End::Completed { .. }) { "done" } else { "refused" };
        self.record(Event::Answered { activation, outcome: outcome.to_owned() });
        match end {
            End::Completed { result } if is_settling => self.happened_in(activation, node, &result, false),
            End::Failed { .. } | End::Cancelled { .. } if is_settling => {}
            End::Completed { result } => return self.complete(activation, result),
            End::Failed { fault } => {
                let message = format!("the sub-workflow failed: {}", fault.message);
                return self.fail(activation, Fault::new(FaultKind::SubRun, message));
            }
            End::Cancelled { reason } => {
                let message = format!("the sub-workflow was cancelled: {reason}");
                return self.fail(activation, Fault::new(FaultKind::SubRun, message));
            }
        }
        self.call_settled(activation);
    }
}
