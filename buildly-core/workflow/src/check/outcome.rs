//! What each level can come to, and whether stages can get what they need.

use super::Finding;
use crate::compiled::{Compiled, Handled, Needed, Node, NodeKind, WaitFor};
use crate::expression::Expression;
use crate::run::LevelId;
use crate::template::LinkJoin;

/// What can become of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    /// It can complete.
    finishes: bool,
    /// It can fail, so that a stage that tolerates failures goes on without it.
    fails: bool,
    /// It can be skipped.
    dies: bool,
}

impl Outcome {
    const NEVER: Self = Self { finishes: false, fails: false, dies: false };

    /// Whether it can let a stage that needs all of its parts go on.
    const fn passes(self) -> bool {
        self.finishes || self.dies
    }
}

pub(super) fn check(template: &Compiled, findings: &mut Vec<Finding>) {
    let mut outcomes = vec![Outcome::NEVER; template.nodes.len()];
    // Children come after their parents in pre-order: backwards is bottom up.
    for node in template.nodes.iter().rev() {
        let outcome = of(template, node, &outcomes, findings);
        if let Some(place) = outcomes.get_mut(usize::from(node.id.0)) {
            *place = outcome;
        }
    }
    dead_links(template, &mut outcomes, findings);
}

fn of(template: &Compiled, node: &Node, outcomes: &[Outcome], findings: &mut Vec<Finding>) -> Outcome {
    let at = |level: &LevelId| outcomes.get(usize::from(level.0)).copied().unwrap_or(Outcome::NEVER);
    let parts: Vec<Outcome> = node.children.iter().map(at).collect();
    let passes = parts.iter().filter(|part| part.passes()).count();
    let completes = parts.iter().filter(|part| part.finishes).count();
    let any_fails = parts.iter().any(|part| part.fails);
    let all_pass = passes == parts.len();
    let (finishes, fails) = match &node.kind {
        NodeKind::Sequence | NodeKind::Join { needed: Needed::All } => (all_pass, any_fails || !all_pass),
        NodeKind::Join { needed: Needed::Some(needed) } => {
            let needed = *needed as usize;
            if needed == 0 || needed > completes {
                let reason = format!(
                    "it needs {needed} of its parts, and {completes} of {} can complete",
                    parts.len()
                );
                let mending = "lower `needed` (at least 1), or let more parts be able to complete";
                findings.push(Finding::error(&node.name, reason, mending));
            }
            let least = parts.iter().filter(|part| part.finishes && !part.fails && !part.dies).count();
            (needed <= completes, needed > least)
        }
        NodeKind::ForEach { .. } => (all_pass, true),
        NodeKind::Loop { condition, bound } => {
            let endless = condition.constant() == Some(true);
            if endless {
                let reason = format!("its condition is always true, so that it fails after {bound} rounds");
                findings.push(Finding::error(&node.name, reason, "let the condition become false"));
            }
            (all_pass && !endless, true)
        }
        NodeKind::Decide { guards, otherwise } => {
            let is_open = otherwise.is_none();
            (
                is_open || passes > 0,
                any_fails || guards.iter().any(|guard| guard.condition.constant().is_none()),
            )
        }
        NodeKind::Wait(WaitFor::Delay(_)) => (true, false),
        NodeKind::Wait(WaitFor::Signal { default, .. }) => {
            (true, node.deadline.is_some() && default.is_none())
        }
        NodeKind::Emit { payload, .. } => (true, payload.is_some()),
        NodeKind::Wait(WaitFor::Local { .. })
        | NodeKind::Task { .. }
        | NodeKind::Call { .. }
        | NodeKind::Run { .. } => (true, true),
    };
    let fails = fails || node.deadline.is_some();
    let catches = |handled: &Handled| matches!(handled, Handled::Fault(_));
    let rescued = node.on.iter().any(|handler| catches(&handler.event) && at(&handler.level).passes());
    let when = node.when.as_ref().map(Expression::constant);
    if when == Some(Some(false)) {
        findings.push(Finding::error(
            &node.name,
            "`when` is always false: it never runs",
            "remove the level",
        ));
    }
    if template.nodes.first().is_some_and(|root| root.id == node.id) && !finishes && !rescued {
        let reason = "no run of it can complete";
        findings.push(Finding::error(&node.name, reason, "mend the levels that cannot complete"));
    }
    Outcome { finishes: (finishes || rescued) && when != Some(Some(false)), fails, dies: node.when.is_some() }
}

/// Carries *dead* along the links, each level once.
fn dead_links(template: &Compiled, outcomes: &mut [Outcome], findings: &mut Vec<Finding>) {
    let mut waiting: Vec<usize> = template.nodes.iter().map(|node| node.incoming.len()).collect();
    let mut certain = vec![0_usize; template.nodes.len()];
    let mut known: Vec<LevelId> =
        template.nodes.iter().filter(|node| node.incoming.is_empty()).map(|node| node.id).collect();
    while let Some(level) = known.pop() {
        let Some(source) = outcomes.get(usize::from(level.0)).copied() else { continue };
        let targets: Vec<LevelId> = template.links_from(level).map(|(_, link)| link.target).collect();
        for target in targets {
            let place = usize::from(target.0);
            let (Some(left), Some(dead)) = (waiting.get_mut(place), certain.get_mut(place)) else { continue };
            *left = left.saturating_sub(1);
            *dead += usize::from(!source.finishes);
            if *left > 0 {
                continue;
            }
            known.push(target);
            let Some(node) = template.node(target) else { continue };
            let is_dead = match node.join {
                LinkJoin::All => *dead > 0,
                LinkJoin::Any => *dead == node.incoming.len(),
            };
            if is_dead {
                let reason = "it waits for levels that never complete, so it never runs";
                findings.push(Finding::error(&node.name, reason, "correct `after`, or those levels"));
                if let Some(outcome) = outcomes.get_mut(place) {
                    *outcome = Outcome { finishes: false, fails: false, dies: true };
                }
            }
        }
    }
}
