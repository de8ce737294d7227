//! Writing one record, with the links it has.

use buildly_model::{OrganizationId, StoreError};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Records, read_row};
use crate::access::{self, Right, Scope};
use crate::overlap::{self, FREE_TIME};
use crate::record::Reference;
use crate::references::{probe, targets};
use crate::shape::{Row, Shape};
use crate::statement::{Dialect, Expected, Statement};
use crate::tree::{self, CIRCLE, DEPTH};
use crate::value::Cell;
use crate::{Error, FieldError};

impl Records {
    pub(super) async fn insert(&self, shape: &Shape, scope: Scope, row: Row) -> Result<Row, Error> {
        self.check_references(shape, scope, (&row.fields, None)).await?;
        let statements = self.inserting(shape, scope, &row);
        match self.database.write(statements).await {
            Ok(()) => Ok(row),
            Err(error) => Err(self.refused(shape, (scope.organization, &row), error).await),
        }
    }

    pub(super) async fn update(
        &self,
        shape: &Shape,
        scope: Scope,
        current: &Row,
        fields: Map<String, Value>,
    ) -> Result<Row, Error> {
        self.check_references(shape, scope, (&fields, Some(current))).await?;
        let (version, updated_at) = (current.version + 1, self.clock.now());
        let row = Row { id: current.id, version, created_at: current.created_at, updated_at, fields };
        let mut statements = self.locks(shape, scope, (&row, Some(current)));
        let mut statement = update(self.database.dialect(), shape, scope.organization, &row);
        access::push(&mut statement, &self.shapes, shape, scope, Right::Write);
        statements.push(statement.expecting(Expected::One));
        match self.database.write(statements).await {
            Ok(()) => Ok(row),
            Err(error) => Err(self.refused(shape, (scope.organization, &row), error).await),
        }
    }

    /// Everything that makes a record: locks what it points at, then writes it.
    pub(super) fn inserting(&self, shape: &Shape, scope: Scope, row: &Row) -> Vec<Statement> {
        let mut statements = self.locks(shape, scope, (row, None));
        statements.push(insert(self.database.dialect(), shape, scope.organization, row));
        statements
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
            (StoreError::Missing { what: what @ (CIRCLE | DEPTH) }, _) => tree::refused(shape, what),
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

    /// Refuses links to records that do not exist in this organization or are not the caller's
    /// to see, all at once; then a place that the caller may see but not put anything into.
    pub(super) async fn check_references(
        &self,
        shape: &Shape,
        scope: Scope,
        (fields, before): (&Map<String, Value>, Option<&Row>),
    ) -> Result<(), Error> {
        let mut errors = Vec::new();
        let mut is_closed = false;
        for (reference, id) in targets(shape, fields) {
            let Some(target) = self.shapes.iter().find(|target| target.name() == reference.record_type)
            else {
                continue;
            };
            self.begin(target, scope.organization).await?;
            let scope = scope_of(scope, reference, (id, before));
            if !self.is_open(target, (scope, id), Right::Read).await? {
                let message = format!("There is no {} with this id.", reference.record_type);
                errors.push(FieldError::new(reference.field, message));
            } else if right_to_link(shape, reference) == Right::Write {
                is_closed |= !self.is_open(target, (scope, id), Right::Write).await?;
            }
        }
        match (errors.is_empty(), is_closed) {
            (false, _) => Err(Error::Invalid(errors)),
            (true, true) => {
                Err(Error::Forbidden("You may see the place where this would go, but not change it."))
            }
            (true, false) => Ok(()),
        }
    }

    /// Whether there is such a record and the scope has this right to it.
    pub(super) async fn is_open(
        &self,
        shape: &Shape,
        (scope, id): (Scope, Uuid),
        right: Right,
    ) -> Result<bool, Error> {
        let mut statement = probe(self.database.dialect(), shape.name(), (scope.organization, id));
        access::push(&mut statement, &self.shapes, shape, scope, right);
        Ok(!self.database.rows(statement).await?.is_empty())
    }

    pub(super) fn new_id(&self) -> Uuid {
        buildly_model::EventId::generate(self.clock.now(), &*self.random).as_uuid()
    }

    pub(super) fn new_row(&self, id: Uuid, fields: Map<String, Value>) -> Row {
        let now = self.clock.now();
        Row { id, version: 1, created_at: now, updated_at: now, fields }
    }

    /// Keeps what the record points at from going, keeps others from taking the same time or
    /// moving the same tree meanwhile, and refuses if what was read no longer holds.
    fn locks(&self, shape: &Shape, scope: Scope, (row, before): (&Row, Option<&Row>)) -> Vec<Statement> {
        let dialect = self.database.dialect();
        let overlap = shape.record_type.overlap.filter(|overlap| overlap.takes_time(&row.fields));
        let lock = |field: &str| match overlap {
            Some(overlap) if overlap.within == field => " FOR NO KEY UPDATE",
            _ => " FOR KEY SHARE",
        };
        let mut statements = Vec::new();
        for (reference, id) in targets(shape, &row.fields) {
            let mut statement = probe(dialect, reference.record_type, (scope.organization, id));
            if let Some(target) = self.shapes.iter().find(|target| target.name() == reference.record_type) {
                let scope = scope_of(scope, reference, (id, before));
                access::push(&mut statement, &self.shapes, target, scope, right_to_link(shape, reference));
            }
            if dialect == Dialect::Postgres {
                statement.push(lock(reference.field));
            }
            statements.push(statement);
        }
        statements.extend(tree::probes(dialect, shape, scope.organization, (row, before)));
        statements.extend(overlap::probe(dialect, shape, (scope.organization, row)));
        statements
    }
}

/// A link that stays as it was needs no right: who may change a record may do so where it is.
fn scope_of(scope: Scope, reference: &Reference, (id, before): (Uuid, Option<&Row>)) -> Scope {
    let was = before.and_then(|before| before.fields.get(reference.field)).and_then(Value::as_str);
    if was.is_some_and(|was| Uuid::parse_str(was) == Ok(id)) { scope.organization.into() } else { scope }
}

/// What a record needs at the one that it points at: to be put into it, or to be shown it.
fn right_to_link(shape: &Shape, reference: &Reference) -> Right {
    if shape.record_type.inherits == Some(reference.field) { Right::Write } else { Right::Read }
}

fn insert(dialect: Dialect, shape: &Shape, organization: OrganizationId, row: &Row) -> Statement {
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
    statement
}

/// Moves the record on from the version before.
fn update(dialect: Dialect, shape: &Shape, organization: OrganizationId, row: &Row) -> Statement {
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
    statement
}

fn version(row: &Row) -> Cell {
    Cell::Integer(i64::try_from(row.version).unwrap_or(i64::MAX))
}
