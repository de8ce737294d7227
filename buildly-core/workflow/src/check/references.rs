//! What a template names in the world outside of it.

use super::Finding;
use crate::compiled::{Compiled, NodeKind, Target};
use crate::template::Actor;

/// An operation of a registered service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// Whether it needs a body.
    pub needs_body: bool,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
}

/// The world outside, as it is when a template is published.
pub trait Outside {
    /// An operation by `service.operationId`.
    fn find_operation(&self, operation: &str) -> Option<Operation>;
    /// Whether there is a record type of this name (`service.record_type`).
    fn has_records(&self, records: &str) -> bool;
    /// Whether there is a group of this name.
    fn has_group(&self, group: &str) -> bool;
    /// Whether there is a service account of this name that whoever publishes may use.
    fn may_use_account(&self, account: &str) -> bool;
    /// Whether there is a published template of this name.
    fn has_template(&self, template: &str) -> bool;
}

pub(super) fn check(template: &Compiled, outside: &dyn Outside, findings: &mut Vec<Finding>) {
    for node in &template.nodes {
        let name = node.name.as_str();
        let mut unfit = Vec::new();
        let mut missing = |what: &str, which: &str, mending: &str| {
            findings.push(Finding::error(name, format!("there is no {what} `{which}`"), mending));
        };
        match &node.kind {
            NodeKind::Call { target: Target::Operation(operation), parameters, body, .. } => {
                match outside.find_operation(operation) {
                    None => missing("operation", operation, "register the service, or correct the name"),
                    Some(found) => {
                        let given: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
                        unfit = mapping(name, &found, &given, body.is_some());
                    }
                }
            }
            NodeKind::Call { target: Target::Records(records), .. } if !outside.has_records(records) => {
                missing("record type", records, "register it in the mesh, or correct the name");
            }
            NodeKind::Task { group: Some(group), .. } if !outside.has_group(group) => {
                missing("group", group, "create it, or correct the name");
            }
            NodeKind::Run { template, .. } if !outside.has_template(template) => {
                missing("published template", template, "publish it first, or correct the name");
            }
            _ => {}
        }
        if let Actor::Account(account) = &node.actor
            && !outside.may_use_account(account)
        {
            let mending = "create it and let yourself use it, or choose another";
            missing("service account that you may use named", account, mending);
        }
        findings.extend(unfit);
    }
}

/// Whether what is given fits what the operation takes.
fn mapping(level: &str, operation: &Operation, given: &[&str], has_body: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.required) {
        if !given.contains(&parameter.name.as_str()) {
            let reason = format!("the operation needs `{}`", parameter.name);
            findings.push(Finding::error(level, reason, "add it to `parameters`"));
        }
    }
    for name in given {
        if !operation.parameters.iter().any(|parameter| parameter.name == *name) {
            let reason = format!("the operation takes no `{name}`");
            findings.push(Finding::error(level, reason, "remove it from `parameters`, or correct the name"));
        }
    }
    if operation.needs_body && !has_body {
        findings.push(Finding::error(level, "the operation needs a body", "add `body`"));
    }
    findings
}
