//! SQL as text and bound values, for either database.
//!
//! Identifiers come from the structs of the service, fixed when it was compiled and checked
//! when it starts; whatever comes from outside is bound.

use crate::value::{Cell, Kind};

/// Which database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The type of a column for values of `kind`.
    pub(crate) const fn column_type(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Sqlite, Kind::Text | Kind::Uuid | Kind::Json) => "TEXT",
            (Self::Sqlite, Kind::Integer | Kind::Boolean | Kind::Instant) => "INTEGER",
            (Self::Sqlite, Kind::Number) => "REAL",
            // Compared byte by byte, as SQLite does, whatever the database's locale is.
            (Self::Postgres, Kind::Text | Kind::Json) => "text COLLATE \"C\"",
            (Self::Postgres, Kind::Uuid) => "uuid",
            (Self::Postgres, Kind::Integer | Kind::Instant) => "bigint",
            (Self::Postgres, Kind::Boolean) => "boolean",
            (Self::Postgres, Kind::Number) => "double precision",
        }
    }
}

impl Cell {
    /// The value as it is written into SQL of ours; values from outside are bound.
    pub(crate) fn literal(&self, dialect: Dialect) -> String {
        match (self, dialect) {
            (Self::Null(_), _) => "NULL".to_owned(),
            (Self::Text(text), _) => format!("'{}'", text.replace('\'', "''")),
            (Self::Uuid(uuid), _) => format!("'{uuid}'"),
            (Self::Integer(number), _) => number.to_string(),
            (Self::Number(number), _) => format!("{number:e}"),
            (Self::Boolean(boolean), Dialect::Postgres) => boolean.to_string(),
            (Self::Boolean(boolean), Dialect::Sqlite) => i64::from(*boolean).to_string(),
        }
    }
}

/// How many rows a statement of a write must touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// As many as there are.
    Any,
    /// One; else what was read before no longer holds, and the whole write is stale.
    One,
    /// None; else the whole write is refused, since what is named here is not so.
    None(&'static str),
}

/// One statement with its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    pub(crate) dialect: Dialect,
    pub(crate) sql: String,
    pub(crate) cells: Vec<Cell>,
    /// Kinds of the columns it answers with; empty for one that answers with none.
    pub(crate) columns: Vec<Kind>,
    pub(crate) expected: Expected,
}

impl Statement {
    pub(crate) const fn new(dialect: Dialect) -> Self {
        Self { dialect, sql: String::new(), cells: Vec::new(), columns: Vec::new(), expected: Expected::Any }
    }

    /// Adds SQL of ours.
    pub(crate) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds the name of a table or column.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.sql.push('"');
        self.sql.push_str(name);
        self.sql.push('"');
        self
    }

    /// Adds a value.
    pub(crate) fn bind(&mut self, cell: Cell) -> &mut Self {
        self.cells.push(cell);
        self.sql.push(if self.dialect == Dialect::Sqlite { '?' } else { '$' });
        self.sql.push_str(&self.cells.len().to_string());
        self
    }

    /// Adds values with commas between.
    pub(crate) fn bind_all(&mut self, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        for (position, cell) in cells.into_iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            self.bind(cell);
        }
        self
    }

    /// Says how many rows it must touch.
    pub(crate) const fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// Says what columns it answers with.
    pub(crate) fn answering(mut self, columns: Vec<Kind>) -> Self {
        self.columns = columns;
        self
    }
}
