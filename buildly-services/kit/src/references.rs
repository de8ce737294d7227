//! Links between records of one service: what must exist, and what happens to those who
//! point at a record that goes. Pure: statements out.
//!
//! A record that is pointed at is locked before the pointing one is written, and a record
//! that goes is locked before those who point at it are looked for; so no link can be left
//! dangling by two writes at the same time.

use buildly_model::{OrganizationId, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::access::{self, Right, Scope};
use crate::record::{OnDelete, Reference};
use crate::shape::{DeclarationError, Shape};
use crate::statement::{Dialect, Expected, Statement};
use crate::value::{Cell, Kind};

/// What a deletion was missing when others still point at its record.
pub(crate) const REFERENCED: &str = "record that nothing points at";

/// Checks the links of all record types of a service.
///
/// # Errors
/// [`DeclarationError`] if a target is unknown, or if records that go along with another are
/// pointed at themselves.
pub(crate) fn check(shapes: &[Shape]) -> Result<(), DeclarationError> {
    for shape in shapes {
        let refuse = |reason: String| DeclarationError { record_type: shape.name().to_owned(), reason };
        for reference in &shape.record_type.references {
            if !shapes.iter().any(|target| target.name() == reference.record_type) {
                return Err(refuse(format!(
                    "`{}` points at an unknown `{}`",
                    reference.field, reference.record_type
                )));
            }
            let is_pointed_at = referring(shapes, shape.name()).next().is_some();
            if reference.on_delete == OnDelete::Delete && is_pointed_at {
                return Err(refuse(format!(
                    "it goes along with its `{}` but is pointed at itself; use `Refuse` or `Clear` there",
                    reference.record_type
                )));
            }
        }
    }
    Ok(())
}

/// The links of a record that are set.
pub(crate) fn targets<'a>(
    shape: &'a Shape,
    fields: &'a Map<String, Value>,
) -> impl Iterator<Item = (&'a Reference, Uuid)> {
    shape.record_type.references.iter().filter_map(|reference| {
        match Kind::Uuid.read_json(fields.get(reference.field)?) {
            Ok(Cell::Uuid(id)) => Some((reference, id)),
            _ => None,
        }
    })
}

/// Asks for one record by its id, of which there must be one.
pub(crate) fn probe(
    dialect: Dialect,
    record_type: &str,
    (organization, id): (OrganizationId, Uuid),
) -> Statement {
    let mut statement = Statement::new(dialect);
    statement.push("SELECT id FROM ").name(record_type).push(" WHERE organization_id = ");
    statement.bind(Cell::Uuid(organization.as_uuid()));
    statement.push(" AND id = ").bind(Cell::Uuid(id));
    statement.answering(vec![Kind::Uuid]).expecting(Expected::One)
}

/// Everything that deletes one record of a version, and what goes or changes with it.
pub(crate) fn delete(
    dialect: Dialect,
    shapes: &[Shape],
    shape: &Shape,
    (scope, id, version): (Scope, Uuid, u64),
    now: Timestamp,
) -> Vec<Statement> {
    let organization = scope.organization;
    let tenant = Cell::Uuid(organization.as_uuid());
    let mut itself = probe(dialect, shape.name(), (organization, id));
    if dialect == Dialect::Postgres {
        itself.push(" FOR UPDATE");
    }
    let mut statements = vec![itself];
    for (child, reference) in referring(shapes, shape.name()) {
        let mut statement = Statement::new(dialect);
        match reference.on_delete {
            OnDelete::Refuse => statement.push("SELECT id FROM ").name(child.name()),
            OnDelete::Delete => statement.push("DELETE FROM ").name(child.name()),
            OnDelete::Clear => {
                statement.push("UPDATE ").name(child.name()).push(" SET ").name(reference.field);
                statement
                    .push(" = ")
                    .bind(Cell::Null(Kind::Uuid))
                    .push(", version = version + 1, updated_at = ");
                statement.bind(Cell::Integer(now.as_microseconds()))
            }
        };
        statement.push(" WHERE organization_id = ").bind(tenant.clone());
        statement.push(" AND ").name(reference.field).push(" = ").bind(Cell::Uuid(id));
        statements.push(match reference.on_delete {
            OnDelete::Refuse => {
                statement.push(" LIMIT 1");
                statement.answering(vec![Kind::Uuid]).expecting(Expected::None(REFERENCED))
            }
            OnDelete::Clear | OnDelete::Delete => statement,
        });
    }
    let mut statement = Statement::new(dialect);
    statement.push("DELETE FROM ").name(shape.name()).push(" WHERE organization_id = ").bind(tenant);
    statement.push(" AND id = ").bind(Cell::Uuid(id));
    statement.push(" AND version = ").bind(Cell::Integer(i64::try_from(version).unwrap_or(i64::MAX)));
    access::push(&mut statement, shapes, shape, scope, Right::Write);
    statements.push(statement.expecting(Expected::One));
    statements
}

fn referring<'a>(shapes: &'a [Shape], name: &'a str) -> impl Iterator<Item = (&'a Shape, &'a Reference)> {
    shapes.iter().flat_map(move |shape| {
        let references = shape.record_type.references.iter();
        references
            .filter(move |reference| reference.record_type == name)
            .map(move |reference| (shape, reference))
    })
}
