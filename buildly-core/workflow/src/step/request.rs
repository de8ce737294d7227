//! The bytes of a call: rendered once, stored, sent the same way each time.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::machine::Machine;
use super::variables::Sight;
use crate::compiled::{Compiled, Node, NodeKind, Target};
use crate::expression::Expression;
use crate::run::{ActingAs, ActivationId, Fault, FaultKind, LevelId, State};
use crate::template::Actor;

/// What an effect asks for; an effect's `request` is its JSON text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// `service.operationId`, for a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// `service.record_type`, for a read through the mesh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// Parameters, by name.
    pub parameters: Map<String, Value>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl Machine<'_> {
    pub(super) fn sight(&self, scope: ActivationId) -> Sight<'_> {
        sight(self.template, &self.state, scope)
    }

    /// An expression's value in a scope; a fault if it has none.
    pub(super) fn value(&self, expression: &Expression, scope: ActivationId) -> Result<Value, Fault> {
        expression.evaluate(&self.sight(scope)).map_err(expression_fault)
    }

    pub(super) fn truth(&self, expression: &Expression, scope: ActivationId) -> Result<bool, Fault> {
        expression.evaluate_bool(&self.sight(scope)).map_err(expression_fault)
    }

    /// As whom a level acts just now.
    pub(super) fn acting(&self, node: &Node) -> Result<ActingAs, Fault> {
        match &node.actor {
            Actor::Starter => Ok(ActingAs::Starter(self.state.starter.clone())),
            Actor::Account(name) => Ok(ActingAs::Account(name.clone())),
            Actor::Completer(task) => {
                let level = self.template.find(task).map(|node| node.id);
                let by = level.and_then(|level| self.state.completers.get(&level));
                by.cloned().map(ActingAs::Completer).ok_or_else(|| {
                    Fault::new(
                        FaultKind::Forbidden,
                        format!("nobody has completed `{task}`, as whom this level acts"),
                    )
                })
            }
        }
    }
}

pub(super) fn sight<'a>(template: &'a Compiled, state: &'a State, scope: ActivationId) -> Sight<'a> {
    Sight { template, state, scope, extra: Map::new(), result: None }
}

pub(super) fn expression_fault(error: crate::ExpressionError) -> Fault {
    let kind = match error {
        crate::ExpressionError::TooCostly { .. } | crate::ExpressionError::TooLarge { .. } => {
            FaultKind::Limit
        }
        _ => FaultKind::Expression,
    };
    Fault::new(kind, error.to_string())
}

/// Renders a call's request.
pub(super) fn render(node: &Node, sight: &Sight<'_>) -> Result<String, Fault> {
    let NodeKind::Call { target, parameters, body, .. } = &node.kind else {
        return Err(Fault::new(FaultKind::Expression, "only a call has a request"));
    };
    let parameters = parameters
        .iter()
        .map(|(name, expression)| Ok((name.clone(), expression.evaluate(sight).map_err(expression_fault)?)))
        .collect::<Result<Map<String, Value>, Fault>>()?;
    let body = body.as_ref().map(|body| body.evaluate(sight).map_err(expression_fault)).transpose()?;
    let (operation, records) = match target {
        Target::Operation(operation) => (Some(operation.clone()), None),
        Target::Records(records) => (None, Some(records.clone())),
    };
    serde_json::to_string(&Request { operation, records, parameters, body })
        .map_err(|error| Fault::new(FaultKind::Expression, error.to_string()))
}

/// Renders the request that undoes a level, with the values as they are now.
pub(super) fn render_undo(
    template: &Compiled,
    state: &State,
    undo: LevelId,
    undone: (ActivationId, LevelId, ActivationId),
    result: &Value,
) -> Result<String, String> {
    let (activation, level, scope) = undone;
    let Some(node) = template.node(undo) else {
        return Err("the compensation is not in the template".to_owned());
    };
    let mut sight = sight(template, state, scope);
    sight.result = Some((level, result));
    sight.extra.insert("key".to_owned(), Value::String(state.key(activation)));
    render(node, &sight).map_err(|fault| fault.message)
}
