//! Lists, newest first: only the conditions that somebody asked for are in the statement, so
//! that each finds its index.

use buildly_model::{OrganizationId, StoreError};
use buildly_workflow::Rows;
use sqlx::postgres::PgRow;
use sqlx::{Encode, PgPool, Postgres, QueryBuilder, Type};

use super::row::{count, signed};
use crate::engine::{ask, store_error};

/// A list of one organization's rows.
pub(super) struct List(QueryBuilder<Postgres>);

impl List {
    /// `columns` have the row's `number`, which is its place in the list.
    pub(super) fn of(organization: OrganizationId, columns: &str, table: &str) -> Self {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(columns).push(" FROM ").push(table).push(" WHERE organization_id = ");
        query.push_bind(organization.as_uuid());
        Self(query)
    }

    /// A condition that ends with its value.
    pub(super) fn and<T>(mut self, condition: &str, value: Option<T>) -> Self
    where
        T: 'static + Send + Encode<'static, Postgres> + Type<Postgres>,
    {
        if let Some(value) = value {
            self.0.push(" AND ").push(condition).push_bind(value);
        }
        self
    }

    /// A condition that somebody else writes.
    pub(super) fn with(mut self, write: impl FnOnce(&mut QueryBuilder<Postgres>)) -> Self {
        self.0.push(" AND ");
        write(&mut self.0);
        self
    }

    /// The rows after the place `after`.
    pub(super) async fn read<T>(
        self,
        pool: &PgPool,
        after: Option<u64>,
        rows_max: u32,
        read: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Rows<T>, StoreError> {
        let Self(mut query) = self.and("number < ", after.map(signed));
        query.push(" ORDER BY number DESC LIMIT ").push_bind(i64::from(rows_max) + 1);
        let mut rows = ask(query.build().fetch_all(pool)).await?;
        let has_more = rows.len() > rows_max as usize;
        rows.truncate(rows_max as usize);
        let last = rows.last().filter(|_| has_more);
        let next = last.map(|row| count(row, "number")).transpose().map_err(store_error)?;
        let rows = rows.iter().map(read).collect::<Result<_, _>>().map_err(store_error)?;
        Ok(Rows { rows, next })
    }
}
