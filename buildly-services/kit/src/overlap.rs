//! Records that must not share time, such as the appointments of one calendar. Pure:
//! statements out.
//!
//! The record that they belong to is locked before its times are looked through, so of two
//! writes at the same moment the second sees the first.

use buildly_model::OrganizationId;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::shape::{Row, Shape};
use crate::statement::{Dialect, Expected, Statement};
use crate::value::{Cell, Kind};

/// What a write was missing when another record has its time.
pub(crate) const FREE_TIME: &str = "free time";

/// Which records may not overlap. A record has the time from its start up to, but without,
/// its end, so that one may begin when another ends.
#[derive(Debug, Clone, Copy)]
pub struct Overlap {
    pub(crate) within: &'static str,
    pub(crate) starts: &'static str,
    pub(crate) ends: &'static str,
    unless: Option<(&'static str, &'static str)>,
}

impl Overlap {
    /// Records with the same link `within`, each from the instant `starts` to the instant `ends`.
    #[must_use]
    pub const fn of(within: &'static str, starts: &'static str, ends: &'static str) -> Self {
        Self { within, starts, ends, unless: None }
    }

    /// A record whose text field `field` is `value` takes no time.
    #[must_use]
    pub const fn unless(mut self, field: &'static str, value: &'static str) -> Self {
        self.unless = Some((field, value));
        self
    }

    /// Refuses a declaration that does not fit the fields.
    ///
    /// # Errors
    /// The reason.
    pub(crate) fn check_declaration(&self, shape: &Shape) -> Result<(), String> {
        let is_link = shape.record_type.references.iter().any(|reference| reference.field == self.within);
        if !is_link {
            return Err(format!("`{}` is no reference, so nothing can be kept apart in it", self.within));
        }
        for name in [self.starts, self.ends] {
            if shape.field(name).is_none_or(|field| field.kind != Kind::Instant || field.is_nullable) {
                return Err(format!("`{name}` is no instant that every record has"));
            }
        }
        match self.unless {
            Some((name, _)) if shape.field(name).is_none_or(|field| field.kind != Kind::Text) => {
                Err(format!("`{name}` is no text field"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a record takes time from others.
    pub(crate) fn takes_time(&self, fields: &Map<String, Value>) -> bool {
        let is_in_one = fields.get(self.within).is_some_and(|value| !value.is_null());
        is_in_one && self.unless.is_none_or(|(name, value)| fields.get(name).is_none_or(|is| is != value))
    }
}

/// Asks for a record whose time the row would take, as a [`Row`] is read.
pub(crate) fn select(
    dialect: Dialect,
    shape: &Shape,
    overlap: &Overlap,
    (organization, row): (OrganizationId, &Row),
) -> Statement {
    push_condition(crate::list::select_columns(dialect, shape), shape, overlap, (organization, row))
}

/// Refuses the write if there is such a record; nothing if the row takes no time.
pub(crate) fn probe(
    dialect: Dialect,
    shape: &Shape,
    (organization, row): (OrganizationId, &Row),
) -> Option<Statement> {
    let overlap = shape.record_type.overlap.as_ref().filter(|overlap| overlap.takes_time(&row.fields))?;
    let mut statement = Statement::new(dialect).answering(vec![Kind::Uuid]);
    statement.push("SELECT id");
    let statement = push_condition(statement, shape, overlap, (organization, row));
    Some(statement.expecting(Expected::None(FREE_TIME)))
}

fn push_condition(
    mut statement: Statement,
    shape: &Shape,
    overlap: &Overlap,
    (organization, row): (OrganizationId, &Row),
) -> Statement {
    let cell = |name: &str| shape.field(name).map_or(Cell::Null(Kind::Json), |field| field.cell(&row.fields));
    statement.push(" FROM ").name(shape.name()).push(" WHERE organization_id = ");
    statement.bind(Cell::Uuid(organization.as_uuid()));
    statement.push(" AND ").name(overlap.within).push(" = ").bind(cell(overlap.within));
    statement.push(" AND ").name(overlap.starts).push(" < ").bind(cell(overlap.ends));
    statement.push(" AND ").name(overlap.ends).push(" > ").bind(cell(overlap.starts));
    if let Some((name, value)) = overlap.unless {
        statement.push(" AND (").name(name).push(" IS NULL OR ").name(name).push(" <> ");
        statement.bind(Cell::Text(value.to_owned())).push(")");
    }
    statement.push(" AND id <> ").bind(Cell::Uuid(row.id));
    statement.push(" ORDER BY ").name(overlap.ends).push(" LIMIT 1");
    statement
}

/// The id and the times of a record that has the time already.
pub(crate) fn describe(overlap: &Overlap, row: &Row) -> (Uuid, String, String) {
    let text = |name: &str| row.fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (row.id, text(overlap.starts), text(overlap.ends))
}
