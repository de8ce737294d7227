//! What stories reached.

use std::collections::BTreeMap;

use crate::{Input, Phase, State};

/// How often what happened; what a story is for must be among it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(BTreeMap<String, u64>);

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, count)| *self.0.entry(what.clone()).or_default() += count);
    }

    /// Notes which input met which phase.
    pub(super) fn meet(&mut self, state: &State, input: &Input) {
        let activation = match input {
            Input::Answered(answer) => answer.activation,
            Input::TimerFired { activation, .. } => *activation,
            _ => return,
        };
        let phase = match state.activations.get(&activation).map(|live| &live.phase) {
            None => "gone",
            Some(Phase::Calling) => "calling",
            Some(Phase::Backoff { .. }) => "backoff",
            Some(Phase::Waiting { .. }) => "waiting",
            Some(Phase::Joining { .. }) => "joining",
            Some(Phase::Cancelling { .. }) => "cancelling",
            Some(_) => "otherwise engaged",
        };
        self.note(&format!("{} while {phase}", input.name()));
    }

    pub(super) fn note(&mut self, what: &str) {
        *self.0.entry(what.to_owned()).or_default() += 1;
    }

    pub(super) fn unreached(&self) -> Vec<&'static str> {
        let wanted = [
            "crash before commit",
            "crash after commit",
            "commit stale",
            "commit fenced",
            "store unavailable",
            "request lost",
            "answer lost",
            "sent twice",
            "arrived after its timeout",
            "busy",
            "given back",
            "late answer",
            "node slept",
            "completed",
            "compensated",
            "failed",
            "cancelled",
            "attention",
            "answer while calling",
            "answer while cancelling",
            "timer while backoff",
            "timer while waiting",
            "timer while joining",
            "undone in doubt",
        ];
        wanted.into_iter().filter(|what| !self.0.contains_key(*what)).collect()
    }
}
