//! Statements that read rows: only the conditions that somebody asked for are in them.

use buildly_model::{GroupId, LevelRowId, OrganizationId, RunId, StoreError};
use buildly_workflow::levels::{
    Level1, Level2, LevelStatus, LevelType, Order, Over, Record, Seen, Shared, TeamPlace, Window,
};
use sqlx::postgres::PgRow;
use sqlx::{Encode, PgPool, Postgres, QueryBuilder, Row as _, Type};
use uuid::Uuid;

use crate::engine::{ask, store_error};
use crate::workflow::row::{count, instant, json, organization, parsed, signed};

/// How rows of one kind are read.
pub(super) struct Source<T> {
    columns: &'static str,
    from: &'static str,
    /// What is joined for the columns only; a count need not look there.
    beside: &'static str,
    /// The groups that give rights on a row.
    attached: &'static str,
    read: fn(&PgRow) -> sqlx::Result<T>,
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
    read: |row| {
        let level = Level1 {
            name: row.try_get("name")?,
            groups: groups(row, "group_ids")?,
            details: json(row, "details")?,
        };
        record(row, organization(row)?, level)
    },
};

pub(super) const LEVEL2: Source<Record<Level2>> = Source {
    columns: columns!(
        "l.details, o.id AS over_id, o.number AS over_number, o.group_ids AS over_groups, l.name, l.group_ids,
         l.parent_id, l.type_id, l.status_id, r.id AS run_id, r.status AS run_status"
    ),
    from: with_level1!("workflow_level2"),
    beside: "LEFT JOIN workflow_run r ON r.organization_id = l.organization_id AND r.id = l.run_id",
    attached: "CASE WHEN cardinality(l.group_ids) = 0 THEN o.group_ids ELSE l.group_ids END",
    read: level2,
};

pub(super) const TYPE: Source<Shared<LevelType>> = Source {
    columns: columns!("l.name"),
    from: "workflow_level_type l",
    beside: "",
    attached: "'{}'::uuid[]",
    read: |row| record(row, shared(row)?, LevelType { name: row.try_get("name")? }),
};

pub(super) const STATUS: Source<Shared<LevelStatus>> = Source {
    columns: columns!("l.position, l.name, l.short_name"),
    from: "workflow_level_status l",
    beside: "",
    attached: "'{}'::uuid[]",
    read: |row| {
        let status = LevelStatus {
            order: row.try_get("position")?,
            name: row.try_get("name")?,
            short_name: row.try_get("short_name")?,
        };
        record(row, shared(row)?, status)
    },
};

pub(super) const ORDER: Source<Record<Order>> = Source {
    columns: columns!(
        "l.details, o.id AS over_id, o.number AS over_number, o.group_ids AS over_groups, l.parent_id"
    ),
    from: with_level1!("workflow_level_order"),
    beside: "",
    attached: "o.group_ids",
    read: |row| {
        let order =
            Order { level1: over(row)?, parent: id(row, "parent_id")?, details: json(row, "details")? };
        record(row, organization(row)?, order)
    },
};

pub(super) const TEAM: Source<Record<TeamPlace>> = Source {
    columns: columns!("l.details, o.id AS over_id, o.number AS over_number, o.group_ids AS over_groups"),
    from: with_level1!("workflow_team_place"),
    beside: "",
    attached: "o.group_ids",
    read: |row| {
        record(row, organization(row)?, TeamPlace { level1: over(row)?, details: json(row, "details")? })
    },
};

fn record<T, O>(row: &PgRow, organization: O, value: T) -> sqlx::Result<Record<T, O>> {
    Ok(Record {
        id: row.try_get("id").map(LevelRowId::from_uuid)?,
        number: row.try_get("number")?,
        organization,
        version: count(row, "version")?,
        created_at: instant(row, "created_at")?,
        edited_at: instant(row, "edited_at")?,
        value,
    })
}

fn shared(row: &PgRow) -> sqlx::Result<Option<OrganizationId>> {
    Ok(row.try_get::<Option<Uuid>, _>("organization_id")?.map(OrganizationId::from_uuid))
}

fn id(row: &PgRow, column: &str) -> sqlx::Result<Option<LevelRowId>> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(LevelRowId::from_uuid))
}

