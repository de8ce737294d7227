//! What expressions read, and of what type they are, as far as the text and the schemas say.

use std::collections::HashSet;

use super::Finding;
use crate::compiled::{Compiled, Node, NodeKind};
use crate::expression::Expression;
use crate::run::LevelId;
use crate::step::{LOCAL_ROOTS, ROOTS};

pub(super) fn check(template: &Compiled, findings: &mut Vec<Finding>) {
    let mut locals: Vec<HashSet<&'static str>> = Vec::with_capacity(template.nodes.len());
    for node in &template.nodes {
        // Parents come first in pre-order, so what is around is known already.
        let mine = locals_of(template, node, &locals);
        for (expression, expected) in Compiled::expressions(node) {
            let mut visible = mine.clone();
            visible.extend(extra(node, expression));
            reads(template, node, expression, &visible, findings);
            if let Some(got) = expression.known_type().filter(|got| !expected.is_empty() && *got != expected)
            {
                let reason = format!("`{}` is {got}, but {expected} is needed", expression.source());
                findings.push(Finding::error(&node.name, reason, "correct the expression"));
            }
        }
        locals.push(mine);
    }
}

/// What a level is given by the levels around it. A compensation runs outside of all of them,
/// with the values of the level that it undoes.
fn locals_of(template: &Compiled, node: &Node, known: &[HashSet<&'static str>]) -> HashSet<&'static str> {
    let around = node.compensates.or(node.parent);
    let Some(parent) = around.and_then(|around| template.node(around)) else { return HashSet::new() };
    let mut locals = known.get(usize::from(parent.id.0)).cloned().unwrap_or_default();
    if node.compensates.is_some() {
        locals.insert("key");
        return locals;
    }
    if parent.on.iter().any(|handler| handler.level == node.id) {
        locals.extend(["fault", "signal"]);
    } else {
        match parent.kind {
            NodeKind::ForEach { .. } => locals.extend(["item", "index"]),
            NodeKind::Loop { .. } => locals.extend(["last", "index"]),
            _ => {}
        }
    }
    locals
}

/// What one expression of a level is given on top.
fn extra(node: &Node, expression: &Expression) -> &'static [&'static str] {
    match &node.kind {
        NodeKind::Call { result: Some(result), .. } if std::ptr::eq(result, expression) => &["answer"],
        NodeKind::Loop { condition, .. } if std::ptr::eq(condition, expression) => &["last", "index"],
        _ => &[],
    }
}

fn reads(
    template: &Compiled,
    node: &Node,
    expression: &Expression,
    visible: &HashSet<&'static str>,
    findings: &mut Vec<Finding>,
) {
    for read in expression.reads() {
        let (root, member) = (read.root.as_str(), read.member.as_deref());
        if !ROOTS.contains(&root) && !visible.contains(root) {
            let (reason, mending) = if LOCAL_ROOTS.contains(&root) {
                (
                    format!("`{root}` is not there at this place"),
                    "see where it is in the description of the format",
                )
            } else {
                (format!("there is no variable `{root}`"), "read `input`, `levels`, `vars` or `run`")
            };
            findings.push(Finding::error(&node.name, reason, mending));
        }
        match (root, member) {
            ("levels", Some(level)) => level_read(template, node, level, findings),
            ("input", Some(field))
                if template.input.as_ref().is_some_and(|schema| schema.excludes(field)) =>
            {
                let reason = format!("the schema of the input has no `{field}`");
                findings.push(Finding::error(&node.name, reason, "add it to `input`, or correct the name"));
            }
            _ => {}
        }
    }
}

fn level_read(template: &Compiled, node: &Node, level: &str, findings: &mut Vec<Finding>) {
    let Some(source) = template.find(level) else {
        let reason = format!("there is no level `{level}`");
        return findings.push(Finding::error(&node.name, reason, "correct the name"));
    };
    if source.compensates.is_some() {
        let reason = format!("`{level}` undoes something and has no result");
        return findings.push(Finding::error(&node.name, reason, "read the result of another level"));
    }
    if let Some(inside) =
        repeated_around(template, source.id).filter(|around| !is_below(template, node.id, *around))
    {
        let reason = format!("`{level}` runs many times, in `{}`", template.name_of(inside));
        let mending = "read the result of the stage around it";
        findings.push(Finding::error(&node.name, reason, mending));
    }
}

/// The nearest level around `level` in which it has a scope of its own.
fn repeated_around(template: &Compiled, level: LevelId) -> Option<LevelId> {
    let mut at = template.node(level)?;
    while let Some(parent) = at.parent.and_then(|parent| template.node(parent)) {
        let is_branch = parent.on.iter().any(|handler| handler.level == at.id);
        if is_branch || matches!(parent.kind, NodeKind::ForEach { .. } | NodeKind::Loop { .. }) {
            return Some(parent.id);
        }
        at = parent;
    }
    None
}

fn is_below(template: &Compiled, level: LevelId, around: LevelId) -> bool {
    template.node(around).is_some_and(|around| around.id < level && level.0 < around.end)
}
