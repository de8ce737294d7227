//! Order: links and the tree together have no circle, and links stay where levels run once.

use std::collections::VecDeque;

use super::Finding;
use crate::compiled::{Compiled, Link, NodeKind};
use crate::run::LevelId;

pub(super) fn check(template: &Compiled, findings: &mut Vec<Finding>) {
    for link in &template.links {
        boundaries(template, *link, findings);
    }
    circles(template, findings);
}

/// A link must not lead into or out of a level whose parts run many times or beside the order:
/// it would not be known which of the runs is meant.
fn boundaries(template: &Compiled, link: Link, findings: &mut Vec<Finding>) {
    let name = template.name_of(link.target);
    for end in [link.source, link.target] {
        let other = if end == link.source { link.target } else { link.source };
        if template.node(end).is_some_and(|node| node.compensates.is_some()) {
            let reason = format!("`{}` is a compensation and not in the order", template.name_of(end));
            findings.push(Finding::error(name, reason, "remove it from `after`"));
        }
        let mut at = end;
        while let Some(parent) =
            template.node(at).and_then(|node| node.parent).and_then(|it| template.node(it))
        {
            if parent.id <= other && other.0 < parent.end {
                break;
            }
            let what = match parent.kind {
                _ if parent.on.iter().any(|handler| handler.level == at) => Some("a branch of"),
                NodeKind::ForEach { .. } => Some("the items of"),
                NodeKind::Loop { .. } => Some("the rounds of"),
                _ => None,
            };
            if let Some(what) = what {
                let reason = format!(
                    "the link from `{}` crosses {what} `{}`",
                    template.name_of(link.source),
                    parent.name
                );
                let mending = format!("link with `{}` itself, or move the link inside", parent.name);
                findings.push(Finding::error(name, reason, mending));
            }
            at = parent.id;
        }
        // Where the lowest common level itself repeats, both ends are in the same item or round
        // only if they are in the same child, which has ended the walk above already; two
        // children of a for-each cannot be.
    }
}

/// Finds circles by taking away, from both ends, what is in none (Kahn 1962).
///
/// Each level is two points, its begin and its end. A part lies between those of its stage, a
/// sequence orders its parts, a link leads from an end to a begin.
fn circles(template: &Compiled, findings: &mut Vec<Finding>) {
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let begin = |level: LevelId| usize::from(level.0) * 2;
    let end = |level: LevelId| usize::from(level.0) * 2 + 1;
    for node in template.nodes.iter().filter(|node| node.compensates.is_none()) {
        edges.push((begin(node.id), end(node.id)));
        if let Some(parent) = node.parent {
            edges.push((begin(parent), begin(node.id)));
            edges.push((end(node.id), end(parent)));
        }
        if matches!(node.kind, NodeKind::Sequence) {
            let following = node.children.iter().zip(node.children.iter().skip(1));
            edges.extend(following.map(|(one, next)| (end(*one), begin(*next))));
        }
    }
    edges.extend(template.links.iter().map(|link| (end(link.source), begin(link.target))));
    let points = template.nodes.len() * 2;
    let forward = left_over(points, &edges);
    let turned: Vec<(usize, usize)> = edges.iter().map(|(from, to)| (*to, *from)).collect();
    let backward = left_over(points, &turned);
    let is_in = |point: usize| forward.get(point) == Some(&true) && backward.get(point) == Some(&true);
    for link in template.links.iter().filter(|link| is_in(end(link.source)) && is_in(begin(link.target))) {
        let source = template.name_of(link.source);
        let reason = format!("it waits for `{source}`, which waits for it");
        findings.push(Finding::error(template.name_of(link.target), reason, "remove one of the links"));
    }
}

/// The points that a circle leads to.
fn left_over(points: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); points];
    let mut arriving = vec![0_usize; points];
    for (from, to) in edges {
        if let (Some(leaving), Some(arriving)) = (leaving.get_mut(*from), arriving.get_mut(*to)) {
            leaving.push(*to);
            *arriving += 1;
        }
    }
    let mut free: VecDeque<usize> =
        arriving.iter().enumerate().filter(|(_, count)| **count == 0).map(|(point, _)| point).collect();
    let mut left = vec![true; points];
    while let Some(point) = free.pop_front() {
        if let Some(left) = left.get_mut(point) {
            *left = false;
        }
        for to in leaving.get(point).into_iter().flatten() {
            if let Some(count) = arriving.get_mut(*to) {
                *count -= 1;
                if *count == 0 {
                    free.push_back(*to);
                }
            }
        }
    }
    left
}
