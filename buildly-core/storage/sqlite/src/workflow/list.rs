//! Lists, newest first: only the conditions that somebody asked for are in the statement, so
//! that each finds its index.

use buildly_model::StoreError;
use buildly_workflow::Rows;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::row::{all, signed};

/// A list of one organization's rows.
pub(super) struct List {
    sql: String,
    values: Vec<Value>,
}

impl List {
    /// `columns` end with the row's number, which is its place in the list.
    pub(super) fn of(organization: &str, columns: &str, table: &str) -> Self {
        let sql = format!("SELECT {columns} FROM {table} WHERE organization_id = ?");
        Self { sql, values: vec![Value::from(organization.to_owned())] }
    }

    /// A condition with a `?` for its value.
    pub(super) fn and(self, condition: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.and_all(condition, [value.into()]),
            None => self,
        }
    }

    /// A condition with a `?` for each value.
    pub(super) fn and_all<const COUNT: usize>(mut self, condition: &str, values: [Value; COUNT]) -> Self {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
        self
    }

    /// The rows after the place `after`; the row's own place stands in the column `place`.
    pub(super) fn read<T>(
        self,
        tx: &Connection,
        after: Option<u64>,
        rows_max: u32,
        place: usize,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Rows<T>, StoreError> {
        let Self { mut sql, mut values } = self.and("number < ?", after.map(signed));
        sql.push_str(" ORDER BY number DESC LIMIT ?");
        values.push(Value::from(i64::from(rows_max) + 1));
        let with_place = |row: &Row<'_>| Ok((read(row)?, row.get::<_, u64>(place)?));
        let mut rows = all(tx, &sql, params_from_iter(values), with_place)?;
        let has_more = rows.len() > rows_max as usize;
        rows.truncate(rows_max as usize);
        let next = rows.last().filter(|_| has_more).map(|(_, place)| *place);
        Ok(Rows { rows: rows.into_iter().map(|(row, _)| row).collect(), next })
    }
}
