//! The records of a service: read, decide, remember.
//!
//! The scope is an argument of everything: the organization, which comes from the caller's
//! token, and who looks.

mod begin;
mod totals;
mod typed;
mod write;

use std::sync::Arc;

use buildly_model::{Clock, Random, StoreError, Timestamp};
use http::StatusCode;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Error;
use crate::access::{self, Right, Scope};
use crate::background::Background;
use crate::database::Database;
use crate::idempotency::{self, Answer, Key};
use crate::list::{self, ListQuery, Position};
use crate::precondition::{self, Precondition, Put};
use crate::references::{self, REFERENCED};
use crate::shape::{Row, Shape};
use crate::value::Cell;

pub(crate) use begin::{BEGUN, Begun};
pub use totals::Total;
pub use typed::Stored;

/// How often a change is decided again when somebody else was faster.
const ATTEMPTS_MAX: u32 = 3;

/// The records of a service, of all organizations; cheap to clone.
#[derive(Clone)]
pub struct Records {
    pub(crate) database: Database,
    pub(crate) shapes: Arc<[Shape]>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) begun: Begun,
    pub(crate) background: Background,
}

/// One page of a list.
pub(crate) struct Page {
    pub(crate) rows: Vec<Row>,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

/// What a PUT came to.
pub(crate) enum Outcome {
    Created(Row),
    Kept(Row),
}

impl Records {
    /// The service's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// One record.
    pub(crate) async fn find(&self, shape: &Shape, scope: Scope, id: Uuid) -> Result<Option<Row>, Error> {
        self.begin(shape, scope.organization).await?;
        let mut statement = list::select_columns(self.database.dialect(), shape);
        statement.push(" FROM ").name(shape.name()).push(" WHERE organization_id = ");
        statement.bind(Cell::Uuid(scope.organization.as_uuid()));
        statement.push(" AND id = ").bind(Cell::Uuid(id));
        access::push(&mut statement, &self.shapes, shape, scope, Right::Read);
        let rows = self.database.rows(statement).await?;
        rows.first().map(|cells| read_row(shape, cells)).transpose()
    }

    /// One page of a list.
    pub(crate) async fn list(&self, shape: &Shape, scope: Scope, list: &ListQuery) -> Result<Page, Error> {
        self.begin(shape, scope.organization).await?;
        let statement = list::select(self.database.dialect(), (&self.shapes, shape), scope, list);
        let cells = self.database.rows(statement).await?;
        let mut rows = cells.iter().map(|cells| read_row(shape, cells)).collect::<Result<Vec<_>, _>>()?;
        let size = list.size.rows() as usize;
        let has_more = rows.len() > size;
        rows.truncate(size);
        let is_backward = list.position.as_ref().is_some_and(|position| position.is_backward);
        if is_backward {
            rows.reverse();
        }
        let at = |row: Option<&Row>, is_backward| {
            row.map(|row| Position::of(row, &list.order, is_backward).write(&list.order))
        };
        let has_next = if is_backward { true } else { has_more };
        let has_previous = if is_backward { has_more } else { list.position.is_some() };
        let next = at(rows.last(), false).filter(|_| has_next);
        let previous = at(rows.first(), true).filter(|_| has_previous);
        Ok(Page { rows, previous, next })
    }

