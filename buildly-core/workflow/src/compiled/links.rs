//! Resolves what levels say of other levels: `after`, `compensates`, `completer`.

use std::collections::HashMap;

use super::compile::is_account;
use super::{Link, LinkId, Node, NodeKind, Target};
use crate::check::Finding;
use crate::run::LevelId;
use crate::template::{Actor, Kind, Level, Template};

/// The most links of a template.
const LINKS_MAX: usize = 20_000;

pub(super) fn resolve(
    template: &Template,
    nodes: &mut [Node],
    names: &HashMap<String, LevelId>,
    findings: &mut Vec<Finding>,
) -> Box<[Link]> {
    let mut links = Vec::new();
    each_level(template, &mut |level| {
        let Some(target) = names.get(&level.name).copied() else { return };
        for after in &level.after {
            match names.get(after) {
                Some(source) if *source != target => links.push(Link { source: *source, target }),
                Some(_) => {
                    findings.push(Finding::error(&level.name, "it waits for itself", "remove `after`"))
                }
                None => findings.push(unknown(&level.name, "after", after)),
            }
        }
        if let Actor::Completer(task) = &level.actor {
            let is_task = names.get(task).and_then(|id| nodes.get(usize::from(id.0)));
            if !is_task.is_some_and(|node| matches!(node.kind, NodeKind::Task { .. })) {
                let reason = format!("`as` names `{task}`, which is no task");
                findings.push(Finding::error(&level.name, reason, "name a task whose completer shall act"));
            }
        }
        if let Some(undone) = &level.compensates {
            compensate(level, undone, target, nodes, names, findings);
        }
    });
    if links.len() > LINKS_MAX {
        let reason = format!("there are {} links", links.len());
        findings.push(Finding::error(&template.name, reason, format!("at most {LINKS_MAX} are possible")));
        links.truncate(LINKS_MAX);
    }
    links.sort_unstable_by_key(|link| (link.source, link.target));
    links.dedup();
    let mut incoming: HashMap<LevelId, Vec<LinkId>> = HashMap::new();
    for (place, link) in links.iter().enumerate() {
        incoming.entry(link.target).or_default().extend(LinkId::try_from(place));
    }
    for (target, ids) in incoming {
        if let Some(node) = nodes.get_mut(usize::from(target.0)) {
            node.incoming = ids.into();
        }
    }
    links.into()
}

fn compensate(
    level: &Level,
    undone: &str,
    id: LevelId,
    nodes: &mut [Node],
    names: &HashMap<String, LevelId>,
    findings: &mut Vec<Finding>,
) {
    let name = level.name.as_str();
    let is_operation =
        |node: &&Node| matches!(&node.kind, NodeKind::Call { target: Target::Operation(_), .. });
    if nodes.get(usize::from(id.0)).filter(is_operation).is_none() {
        findings.push(Finding::error(name, "only a call can undo something", "make it a `call`"));
    }
    if !is_account(&level.actor) {
        let reason = "what undoes must not depend on somebody's rights at that time";
        findings.push(Finding::error(name, reason, "let it act as a service account: `as: account:NAME`"));
    }
    if level.when.is_some() || !level.after.is_empty() || !level.on.is_empty() || level.deadline.is_some() {
        let reason = "what undoes runs whenever something must be undone";
        findings.push(Finding::error(name, reason, "remove `when`, `after`, `deadline` and `on`"));
    }
    let Some(target) = names.get(undone).copied().filter(|target| *target != id) else {
        findings.push(unknown(name, "compensates", undone));
        return;
    };
    let taken = nodes.get(usize::from(target.0)).is_some_and(|node| node.undo.is_some());
    if taken {
        findings.push(Finding::error(
            name,
            format!("`{undone}` is undone by another level already"),
            "keep one",
        ));
    }
    if let Some(node) = nodes.get_mut(usize::from(target.0)) {
        node.undo = Some(id);
    }
    if let Some(node) = nodes.get_mut(usize::from(id.0)) {
        node.compensates = Some(target);
    }
}

fn unknown(level: &str, field: &str, name: &str) -> Finding {
    Finding::error(
        level,
        format!("`{field}` names `{name}`, which does not exist"),
        "name a level of this template",
    )
}

/// Visits every level, in pre-order.
pub(crate) fn each_level<'a>(template: &'a Template, visit: &mut dyn FnMut(&'a Level)) {
    let branches = template.on.iter().map(|branch| &*branch.level);
    template.levels.iter().chain(branches).for_each(|level| below(level, visit));
}

fn below<'a>(level: &'a Level, visit: &mut dyn FnMut(&'a Level)) {
    visit(level);
    match &level.kind {
        Kind::Sequence(levels) | Kind::Parallel(levels) | Kind::Race(levels) => {
            levels.iter().for_each(|level| below(level, visit));
        }
        Kind::Any(any) => any.levels.iter().for_each(|level| below(level, visit)),
        Kind::ForEach(each) => below(&each.level, visit),
        Kind::Loop(repeated) => below(&repeated.level, visit),
        Kind::Decide(decide) => {
            decide.branches.iter().for_each(|choice| below(&choice.level, visit));
            decide.otherwise.iter().for_each(|level| below(level, visit));
        }
        Kind::Task(_) | Kind::Call(_) | Kind::Read(_) | Kind::Wait(_) | Kind::Run(_) | Kind::Emit(_) => {}
    }
    level.on.iter().for_each(|branch| below(&branch.level, visit));
}
