//! The services: they remember keys, and refuse what was compensated before it came.

use std::collections::{BTreeMap, BTreeSet};

use buildly_model::RunId;
use serde_json::{Value, json};

use super::choices::Choices;
use crate::{ActivationId, Effect, Fault, FaultKind, Outcome};

#[derive(Debug, Default)]
pub(super) struct Services {
    /// Keys that were applied: the effect is there.
    pub(super) applied: BTreeSet<String>,
    /// Keys whose effect was taken back again.
    pub(super) undone: BTreeSet<String>,
    /// Keys that were compensated, whether or not they had come.
    compensated: BTreeSet<String>,
    refused: BTreeSet<String>,
    /// The keys under which an activation was applied.
    pub(super) keys: BTreeMap<(RunId, ActivationId), BTreeSet<String>>,
}

impl Services {
    pub(super) fn receive(
        &mut self,
        run: RunId,
        effect: &Effect,
        choices: &mut Choices,
        is_calm: bool,
    ) -> Outcome {
        let request: Value = serde_json::from_str(&effect.request).unwrap();
        let done = Outcome::Done { status: 200, body: json!({ "key": effect.key }) };
        let refused =
            || Outcome::Refused(Fault { status: Some(409), ..Fault::new(FaultKind::Refused, "no") });
        if request["operation"] == "svc.undo" {
            let target = request["parameters"]["key"].as_str().unwrap().to_owned();
            if self.applied.contains(&target) {
                self.undone.insert(target.clone());
            }
            self.compensated.insert(target);
            return done;
        }
        if self.applied.contains(&effect.key) {
            return done;
        }
        let is_refused = self.compensated.contains(&effect.key) || self.refused.contains(&effect.key);
        if is_refused || choices.percent(if is_calm { 5 } else { 15 }) {
            self.refused.insert(effect.key.clone());
            return refused();
        }
        self.applied.insert(effect.key.clone());
        self.keys.entry((run, effect.activation)).or_default().insert(effect.key.clone());
        done
    }
}
