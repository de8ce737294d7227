//! Records as values of their struct, for what a service does beyond keeping them.

use buildly_model::{PageSize, StoreError, Timestamp};
use http::HeaderMap;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Records, Row};
use crate::list::Position;
use crate::precondition;
use crate::record::Record;
use crate::shape::Shape;
use crate::{Error, Scope, access, list};

/// A stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// Its key.
    pub id: Uuid,
    /// How often it has been written.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// What it says.
    pub record: T,
}

impl Records {
    /// One record.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the organization has none under this id, or a caller may not see it.
    pub async fn get<T: Record>(&self, scope: impl Into<Scope>, id: Uuid) -> Result<Stored<T>, Error> {
        typed(self.require(self.shape::<T>()?, scope.into(), id).await?)
    }

    /// One record that is about to be changed.
    ///
    /// # Errors
    /// As [`Self::get`], and [`Error::Forbidden`] if a caller may see it, but not change it.
    pub async fn get_to_change<T: Record>(
        &self,
        scope: impl Into<Scope>,
        id: Uuid,
    ) -> Result<Stored<T>, Error> {
        let (shape, scope) = (self.shape::<T>()?, scope.into());
        let row = self.require(shape, scope, id).await?;
        self.require_write(shape, scope, id).await?;
        typed(row)
    }

    /// The records that a list with this query shows first, such as `document=…&ordering=-number`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the query is none of the list.
    pub async fn select<T: Record>(
        &self,
        scope: impl Into<Scope>,
        query: &str,
    ) -> Result<Vec<Stored<T>>, Error> {
        let shape = self.shape::<T>()?;
        let list = list::parse(shape, Some(query)).map_err(Error::Invalid)?;
        self.list(shape, scope.into(), &list).await?.rows.into_iter().map(typed).collect()
    }

    /// Every record that a list with this query shows, page by page.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the query is none of the list, [`Error::Malformed`] if there are
    /// more than `records_max`.
    pub async fn select_all<T: Record>(
        &self,
        scope: impl Into<Scope>,
        query: &str,
        records_max: usize,
    ) -> Result<Vec<Stored<T>>, Error> {
        let shape = self.shape::<T>()?;
        let mut list = list::parse(shape, Some(query)).map_err(Error::Invalid)?;
        list.size = PageSize::clamped(PageSize::MAX);
        let scope = scope.into();
        let mut records = Vec::new();
        loop {
            let page = self.list(shape, scope, &list).await?;
            for row in page.rows {
                records.push(typed(row)?);
            }
            if records.len() > records_max {
                let plural = shape.record_type.plural;
                let message =
                    format!("There are more than {records_max} {plural} here; ask for less at once.");
                return Err(Error::Malformed(message));
            }
            list.position = page.next.and_then(|cursor| Position::parse(&cursor, &list.order));
            if list.position.is_none() {
                return Ok(records);
            }
        }
    }

    /// Makes a record under a new id; its fields are checked as those from outside are.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Taken`], [`Error::Forbidden`] if a caller may not put it there.
    pub async fn make<T: Record>(&self, scope: impl Into<Scope>, record: &T) -> Result<Stored<T>, Error> {
        let shape = self.shape::<T>()?;
        let scope = scope.into();
        let fields = shape.accept(members(record)?).map_err(Error::Invalid)?;
        let fields = access::settle(shape, None, fields, scope)?;
        typed(self.insert(shape, scope, self.new_row(self.new_id(), fields)).await?)
    }

    /// Deletes a record and what goes along with it, if the request's `If-Match` allows it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::PreconditionFailed`], or [`Error::Conflict`] if others
    /// point at it.
    pub async fn remove_if<T: Record>(
        &self,
        scope: impl Into<Scope>,
        id: Uuid,
        headers: &HeaderMap,
    ) -> Result<(), Error> {
        let precondition = precondition::parse(headers).map_err(|error| Error::Invalid(vec![error]))?;
        self.delete(self.shape::<T>()?, (scope.into(), id), precondition).await
    }

    pub(super) fn shape<T: Record>(&self) -> Result<&Shape, Error> {
        let name = T::record_type().name;
        self.shapes
            .iter()
            .find(|shape| shape.name() == name)
            .ok_or_else(|| StoreError::corrupt(format!("`{name}` is no record type of this service")).into())
    }
}

impl<T: Record> Stored<T> {
    /// The record on the wire, as the service's own operations show it.
    ///
    /// # Errors
    /// [`Error::Store`] if the struct cannot be shown as JSON.
    pub fn show(&self) -> Result<Value, Error> {
        let row = Row {
            id: self.id,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            fields: members(&self.record)?,
        };
        Ok(row.show())
    }
}

fn members<T: Record>(record: &T) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(record) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(StoreError::corrupt("a record is not an object").into()),
    }
}

fn typed<T: Record>(row: Row) -> Result<Stored<T>, Error> {
    let Row { id, version, created_at, updated_at, fields } = row;
    let record = serde_json::from_value(Value::Object(fields))
        .map_err(|error| StoreError::corrupt(format!("record `{id}` cannot be read: {error}")))?;
    Ok(Stored { id, version, created_at, updated_at, record })
}
