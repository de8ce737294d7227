//! Puts a price on what can grow with the data.
//!
//! A comprehension is the only loop of CEL. Its range is charged before it runs, with one step
//! for each node of its body and item; what it collects, compares or joins is charged as it
//! arises. Nested comprehensions charge each time the inner one begins. The name of the
//! charging function cannot be written in CEL.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedEntryExpr, LiteralValue, operators};
use cel::common::types::CelInt;
use cel::{Context, ExecutionError, IdedExpr, Value};

use super::convert::text_cost;

const CHARGE: &str = "@charge";

/// What is left of an evaluation's cost.
pub(super) struct Budget {
    left: AtomicU64,
}

impl Budget {
    pub(super) const fn new(steps: u64) -> Self {
        Self { left: AtomicU64::new(steps) }
    }

    /// Whether something wanted more than was left: even if the expression then came to a
    /// value by another way (`error || true` is true in CEL), it has been too costly.
    pub(super) fn is_exhausted(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn take(&self, steps: u64) -> bool {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(steps);
        self.left.store(left, Ordering::Relaxed);
        left > 0
    }
}

/// Makes the charging function known to an evaluation.
pub(super) fn install(context: &mut Context<'_, '_>, budget: &Arc<Budget>) {
    let budget = Arc::clone(budget);
    let charge = move |value: Value, per_item: i64| -> Result<Value, ExecutionError> {
        let items = match &value {
            Value::List(items) => items.len(),
            Value::Map(map) => map.map.len(),
            _ => 0,
        };
        let body = u64::try_from(items).unwrap_or(u64::MAX).saturating_mul(per_item.unsigned_abs());
        if budget.take(size(&value).saturating_add(body)) {
            Ok(value)
        } else {
            Err(ExecutionError::function_error("expression", "it costs too much"))
        }
    };
    // The only failure is a name that is taken, and nobody else can write this one.
    let _is_new = context.add_function(CHARGE, charge);
}

/// The values in a value, with one more for each 16 bytes of text.
fn size(value: &Value) -> u64 {
    let inner: u64 = match value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(map) => map.map.values().map(size).sum(),
        _ => 0,
    };
    1 + text_cost(value) + inner
}

/// Wraps what can grow into a charge.
pub(super) fn meter(tree: &mut IdedExpr) {
    visit(tree, false);
}

fn visit(tree: &mut IdedExpr, is_repeated: bool) {
    match &mut tree.expr {
        Expr::Comprehension(comprehension) => {
            visit(&mut comprehension.iter_range, is_repeated);
            visit(&mut comprehension.loop_step, true);
            let body = nodes(&comprehension.loop_step);
            charge(&mut comprehension.iter_range, body);
        }
        Expr::Call(call) => {
            let is_charged = is_repeated && grows(call);
            let parts = call.target.as_deref_mut().into_iter().chain(call.args.iter_mut());
            for part in parts {
                visit(part, is_repeated);
                if is_charged && is_open(part) {
                    charge(part, 0);
                }
            }
        }
        Expr::List(list) => list.elements.iter_mut().for_each(|element| {
            visit(element, is_repeated);
            if is_repeated && is_open(element) {
                charge(element, 0);
            }
        }),
        Expr::Map(map) => map.entries.iter_mut().for_each(|entry| visit_entry(entry, is_repeated)),
        Expr::Struct(message) => message.entries.iter_mut().for_each(|entry| visit_entry(entry, is_repeated)),
        Expr::Select(select) => visit(&mut select.operand, is_repeated),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

fn visit_entry(entry: &mut IdedEntryExpr, is_repeated: bool) {
    match &mut entry.expr {
        EntryExpr::StructField(field) => visit(&mut field.value, is_repeated),
        EntryExpr::MapEntry(pair) => {
            visit(&mut pair.key, is_repeated);
            visit(&mut pair.value, is_repeated);
        }
    }
}

/// Whether a call's work grows with its operands. The logical operators are left as they are:
/// `cel` recognises its own macros by their shape, and they touch one bit.
fn grows(call: &CallExpr) -> bool {
    let name = call.func_name.as_str();
    let is_logical = name == operators::LOGICAL_AND
        || name == operators::LOGICAL_OR
        || name == operators::LOGICAL_NOT
        || name == operators::NOT_STRICTLY_FALSE
        || name == operators::CONDITIONAL
        || name == operators::INDEX;
    // `@result + [x]` is how `map` and `filter` collect; the element is charged in its list.
    let collects = matches!(call.args.first().map(|first| &first.expr), Some(Expr::Ident(name)) if name.starts_with('@'));
    !is_logical && !collects
}

/// Whether the value of a part is not in the text itself.
const fn is_open(part: &IdedExpr) -> bool {
    matches!(part.expr, Expr::Ident(_) | Expr::Select(_) | Expr::Call(_) | Expr::Comprehension(_))
}

fn charge(part: &mut IdedExpr, per_item: i64) {
    let id = part.id;
    let inner = std::mem::take(part);
    let price = IdedExpr { id, expr: Expr::Literal(LiteralValue::Int(CelInt::from(per_item))) };
    let call = CallExpr { func_name: CHARGE.to_owned(), target: None, args: vec![inner, price] };
    *part = IdedExpr { id, expr: Expr::Call(call) };
}

/// How many nodes a tree has.
fn nodes(tree: &IdedExpr) -> i64 {
    let mut count = 0;
    parts(tree, &mut |part| count += nodes(part));
    count + 1
}

/// How deep a tree is.
pub(super) fn depth(tree: &IdedExpr) -> usize {
    let mut deepest = 0;
    parts(tree, &mut |part| deepest = deepest.max(depth(part)));
    deepest + 1
}

/// Visits what is directly in a node.
pub(super) fn parts<'a>(tree: &'a IdedExpr, visit: &mut dyn FnMut(&'a IdedExpr)) {
    let visit_entry = |entry: &'a IdedEntryExpr, visit: &mut dyn FnMut(&'a IdedExpr)| match &entry.expr {
        EntryExpr::StructField(field) => visit(&field.value),
        EntryExpr::MapEntry(pair) => {
            visit(&pair.key);
            visit(&pair.value);
        }
    };
    match &tree.expr {
        Expr::Comprehension(comprehension) => {
            visit(&comprehension.iter_range);
            visit(&comprehension.accu_init);
            visit(&comprehension.loop_cond);
            visit(&comprehension.loop_step);
            visit(&comprehension.result);
        }
        Expr::Call(call) => {
            call.target.as_deref().into_iter().chain(&call.args).for_each(visit);
        }
        Expr::List(list) => list.elements.iter().for_each(visit),
        Expr::Map(map) => map.entries.iter().for_each(|entry| visit_entry(entry, visit)),
        Expr::Struct(message) => message.entries.iter().for_each(|entry| visit_entry(entry, visit)),
        Expr::Select(select) => visit(&select.operand),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}
