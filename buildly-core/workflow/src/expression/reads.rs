//! What an expression reads, and what its text alone says of its type.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use super::meter::parts;

/// A variable that an expression reads, or one member of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The variable: `input`, `levels`, …
    pub root: String,
    /// The member, if the text names it: `email` of `input.email`.
    pub member: Option<String>,
}

/// What `tree` reads, each once.
pub(super) fn of(tree: &IdedExpr) -> Box<[Read]> {
    let mut reads = Vec::new();
    collect(tree, &mut Vec::new(), &mut reads);
    reads.sort_unstable();
    reads.dedup();
    reads.into()
}

fn collect<'a>(tree: &'a IdedExpr, local: &mut Vec<&'a str>, reads: &mut Vec<Read>) {
    match &tree.expr {
        Expr::Ident(name) => {
            if !local.contains(&name.as_str()) && !name.starts_with('@') {
                reads.push(Read { root: name.clone(), member: None });
            }
        }
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(root) if !local.contains(&root.as_str()) => {
                reads.push(Read { root: root.clone(), member: Some(select.field.clone()) });
            }
            _ => collect(&select.operand, local, reads),
        },
        Expr::Comprehension(comprehension) => {
            // The range is outside of the scope of the item's name.
            collect(&comprehension.iter_range, local, reads);
            collect(&comprehension.accu_init, local, reads);
            let outside = local.len();
            local.push(&comprehension.iter_var);
            local.extend(comprehension.iter_var2.as_deref());
            local.push(&comprehension.accu_var);
            collect(&comprehension.loop_cond, local, reads);
            collect(&comprehension.loop_step, local, reads);
            collect(&comprehension.result, local, reads);
            local.truncate(outside);
        }
        Expr::Call(_)
        | Expr::List(_)
        | Expr::Map(_)
        | Expr::Struct(_)
        | Expr::Literal(_)
        | Expr::Unspecified => {
            parts(tree, &mut |part| collect(part, local, reads));
        }
    }
}

/// The type that every value of `tree` has, where the text says so.
pub(super) fn known_type(tree: &IdedExpr) -> Option<&'static str> {
    match &tree.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => Some("true or false"),
            LiteralValue::String(_) => Some("a text"),
            LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Some("a number"),
            LiteralValue::Null => Some("nothing"),
            LiteralValue::Bytes(_) => None,
        },
        Expr::List(_) => Some("a list"),
        Expr::Map(_) => Some("an object"),
        Expr::Select(select) if select.test => Some("true or false"),
        Expr::Call(call) => match call.func_name.as_str() {
            operators::EQUALS
            | operators::NOT_EQUALS
            | operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS
            | operators::LOGICAL_AND
            | operators::LOGICAL_OR
            | operators::LOGICAL_NOT
            | operators::IN => Some("true or false"),
            "size" => Some("a number"),
            "startsWith" | "endsWith" | "contains" => Some("true or false"),
            _ => None,
        },
        Expr::Select(_) | Expr::Ident(_) | Expr::Comprehension(_) | Expr::Struct(_) | Expr::Unspecified => {
            None
        }
    }
}

/// The truth that `tree` is written as.
pub(super) fn constant(tree: &IdedExpr) -> Option<bool> {
    match &tree.expr {
        Expr::Literal(LiteralValue::Boolean(truth)) => Some(*truth.inner()),
        _ => None,
    }
}