fn groups(row: &PgRow, column: &str) -> sqlx::Result<Vec<GroupId>> {
    Ok(row.try_get::<Vec<Uuid>, _>(column)?.into_iter().map(GroupId::from_uuid).collect())
}

fn over(row: &PgRow) -> sqlx::Result<Over> {
    Ok(Over {
        id: row.try_get("over_id").map(LevelRowId::from_uuid)?,
        number: row.try_get("over_number")?,
        groups: groups(row, "over_groups")?,
    })
}

fn level2(row: &PgRow) -> sqlx::Result<Record<Level2>> {
    let run = match row.try_get::<Option<Uuid>, _>("run_id")? {
        Some(run) => Some((RunId::from_uuid(run), parsed(row, "run_status")?)),
        None => None,
    };
    let level = Level2 {
        name: row.try_get("name")?,
        level1: over(row)?,
        groups: groups(row, "group_ids")?,
        parent: id(row, "parent_id")?,
        kind: id(row, "type_id")?,
        status: id(row, "status_id")?,
        run,
        details: json(row, "details")?,
    };
    record(row, organization(row)?, level)
}

/// A statement that reads rows of one kind: what follows `SELECT … FROM …`.
pub(super) struct Select<T> {
    source: Source<T>,
    conditions: Vec<Condition>,
}

/// Writes one condition.
type Condition = Box<dyn Fn(&mut QueryBuilder<Postgres>) + Send + Sync>;

impl<T> Select<T> {
    pub(super) const fn of(source: Source<T>) -> Self {
        Self { source, conditions: Vec::new() }
    }

    /// A condition that ends with its value.
    pub(super) fn and<V>(self, condition: &'static str, value: Option<V>) -> Self
    where
        V: 'static + Clone + Send + Sync + Encode<'static, Postgres> + Type<Postgres>,
    {
        match value {
            Some(value) => self.with(move |query| {
                query.push(condition).push_bind(value.clone());
            }),
            None => self,
        }
    }

    /// A condition that somebody else writes.
    pub(super) fn with(
        mut self,
        write: impl Fn(&mut QueryBuilder<Postgres>) + Send + Sync + 'static,
    ) -> Self {
        self.conditions.push(Box::new(write));
        self
    }

    /// Only the rows that somebody sees.
    pub(super) fn seen(self, seen: &Seen) -> Self {
        let select = self.and("l.organization_id = ", seen.organization.map(|id| id.as_uuid()));
        let Some(through) = seen.through.clone() else { return select };
        let attached = select.source.attached;
        select.with(move |query| {
            let groups: Vec<Uuid> = through.groups.iter().map(GroupId::as_uuid).collect();
            query.push("CASE WHEN cardinality(").push(attached).push(") = 0 THEN ");
            query.push_bind(through.unattached);
            query.push(" ELSE (").push(attached).push(") && ").push_bind(groups).push(" END");
        })
    }

    fn statement(&self, columns: &str, beside: &str) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(columns).push(" FROM ").push(self.source.from).push(" ").push(beside).push(" WHERE TRUE");
        for condition in &self.conditions {
            condition(query.push(" AND "));
        }
        query
    }

    /// The rows in an order, at most so many.
    pub(super) async fn read(
        &self,
        pool: &PgPool,
        order: &str,
        window: Window,
    ) -> Result<Vec<T>, StoreError> {
        let mut query = self.statement(self.source.columns, self.source.beside);
        query.push(" ORDER BY ").push(order);
        query.push(" LIMIT ").push_bind(i64::from(window.rows_max));
        query.push(" OFFSET ").push_bind(signed(window.offset));
        let rows = ask(query.build().fetch_all(pool)).await?;
        rows.iter().map(self.source.read).collect::<Result<_, _>>().map_err(store_error)
    }

    /// The first of the rows.
    pub(super) async fn first(&self, pool: &PgPool) -> Result<Option<T>, StoreError> {
        let rows = self.read(pool, "l.number", Window { offset: 0, rows_max: 1 }).await?;
        Ok(rows.into_iter().next())
    }

    /// How many rows there are.
    pub(super) async fn count(&self, pool: &PgPool) -> Result<u64, StoreError> {
        let mut query = self.statement("count(*) AS count", "");
        let row = ask(query.build().fetch_one(pool)).await?;
        count(&row, "count").map_err(store_error)
    }
}
