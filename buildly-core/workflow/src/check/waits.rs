//! Whom a template waits for.

use super::Finding;
use crate::compiled::{Compiled, Node, NodeKind, WaitFor};

pub(super) fn check(template: &Compiled, findings: &mut Vec<Finding>) {
    template.nodes.iter().for_each(|node| waits(node, findings));
}

/// Whoever waits for somebody without a limit may wait for ever.
fn waits(node: &Node, findings: &mut Vec<Finding>) {
    let whom = match &node.kind {
        NodeKind::Wait(WaitFor::Signal { .. }) => "a signal",
        NodeKind::Task { .. } => "a person",
        _ => return,
    };
    if node.deadline.is_none() {
        let reason = format!("it waits for {whom} without a limit");
        findings.push(Finding::warning(&node.name, reason, "add `deadline`, and a branch `on` it"));
    }
    if let NodeKind::Task { group: None, user: None, .. } = &node.kind {
        findings.push(Finding::error(&node.name, "nobody may do it", "name a `group` or a `user`"));
    }
}
