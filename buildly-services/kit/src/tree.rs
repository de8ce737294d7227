//! Records that contain each other, such as folders: no circles, and no endless depth. Pure:
//! statements out.
//!
//! Two moves at the same moment could make a circle that neither sees alone, so moves in one
//! organization's tree wait for each other.

use buildly_model::OrganizationId;
use serde_json::Value;
use uuid::Uuid;

use crate::Error;
use crate::shape::{Row, Shape};
use crate::statement::{Dialect, Expected, Statement};
use crate::value::{Cell, Kind};

/// The most levels of a tree.
const LEVELS_MAX: i64 = 50;

/// What a write was missing when it would make a circle.
pub(crate) const CIRCLE: &str = "tree without a circle";
/// What a write was missing when it would make the tree too deep.
pub(crate) const DEPTH: &str = "room for another level";

/// What must hold when the row is written under another parent than before.
pub(crate) fn probes(
    dialect: Dialect,
    shape: &Shape,
    organization: OrganizationId,
    (row, before): (&Row, Option<&Row>),
) -> Vec<Statement> {
    let Some(field) = shape.record_type.tree else { return Vec::new() };
    let parent =
        |row: &Row| row.fields.get(field).and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
    let Some(to) = parent(row).filter(|to| before.and_then(parent) != Some(*to)) else { return Vec::new() };
    let mut statements = Vec::new();
    if dialect == Dialect::Postgres {
        let mut lock = Statement::new(dialect);
        lock.push(
            "SELECT pg_advisory_xact_lock(hashtextextended('buildly-kit tree ' || current_schema() || ",
        );
        lock.bind(Cell::Text(format!(" {} {organization}", shape.name()))).push(", 0))");
        statements.push(lock);
    }
    let walk = Walk { shape, field, organization };
    let mut circle = Statement::new(dialect).answering(vec![Kind::Uuid]);
    circle.push("WITH RECURSIVE ");
    walk.push_above(&mut circle, to);
    circle.push(" SELECT id FROM above WHERE id = ").bind(Cell::Uuid(row.id));
    statements.push(circle.expecting(Expected::None(CIRCLE)));
    let mut depth = Statement::new(dialect).answering(vec![Kind::Integer]);
    depth.push("WITH RECURSIVE ");
    walk.push_above(&mut depth, to);
    depth.push(", ");
    walk.push_below(&mut depth, row.id);
    depth.push(
        " SELECT 1 WHERE (SELECT MAX(level) FROM above) + (SELECT COALESCE(MAX(level), 0) + 1 FROM below) > ",
    );
    depth.bind(Cell::Integer(LEVELS_MAX));
    statements.push(depth.expecting(Expected::None(DEPTH)));
    statements
}

/// The error of a write that a probe refused.
pub(crate) fn refused(shape: &Shape, missing: &'static str) -> Error {
    let name = shape.name();
    let message = if missing == CIRCLE {
        format!("Expected another {name} than this one and those below it; a {name} cannot be in itself.")
    } else {
        format!("Expected at most {LEVELS_MAX} levels; choose a {name} further up.")
    };
    Error::field(shape.record_type.tree.unwrap_or("id"), message)
}

struct Walk<'a> {
    shape: &'a Shape,
    field: &'static str,
    organization: OrganizationId,
}

impl Walk<'_> {
    /// `above (id, parent, level)`: a record and everything that it is in.
    fn push_above(&self, statement: &mut Statement, from: Uuid) {
        statement.push("above (id, parent, level) AS (SELECT node.id, node.").name(self.field).push(", 1");
        self.push_from(statement, "node").push(" AND node.id = ").bind(Cell::Uuid(from));
        statement
            .push(" UNION ALL SELECT node.id, node.")
            .name(self.field)
            .push(", above.level + 1 FROM above JOIN ");
        statement
            .name(self.shape.name())
            .push(" AS node ON node.id = above.parent AND node.organization_id = ");
        statement.bind(Cell::Uuid(self.organization.as_uuid()));
        statement.push(&format!(" WHERE above.level <= {LEVELS_MAX})"));
    }

    /// `below (id, level)`: everything in a record, without itself.
    fn push_below(&self, statement: &mut Statement, from: Uuid) {
        statement.push("below (id, level) AS (SELECT node.id, 1");
        self.push_from(statement, "node")
            .push(" AND node.")
            .name(self.field)
            .push(" = ")
            .bind(Cell::Uuid(from));
        statement.push(" UNION ALL SELECT node.id, below.level + 1 FROM below JOIN ").name(self.shape.name());
        statement.push(" AS node ON node.").name(self.field).push(" = below.id AND node.organization_id = ");
        statement.bind(Cell::Uuid(self.organization.as_uuid()));
        statement.push(&format!(" WHERE below.level <= {LEVELS_MAX})"));
    }

    fn push_from<'a>(&self, statement: &'a mut Statement, alias: &str) -> &'a mut Statement {
        statement
            .push(" FROM ")
            .name(self.shape.name())
            .push(&format!(" AS {alias} WHERE {alias}.organization_id = "));
        statement.bind(Cell::Uuid(self.organization.as_uuid()))
    }
}
