//! Finds the operation of a path: a tree over the segments of a document's paths.
//!
//! Every node is visited once at most, so a lookup costs no more than the document has
//! segments, however its templates overlap; usually it is one hash lookup a segment. Names of
//! parameters do not matter. It allocates only where a segment is percent-encoded.

use std::borrow::Cow;
use std::collections::HashMap;

use http::Method;

use crate::path::decode;

/// How many segments a path of a document may have; longer ones are left out.
const SEGMENTS_MAX: usize = 64;

/// The paths of a document.
#[derive(Debug)]
pub(super) struct Routes {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<[u8]>, usize>,
    patterns: Vec<(Pattern, usize)>,
    parameter: Option<usize>,
    /// What ends here, by method: without and with a slash at the end.
    ends: Vec<(Method, [Option<usize>; 2])>,
}

/// A segment of literal parts and parameters, such as `{name}.json`: the parts between which
/// something must stand.
#[derive(Debug, PartialEq)]
struct Pattern {
    literals: Vec<Box<[u8]>>,
}

/// What one segment of a template is.
enum Segment<'a> {
    Literal(Cow<'a, [u8]>),
    Pattern(Pattern),
    Parameter,
}

impl Default for Routes {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl Routes {
    /// Adds a template; of two that match the same, the first stays.
    pub(super) fn insert(&mut self, template: &str, method: Method, operation: usize) {
        let (segments, has_slash) = split(template);
        if segments.clone().count() > SEGMENTS_MAX {
            return;
        }
        let mut at = 0;
        for segment in segments {
            at = self.child(at, segment_of(segment));
        }
        let Some(node) = self.nodes.get_mut(at) else { return };
        let place = usize::from(has_slash);
        let ends = match node.ends.iter_mut().position(|(known, _)| *known == method) {
            Some(position) => node.ends.get_mut(position),
            None => {
                node.ends.push((method, [None; 2]));
                node.ends.last_mut()
            }
        };
        if let Some(end) = ends.and_then(|(_, ends)| ends.get_mut(place)) {
            end.get_or_insert(operation);
        }
    }

    fn child(&mut self, at: usize, segment: Segment<'_>) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let child = match segment {
            Segment::Literal(bytes) => *node.literals.entry(bytes.into()).or_insert(next),
            Segment::Parameter => *node.parameter.get_or_insert(next),
            Segment::Pattern(pattern) => match node.patterns.iter().find(|(known, _)| *known == pattern) {
                Some((_, child)) => *child,
                None => {
                    // The one with more literal bytes says more, and is tried first.
                    let place =
                        node.patterns.partition_point(|(known, _)| known.weight() >= pattern.weight());
                    node.patterns.insert(place, (pattern, next));
                    next
                }
            },
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }

    /// The operation for a raw path, and whether its template ends with a slash.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<(usize, bool)> {
        let (segments, has_slash) = split(path);
        // What is still to be looked at, the most promising last.
        let mut branches = vec![(0, segments)];
        while let Some((at, mut rest)) = branches.pop() {
            let Some(node) = self.nodes.get(at) else { continue };
            let Some(segment) = rest.next() else {
                match node.end(method, has_slash) {
                    Some(found) => return Some(found),
                    None => continue,
                }
            };
            let segment = decode(segment);
            if segment.is_empty() {
                continue;
            }
            if let Some(child) = node.parameter {
                branches.push((child, rest.clone()));
            }
            for (pattern, child) in node.patterns.iter().rev() {
                if pattern.matches(&segment) {
                    branches.push((*child, rest.clone()));
                }
            }
            if let Some(child) = node.literals.get(segment.as_ref()) {
                branches.push((*child, rest));
            }
        }
        None
    }
}

impl Node {
    fn end(&self, method: &Method, has_slash: bool) -> Option<(usize, bool)> {
        let (_, ends) = self.ends.iter().find(|(known, _)| known == method)?;
        let [without, with] = *ends;
        let (same, other) = if has_slash { (with, without) } else { (without, with) };
        same.map(|found| (found, has_slash)).or_else(|| other.map(|found| (found, !has_slash)))
    }
}

impl Pattern {
    fn weight(&self) -> usize {
        self.literals.iter().map(|literal| literal.len()).sum()
    }

    /// Each literal is taken where it stands first; as each parameter takes at least one byte
    /// and any bytes will do, a later place would leave less for what follows.
    fn matches(&self, segment: &[u8]) -> bool {
        let [first, middle @ .., last] = self.literals.as_slice() else { return false };
        let Some(mut rest) = segment.strip_prefix(first.as_ref()) else { return false };
        for literal in middle {
            // A parameter stands before it, of one byte at least.
            let Some(after) = rest.get(1..) else { return false };
            let Some(place) = after.windows(literal.len().max(1)).position(|part| part == literal.as_ref())
            else {
                return false;
            };
            rest = after.get(place + literal.len()..).unwrap_or_default();
        }
        rest.strip_suffix(last.as_ref()).is_some_and(|parameter| !parameter.is_empty())
    }
}

/// The segments of a path, and whether it ends with a slash. The root has none and a slash.
pub(super) fn split(path: &str) -> (std::str::Split<'_, char>, bool) {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.strip_suffix('/') {
        Some(inner) => (inner.split('/'), true),
        None if path.is_empty() => {
            let mut none = path.split('/');
            none.next();
            (none, true)
        }
        None => (path.split('/'), false),
    }
}

fn segment_of(text: &str) -> Segment<'_> {
    let mut literals: Vec<Box<[u8]>> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        // Two parameters side by side cannot be told apart: they count as one.
        if literals.is_empty() || !before.is_empty() {
            literals.push(decode(before).into());
        }
        rest = after;
    }
    if literals.is_empty() {
        return Segment::Literal(decode(text));
    }
    literals.push(decode(rest).into());
    if literals.iter().all(|literal| literal.is_empty()) {
        return Segment::Parameter;
    }
    Segment::Pattern(Pattern { literals })
}

#[cfg(test)]
mod tests;
