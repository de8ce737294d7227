//! The statement of a list.

use super::{Filter, ListQuery, Position, Test};
use crate::access::{self, Right, Scope};
use crate::shape::Shape;
use crate::statement::{Dialect, Statement};
use crate::table::order_expression;
use crate::value::{Cell, Kind};

/// One expression of the order, with its direction.
struct Key {
    expression: String,
    is_descending: bool,
}

/// Asks for one page and one row more, which says whether there is another page.
///
/// Columns: `id, version, created_at, updated_at`, then each field. Rows of a page before a
/// position come in turned order.
pub(crate) fn select(
    dialect: Dialect,
    (shapes, shape): (&[Shape], &Shape),
    scope: Scope,
    list: &ListQuery,
) -> Statement {
    let mut statement = columns(dialect, shape);
    push_condition(&mut statement, (shapes, shape), scope, list);
    let is_backward = list.position.as_ref().is_some_and(|position| position.is_backward);
    let keys = keys(list, is_backward);
    if let Some(position) = &list.position {
        push_position(&mut statement, &keys, position);
    }
    statement.push(" ORDER BY ");
    for (position, key) in keys.iter().enumerate() {
        let separator = if position > 0 { ", " } else { "" };
        let direction = if key.is_descending { "DESC" } else { "ASC" };
        statement.push(&format!("{separator}{} {direction}", key.expression));
    }
    statement.push(" LIMIT ").bind(Cell::Integer(i64::from(list.size.rows()) + 1));
    statement
}

/// Which records a list shows in this scope, on all its pages.
pub(crate) fn push_condition(
    statement: &mut Statement,
    (shapes, shape): (&[Shape], &Shape),
    scope: Scope,
    list: &ListQuery,
) {
    statement.push(" FROM ").name(shape.name()).push(" WHERE organization_id = ");
    statement.bind(Cell::Uuid(scope.organization.as_uuid()));
    access::push(statement, shapes, shape, scope, Right::Read);
    for filter in &list.filters {
        statement.push(" AND ");
        push_filter(statement, filter);
    }
    for word in &list.words {
        let find = if statement.dialect == Dialect::Sqlite { "instr" } else { "strpos" };
        statement.push(&format!(" AND {find}(search_text, ")).bind(Cell::Text(word.clone())).push(") > 0");
    }
}

/// `SELECT` and the columns that a [`crate::shape::Row`] is read from.
pub(crate) fn columns(dialect: Dialect, shape: &Shape) -> Statement {
    let mut statement = Statement::new(dialect);
    statement.push("SELECT id, version, created_at, updated_at");
    let mut kinds = vec![Kind::Uuid, Kind::Integer, Kind::Integer, Kind::Integer];
    for field in &shape.fields {
        statement.push(", ").name(&field.name);
        kinds.push(field.kind);
    }
    statement.answering(kinds)
}

fn keys(list: &ListQuery, is_backward: bool) -> Vec<Key> {
    let mut keys: Vec<Key> = list
        .order
        .iter()
        .map(|order| Key {
            expression: order_expression(&order.column.name, order.column.kind, order.column.may_be_null),
            is_descending: order.is_descending != is_backward,
        })
        .collect();
    keys.push(Key { expression: "id".to_owned(), is_descending: is_backward });
    keys
}

fn push_filter(statement: &mut Statement, filter: &Filter) {
    let column = filter.column.name.as_str();
    match &filter.test {
        Test::Equal(cell) => statement.name(column).push(" = ").bind(cell.clone()),
        Test::AtLeast(cell) => statement.name(column).push(" >= ").bind(cell.clone()),
        Test::AtMost(cell) => statement.name(column).push(" <= ").bind(cell.clone()),
        Test::OneOf(cells) if cells.is_empty() => statement.push("1 = 0"),
        Test::OneOf(cells) => statement.name(column).push(" IN (").bind_all(cells.iter().cloned()).push(")"),
        Test::Missing => statement.name(column).push(" IS NULL"),
        Test::Present => statement.name(column).push(" IS NOT NULL"),
    };
}

/// Rows beyond the position: `a > x OR (a = x AND (b > y OR (b = y AND id > z)))`, and `a >= x`
/// beside it, which an index can use.
fn push_position(statement: &mut Statement, keys: &[Key], position: &Position) {
    let cells: Vec<Cell> = position.cells.iter().cloned().chain([Cell::Uuid(position.id)]).collect();
    let beyond = |key: &Key| if key.is_descending { " < " } else { " > " };
    if let (Some(key), Some(cell)) = (keys.first(), cells.first()) {
        let at_or_beyond = if key.is_descending { " <= " } else { " >= " };
        statement.push(" AND ").push(&key.expression).push(at_or_beyond).bind(cell.clone());
    }
    statement.push(" AND (");
    for (depth, (key, cell)) in keys.iter().zip(&cells).enumerate() {
        if depth > 0 {
            statement.push(" OR (");
            if let Some((above, value)) = keys.iter().zip(&cells).nth(depth - 1) {
                statement.push(&above.expression).push(" = ").bind(value.clone()).push(" AND (");
            }
        }
        statement.push(&key.expression).push(beyond(key)).bind(cell.clone());
    }
    for _ in 1..keys.len() {
        statement.push("))");
    }
    statement.push(")");
}