    /// Makes a record under a new id; a repeated key gets the first answer.
    pub(crate) async fn create(
        &self,
        shape: &Shape,
        scope: Scope,
        body: Map<String, Value>,
        key: Option<Key>,
    ) -> Result<Answer, Error> {
        if let Some(answer) = self.kept_answer(key.as_ref()).await? {
            return Ok(answer);
        }
        if body.contains_key("id") {
            let message = format!(
                "The service gives the id; `PUT /{}/ID/` makes a record under an id of your own.",
                shape.record_type.plural
            );
            return Err(Error::field("id", message));
        }
        let fields = shape.accept(body).map_err(Error::Invalid)?;
        let fields = access::settle(shape, None, fields, scope)?;
        self.begin(shape, scope.organization).await?;
        for _ in 0..ATTEMPTS_MAX {
            self.check_references(shape, scope, (&fields, None)).await?;
            let row = self.new_row(self.new_id(), fields.clone());
            let answer = Answer {
                status: StatusCode::CREATED.as_u16(),
                id: row.id.to_string(),
                etag: row.etag(),
                body: row.show().to_string(),
            };
            let mut statements = self.inserting(shape, scope, &row);
            if let Some(key) = &key {
                statements.extend(idempotency::keep(self.database.dialect(), key, &answer, row.created_at));
            }
            match self.database.write(statements).await {
                Ok(()) => return Ok(answer),
                Err(StoreError::Stale) => {}
                Err(StoreError::Taken { field: idempotency::FIELD }) => {
                    if let Some(answer) = self.kept_answer(key.as_ref()).await? {
                        return Ok(answer);
                    }
                }
                // The rule may have been broken by the same request, sent twice at once.
                Err(error @ (StoreError::Taken { .. } | StoreError::Missing { .. })) => {
                    if let Some(answer) = self.kept_answer(key.as_ref()).await? {
                        return Ok(answer);
                    }
                    match self.refused(shape, (scope.organization, &row), error).await {
                        Error::Store(StoreError::Stale) => {}
                        error => return Err(error),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Makes or replaces the record under this id.
    pub(crate) async fn put(
        &self,
        shape: &Shape,
        (scope, id): (Scope, Uuid),
        body: Map<String, Value>,
        precondition: Precondition,
    ) -> Result<Outcome, Error> {
        check_id(&body, id)?;
        let mut is_taken = false;
        for _ in 0..ATTEMPTS_MAX {
            let current = self.find(shape, scope, id).await?;
            if current.is_some() {
                self.require_write(shape, scope, id).await?;
            }
            let mut body = body.clone();
            access::keep_sharing(shape, current.as_ref(), &mut body);
            let fields = shape.accept(body).map_err(Error::Invalid)?;
            let fields = access::settle(shape, current.as_ref(), fields, scope)?;
            let put = precondition::decide_put(
                current.as_ref(),
                &fields,
                precondition,
                shape.record_type.is_guarded,
            )?;
            let outcome = match (put, current) {
                (Put::Unchanged, Some(row)) => return Ok(Outcome::Kept(row)),
                (Put::Update { .. }, Some(row)) => {
                    self.update(shape, scope, &row, fields).await.map(Outcome::Kept)
                }
                (Put::Create, _) | (Put::Unchanged | Put::Update { .. }, None) => {
                    self.insert(shape, scope, self.new_row(id, fields)).await.map(Outcome::Created)
                }
            };
            match outcome {
                Err(Error::Store(StoreError::Stale)) => {}
                // Somebody was faster, or it is none of the caller's to see.
                Err(Error::Taken { field: "id" }) => is_taken = true,
                other => return other,
            }
        }
        Err(if is_taken { Error::Taken { field: "id" } } else { StoreError::Stale.into() })
    }

    /// Changes some fields of a record (JSON merge patch of its top level, RFC 7396).
    pub(crate) async fn patch(
        &self,
        shape: &Shape,
        (scope, id): (Scope, Uuid),
        body: Map<String, Value>,
        precondition: Precondition,
    ) -> Result<Row, Error> {
        check_id(&body, id)?;
        for _ in 0..ATTEMPTS_MAX {
            let row = self.require(shape, scope, id).await?;
            self.require_write(shape, scope, id).await?;
            precondition::check(&row, precondition, shape.record_type.is_guarded)?;
            let mut merged = row.fields.clone();
            merged.extend(body.clone());
            let fields = shape.accept(merged).map_err(Error::Invalid)?;
            let fields = access::settle(shape, Some(&row), fields, scope)?;
            if fields == row.fields {
                return Ok(row);
            }
            match self.update(shape, scope, &row, fields).await {
                Err(Error::Store(StoreError::Stale)) => {}
                other => return other,
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Deletes a record, and does with those who point at it what their types say.
    pub(crate) async fn delete(
        &self,
        shape: &Shape,
        (scope, id): (Scope, Uuid),
        precondition: Precondition,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let row = self.require(shape, scope, id).await?;
            self.require_write(shape, scope, id).await?;
            precondition::check(&row, precondition, shape.record_type.is_guarded)?;
            let statements = references::delete(
                self.database.dialect(),
                &self.shapes,
                shape,
                (scope, id, row.version),
                self.clock.now(),
            );
            match self.database.write(statements).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(StoreError::Missing { what: REFERENCED }) => {
                    let message =
                        format!("Other records point at this {}; delete or change them first.", shape.name());
                    return Err(Error::Conflict(message));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn require(&self, shape: &Shape, scope: Scope, id: Uuid) -> Result<Row, Error> {
        self.find(shape, scope, id).await?.ok_or(Error::NotFound { what: shape.name() })
    }

    /// Refuses a caller who may see the record, but not change it.
    async fn require_write(&self, shape: &Shape, scope: Scope, id: Uuid) -> Result<(), Error> {
        if !access::is_limited(shape, scope) || self.is_open(shape, (scope, id), Right::Write).await? {
            return Ok(());
        }
        Err(Error::Forbidden("You may see this, but not change it; its owner decides who may."))
    }

    async fn kept_answer(&self, key: Option<&Key>) -> Result<Option<Answer>, Error> {
        let Some(key) = key else { return Ok(None) };
        let statement = idempotency::select(self.database.dialect(), key, self.clock.now());
        idempotency::read(key, &self.database.rows(statement).await?)
    }
}

/// A body that names another id than its path is a mistake of the client.
fn check_id(body: &Map<String, Value>, id: Uuid) -> Result<(), Error> {
    match body.get("id").and_then(Value::as_str).map(Uuid::parse_str) {
        None if !body.contains_key("id") => Ok(()),
        Some(Ok(named)) if named == id => Ok(()),
        _ => Err(Error::field("id", "Expected the id of the path, or none.")),
    }
}

fn read_row(shape: &Shape, cells: &[Cell]) -> Result<Row, Error> {
    Row::read(shape, cells)
        .ok_or_else(|| StoreError::corrupt(format!("a row of `{}` cannot be read", shape.name())).into())
}
