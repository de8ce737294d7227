//! Random templates as shapes: what matters of a template, without names.

use serde_json::json;

use crate::Level;
use crate::template::{BranchEvent, FaultFilter, Retry, Template};

/// A random template, before it has names.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Call { has_undo: bool },
    Sequence(Vec<Shape>),
    Parallel(Vec<Shape>),
    Any(u32, Vec<Shape>),
    ForEach { items: u32, at_once: u32, body: Box<Shape> },
    Loop { rounds: u32, body: Box<Shape> },
    Decide { chosen: usize, ways: Vec<Shape> },
    Skipped(Box<Shape>),
    Rescued { body: Box<Shape>, handler: Box<Shape> },
}

/// The level for a shape; compensations are put beside it, in a sequence around.
fn level(shape: &Shape, next: &mut u32, retry: Option<&Retry>) -> Level {
    *next += 1;
    let name = format!("l{next}");
    let all = |parts: &[Shape], next: &mut u32| {
        parts.iter().map(|part| level(part, next, retry)).collect::<Vec<_>>()
    };
    match shape {
        Shape::Call { has_undo: false } => Level { retry: retry.cloned(), ..Level::call(name, "svc.do") },
        Shape::Call { has_undo: true } => {
            Level { retry: retry.cloned(), ..Level::call(format!("u{next}"), "svc.do") }
        }
        Shape::Sequence(parts) => Level::sequence(name, all(parts, next)),
        Shape::Parallel(parts) => Level::parallel(name, all(parts, next)),
        Shape::Any(needed, parts) => Level::any(name, *needed, all(parts, next)),
        Shape::ForEach { items, at_once, body } => {
            let items: Vec<u32> = (0..*items).collect();
            Level::for_each(name, json!(items).to_string(), *at_once, level(body, next, retry))
        }
        Shape::Loop { rounds, body } => {
            Level::repeat(name, format!("index + 1 < {rounds}"), 100, level(body, next, retry))
        }
        Shape::Decide { chosen, ways } => {
            let ways: Vec<_> = (0..)
                .zip(all(ways, next))
                .map(|(place, way)| (format!("{place} == {chosen}"), way))
                .collect();
            Level::decide(name, ways, None)
        }
        Shape::Skipped(body) => level(body, next, retry).when("false"),
        Shape::Rescued { body, handler } => {
            let body = level(body, next, retry);
            Level::sequence(name, [body])
                .on(BranchEvent::Fault(FaultFilter::default()), level(handler, next, retry))
        }
    }
}

/// A template of this shape; each call that can be undone has a compensation that names its key.
pub(crate) fn shaped(shape: &Shape) -> Template {
    shaped_with(shape, None)
}

/// The same, with calls that are repeated.
pub(crate) fn shaped_with(shape: &Shape, retry: Option<&Retry>) -> Template {
    let mut next = 0;
    let root = level(shape, &mut next, retry);
    let mut template = Template::new("example", [root]);
    let undone = (1..=next).filter(|number| has_level(&template, &format!("u{number}")));
    let undo: Vec<Level> = undone
        .map(|number| {
            Level::call(format!("undo{number}"), "svc.undo")
                .compensates(format!("u{number}"))
                .account("janitor")
                .parameter("key", "key")
        })
        .collect();
    template.levels.extend(undo);
    template
}

fn has_level(template: &Template, name: &str) -> bool {
    serde_json::to_string(template).unwrap().contains(&format!("\"name\":\"{name}\""))
}
