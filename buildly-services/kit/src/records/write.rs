//! Writing one record, with the links it has.

use buildly_model::{OrganizationId, StoreError};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Records, read_row};
use crate::overlap::{self, FREE_TIME};
use crate::references::{probe, targets};
use crate::shape::{Row, Shape};
use crate::statement::{Dialect, Expected, Statement};
use crate::value::Cell;
use crate::{Error, FieldError};

impl Records {
    pub(super) async fn insert(
        &self,
        shape: &Shape,
        organization: OrganizationId,
        row: Row,
    ) -> Result<Row, Error> {
        self.check_references(shape, organization, &row.fields).await?;
        let statements = insert(self.database.dialect(), shape, organization, &row);
        match self.database.write(statements).await {
            Ok(()) => Ok(row),
            Err(error) => Err(self.refused(shape, (organization, &row), error).await),
        }
    }

    pub(super) async fn update(
        &self,
        shape: &Shape,
        organization: OrganizationId,
        current: Row,
        fields: Map<String, Value>,
    ) -> Result<Row, Error> {
        self.check_references(shape, organization, &fields).await?;
        let row = Row { version: current.version + 1, updated_at: self.clock.now(), fields, ..current };
        let statements = update(self.database.dialect(), shape, organization, &row);
        match self.database.write(statements).await {
            Ok(()) => Ok(row),
            Err(error) => Err(self.refused(shape, (organization, &row), error).await),
        }
    }

    /// What a refused write means to the caller. Who has the time is looked up after the fact;
    /// if nobody has it any more, the write may be tried again.
    pub(super) async fn refused(
        &self,
        shape: &Shape,
        (organization, row): (OrganizationId, &Row),
        error: StoreError,
    ) -> Error {
        match (error, &shape.record_type.overlap) {
            (StoreError::Taken { field }, _) => Error::Taken { field },
            (StoreError::Missing { what: FREE_TIME }, Some(overlap)) => {
                let statement = overlap::select(self.database.dialect(), shape, overlap, (organization, row));
                match self.database.rows(statement).await {
                    Err(error) => error.into(),
                    Ok(rows) => match rows.first().map(|cells| read_row(shape, cells)) {
                        None => StoreError::Stale.into(),
                        Some(Err(error)) => error,
                        Some(Ok(other)) => {
                            let (id, starts, ends) = overlap::describe(overlap, &other);
                            Error::Overlaps { what: shape.name(), id, starts, ends }
                        }
                    },
                }
            }
            (other, _) => other.into(),
        }
    }

    /// Refuses links to records that do not exist in this organization, all at once.
    pub(super) async fn check_references(
        &self,
        shape: &Shape,
        organization: OrganizationId,
        fields: &Map<String, Value>,
    ) -> Result<(), Error> {
        let mut errors = Vec::new();
        for (reference, id) in targets(shape, fields) {
            if let Some(target) = self.shapes.iter().find(|target| target.name() == reference.record_type) {
                self.begin(target, organization).await?;
            }
            let statement = probe(self.database.dialect(), reference.record_type, (organization, id), "");
            if self.database.rows(statement).await?.is_empty() {
                let message = format!("There is no {} with this id.", reference.record_type);
                errors.push(FieldError::new(reference.field, message));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }

    pub(super) fn new_id(&self) -> Uuid {
        buildly_model::EventId::generate(self.clock.now(), &*self.random).as_uuid()
    }

    pub(super) fn new_row(&self, id: Uuid, fields: Map<String, Value>) -> Row {
        let now = self.clock.now();
        Row { id, version: 1, created_at: now, updated_at: now, fields }
    }
}

/// Locks what the record points at, then writes it.
pub(super) fn insert(
    dialect: Dialect,
    shape: &Shape,
    organization: OrganizationId,
    row: &Row,
) -> Vec<Statement> {
    let mut statements = locks(dialect, shape, organization, row);
    let mut statement = Statement::new(dialect);
    statement.push("INSERT INTO ").name(shape.name());
    statement.push(" (organization_id, id, version, created_at, updated_at, search_text");
    for field in &shape.fields {
        statement.push(", ").name(&field.name);
    }
    statement.push(") VALUES (");
    let own = [
        Cell::Uuid(organization.as_uuid()),
        Cell::Uuid(row.id),
        version(row),
        Cell::Integer(row.created_at.as_microseconds()),
        Cell::Integer(row.updated_at.as_microseconds()),
        Cell::Text(shape.search_text(&row.fields)),
    ];
    statement.bind_all(own.into_iter().chain(shape.fields.iter().map(|field| field.cell(&row.fields))));
    statement.push(")");
    statements.push(statement);
    statements
}

/// Locks what the record points at, then moves it on from the version before.
fn update(dialect: Dialect, shape: &Shape, organization: OrganizationId, row: &Row) -> Vec<Statement> {
    let mut statements = locks(dialect, shape, organization, row);
    let mut statement = Statement::new(dialect);
    statement.push("UPDATE ").name(shape.name()).push(" SET version = ").bind(version(row));
    statement.push(", updated_at = ").bind(Cell::Integer(row.updated_at.as_microseconds()));
    statement.push(", search_text = ").bind(Cell::Text(shape.search_text(&row.fields)));
    for field in &shape.fields {
        statement.push(", ").name(&field.name).push(" = ").bind(field.cell(&row.fields));
    }
    statement.push(" WHERE organization_id = ").bind(Cell::Uuid(organization.as_uuid()));
    statement.push(" AND id = ").bind(Cell::Uuid(row.id));
    statement.push(" AND version = ").bind(Cell::Integer(i64::try_from(row.version - 1).unwrap_or(i64::MAX)));
    statements.push(statement.expecting(Expected::One));
    statements
}

/// Keeps what the record points at from going, keeps others from taking the same time there
/// meanwhile, and refuses if somebody has.
fn locks(dialect: Dialect, shape: &Shape, organization: OrganizationId, row: &Row) -> Vec<Statement> {
    let overlap = shape.record_type.overlap.filter(|overlap| overlap.takes_time(&row.fields));
    let lock = |field: &str| match overlap {
        Some(overlap) if overlap.within == field => " FOR NO KEY UPDATE",
        _ => " FOR KEY SHARE",
    };
    targets(shape, &row.fields)
        .map(|(reference, id)| {
            probe(dialect, reference.record_type, (organization, id), lock(reference.field))
        })
        .chain(overlap::probe(dialect, shape, (organization, row)))
        .collect()
}

fn version(row: &Row) -> Cell {
    Cell::Integer(i64::try_from(row.version).unwrap_or(i64::MAX))
}
