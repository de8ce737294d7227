//! What expressions of a level can read.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::compiled::Compiled;
use crate::expression::Variables;
use crate::run::{ActivationId, LevelId, State};

/// The variables that every expression can read.
pub(crate) const ROOTS: &[&str] = &["input", "levels", "vars", "run"];
/// Those that only stand in some places.
pub(crate) const LOCAL_ROOTS: &[&str] = &["item", "index", "last", "fault", "signal", "answer", "key"];

/// A run as expressions see it from one scope.
pub(super) struct Sight<'a> {
    pub(super) template: &'a Compiled,
    pub(super) state: &'a State,
    pub(super) scope: ActivationId,
    /// What comes on top, such as `answer`.
    pub(super) extra: Map<String, Value>,
    /// A result that is not written yet.
    pub(super) result: Option<(LevelId, &'a Value)>,
}

impl Sight<'_> {
    /// The scope and those around it, innermost first.
    fn scopes(&self) -> impl Iterator<Item = &crate::run::Scope> {
        std::iter::successors(self.state.scopes.get(&self.scope), |scope| {
            scope.parent.and_then(|parent| self.state.scopes.get(&parent))
        })
    }

    fn result_of(&self, level: LevelId) -> Option<&Value> {
        match self.result {
            Some((mine, value)) if mine == level => Some(value),
            _ => self.scopes().find_map(|scope| scope.results.get(&level)),
        }
    }

    fn all_results(&self) -> Value {
        let mut all = Map::new();
        let scopes: Vec<_> = self.scopes().collect();
        for (level, value) in scopes.into_iter().rev().flat_map(|scope| &scope.results) {
            all.insert(self.template.name_of(*level).to_owned(), value.clone());
        }
        if let Some((level, value)) = self.result {
            all.insert(self.template.name_of(level).to_owned(), value.clone());
        }
        Value::Object(all)
    }
}

impl Variables for Sight<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        match name {
            "input" => Some(Cow::Borrowed(&self.state.input)),
            "levels" => Some(Cow::Owned(self.all_results())),
            "vars" => Some(Cow::Owned(Value::Object(self.state.variables.clone()))),
            "run" => {
                let id = self.state.run.map(|run| run.to_string());
                Some(Cow::Owned(json!({ "id": id, "starter": self.state.starter })))
            }
            _ => self
                .extra
                .get(name)
                .or_else(|| self.scopes().find_map(|scope| scope.given.get(name)))
                .map(Cow::Borrowed),
        }
    }

    fn member(&self, root: &str, member: &str) -> Option<Cow<'_, Value>> {
        match root {
            "levels" => self.result_of(self.template.find(member)?.id).map(Cow::Borrowed),
            "input" => self.state.input.get(member).map(Cow::Borrowed),
            "vars" => self.state.variables.get(member).map(Cow::Borrowed),
            _ => match self.root(root)? {
                Cow::Borrowed(value) => value.get(member).map(Cow::Borrowed),
                Cow::Owned(value) => value.get(member).cloned().map(Cow::Owned),
            },
        }
    }

    fn has_members(&self, root: &str) -> bool {
        match root {
            "levels" | "vars" | "run" => true,
            _ => self.root(root).is_some_and(|value| value.is_object()),
        }
    }
}
