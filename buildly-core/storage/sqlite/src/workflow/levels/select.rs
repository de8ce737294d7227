//! Statements that read rows: only the conditions that somebody asked for are in them.

use buildly_model::StoreError;
use buildly_workflow::levels::{
    Level1, Level2, LevelStatus, LevelType, Order, Over, Record, Seen, Shared, TeamPlace, Window,
};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::workflow::row::{all, instant, json, optional, parsed, signed, to_json};

/// How rows of one kind are read. The first six columns are those of [`record`].
pub(super) struct Source<T> {
    columns: &'static str,
    from: &'static str,
    /// What is joined for the columns only; a count need not look there.
    beside: &'static str,
    /// The groups that give rights on a row.
    attached: &'static str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
}

macro_rules! columns {
    ($own:literal) => {
        concat!("l.id, l.number, l.organization_id, l.version, l.created_at, l.edited_at, ", $own)
    };
}

/// The level 1 that a row belongs to.
macro_rules! with_level1 {
    ($table:literal) => {
        concat!(
            $table,
            " l JOIN workflow_level1 o ON o.organization_id = l.organization_id AND o.id = l.level1_id"
        )
    };
}

pub(super) const LEVEL1: Source<Record<Level1>> = Source {
    columns: columns!("l.details, l.name, l.group_ids"),
    from: "workflow_level1 l",
    beside: "",
    attached: "l.group_ids",
    read: level1,
};

pub(super) const LEVEL2: Source<Record<Level2>> = Source {
    columns: columns!(
        "l.details, o.id, o.number, o.group_ids, l.name, l.group_ids, l.parent_id, l.type_id, l.status_id,
         r.id, r.status"
    ),
    from: with_level1!("workflow_level2"),
    beside: "LEFT JOIN workflow_run r ON r.organization_id = l.organization_id AND r.id = l.run_id",
    attached: "CASE WHEN l.group_ids = '[]' THEN o.group_ids ELSE l.group_ids END",
    read: level2,
};

pub(super) const TYPE: Source<Shared<LevelType>> = Source {
    columns: columns!("l.name"),
    from: "workflow_level_type l",
    beside: "",
    attached: "'[]'",
    read: |row| record(row, optional(row, 2)?, LevelType { name: row.get(6)? }),
};

pub(super) const STATUS: Source<Shared<LevelStatus>> = Source {
    columns: columns!("l.position, l.name, l.short_name"),
    from: "workflow_level_status l",
    beside: "",
    attached: "'[]'",
    read: |row| {
        let status = LevelStatus { order: row.get(6)?, name: row.get(7)?, short_name: row.get(8)? };
        record(row, optional(row, 2)?, status)
    },
};

pub(super) const ORDER: Source<Record<Order>> = Source {
    columns: columns!("l.details, o.id, o.number, o.group_ids, l.parent_id"),
    from: with_level1!("workflow_level_order"),
    beside: "",
    attached: "o.group_ids",
    read: |row| {
        let order = Order { level1: over(row)?, parent: optional(row, 10)?, details: json(row, 6)? };
        record(row, parsed(row, 2)?, order)
    },
};

pub(super) const TEAM: Source<Record<TeamPlace>> = Source {
    columns: columns!("l.details, o.id, o.number, o.group_ids"),
    from: with_level1!("workflow_team_place"),
    beside: "",
    attached: "o.group_ids",
    read: |row| record(row, parsed(row, 2)?, TeamPlace { level1: over(row)?, details: json(row, 6)? }),
};

fn record<T, O>(row: &Row<'_>, organization: O, value: T) -> rusqlite::Result<Record<T, O>> {
    Ok(Record {
        id: parsed(row, 0)?,
        number: row.get(1)?,
        organization,
        version: row.get(3)?,
        created_at: instant(row, 4)?,
        edited_at: instant(row, 5)?,
        value,
    })
}

fn over(row: &Row<'_>) -> rusqlite::Result<Over> {
    Ok(Over { id: parsed(row, 7)?, number: row.get(8)?, groups: json(row, 9)? })
}

fn level1(row: &Row<'_>) -> rusqlite::Result<Record<Level1>> {
    let level = Level1 { name: row.get(7)?, groups: json(row, 8)?, details: json(row, 6)? };
    record(row, parsed(row, 2)?, level)
}

fn level2(row: &Row<'_>) -> rusqlite::Result<Record<Level2>> {
    let level = Level2 {
        name: row.get(10)?,
        level1: over(row)?,
        groups: json(row, 11)?,
        parent: optional(row, 12)?,
        kind: optional(row, 13)?,
        status: optional(row, 14)?,
        run: optional(row, 15)?.zip(optional(row, 16)?),
        details: json(row, 6)?,
    };
    record(row, parsed(row, 2)?, level)
}

/// A statement that reads rows of one kind.
pub(super) struct Select<T> {
    source: Source<T>,
    conditions: String,
    values: Vec<Value>,
}

impl<T> Select<T> {
    pub(super) const fn of(source: Source<T>) -> Self {
        Self { source, conditions: String::new(), values: Vec::new() }
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
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
        self.values.extend(values);
        self
    }

    /// Only the rows that somebody sees.
    pub(super) fn seen(self, seen: &Seen) -> Result<Self, StoreError> {
        let select = self.and("l.organization_id = ?", seen.organization.map(|id| id.to_string()));
        let Some(through) = &seen.through else { return Ok(select) };
        let attached = select.source.attached;
        let condition = format!(
            "CASE WHEN ({attached}) = '[]' THEN ? ELSE EXISTS (
                SELECT 1 FROM json_each({attached}) a WHERE a.value IN (SELECT value FROM json_each(?))) END"
        );
        let groups = to_json(&through.groups)?;
        Ok(select.and_all(&condition, [Value::from(through.unattached), Value::from(groups)]))
    }

    /// The rows in an order, at most so many.
    pub(super) fn read(self, tx: &Connection, order: &str, window: Window) -> Result<Vec<T>, StoreError> {
        let Self { source, conditions, mut values } = self;
        let Source { columns, from, beside, read, .. } = source;
        let sql = format!(
            "SELECT {columns} FROM {from} {beside} WHERE TRUE{conditions} ORDER BY {order} LIMIT ? OFFSET ?"
        );
        values.push(Value::from(i64::from(window.rows_max)));
        values.push(Value::from(signed(window.offset)));
        all(tx, &sql, params_from_iter(values), read)
    }

    /// The first of the rows.
    pub(super) fn first(self, tx: &Connection) -> Result<Option<T>, StoreError> {
        let rows = self.read(tx, "l.number", Window { offset: 0, rows_max: 1 })?;
        Ok(rows.into_iter().next())
    }

    /// How many rows there are.
    pub(super) fn count(&self, tx: &Connection) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {} WHERE TRUE{}", self.source.from, self.conditions);
        let counted = all(tx, &sql, params_from_iter(&self.values), |row| row.get(0))?;
        Ok(counted.into_iter().next().unwrap_or(0))
    }
}
