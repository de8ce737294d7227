//! Writing rows: all kinds have the same first columns, and each has some of its own.

use buildly_model::{GroupId, LevelRowId, OrganizationId, StoreError};
use buildly_workflow::levels::{Change, Kind, Record, Row};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::engine::unique;
use crate::workflow::row::{signed, to_json};

const UNIQUE: &[(&str, &str)] =
    &[("workflow_level_status_name", "short_name"), ("workflow_level_status_shared", "short_name")];

/// The value of a column.
enum Value {
    Text(String),
    Number(i64),
    Id(Option<Uuid>),
    Ids(Vec<Uuid>),
}

/// What is written of a row, beside its number.
struct Written {
    table: &'static str,
    id: LevelRowId,
    version: u64,
    created_at: i64,
    edited_at: i64,
    columns: Vec<(&'static str, Value)>,
}

pub(in crate::workflow) async fn apply(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Created(row) => insert(tx, owner(organization, row.kind())?, written(row)?).await,
        Change::Updated(row) => update(tx, owner(organization, row.kind())?, written(row)?).await,
        Change::Deleted { kind, id, version } => {
            delete(tx, owner(organization, *kind)?, table(*kind), *id, *version).await
        }
    }
}

/// That of the part, never that of a row in it: nothing crosses an organization.
fn owner(organization: Option<OrganizationId>, kind: Kind) -> Result<Option<Uuid>, StoreError> {
    match (organization, kind) {
        (Some(organization), _) => Ok(Some(organization.as_uuid())),
        (None, Kind::Type | Kind::Status) => Ok(None),
        (None, _) => Err(StoreError::Missing { what: "organization" }),
    }
}

pub(super) const fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Level1 => "workflow_level1",
        Kind::Level2 => "workflow_level2",
        Kind::Type => "workflow_level_type",
        Kind::Status => "workflow_level_status",
        Kind::Order => "workflow_level_order",
        Kind::Team => "workflow_team_place",
    }
}

async fn insert(tx: &mut PgConnection, organization: Option<Uuid>, row: Written) -> Result<(), StoreError> {
    let mut query = QueryBuilder::new("INSERT INTO ");
    query.push(row.table).push(" (id, organization_id, version, created_at, edited_at");
    for (name, _) in &row.columns {
        query.push(", ").push(name);
    }
    query.push(") VALUES (").push_bind(row.id.as_uuid());
    query.push(", ").push_bind(organization);
    query.push(", ").push_bind(signed(row.version));
    query.push(", ").push_bind(row.created_at);
    query.push(", ").push_bind(row.edited_at);
    for (_, value) in row.columns {
        push(query.push(", "), value);
    }
    query.push(")");
    execute(tx, query).await.map(drop)
}

async fn update(tx: &mut PgConnection, organization: Option<Uuid>, row: Written) -> Result<(), StoreError> {
    let mut query = QueryBuilder::new("UPDATE ");
    query.push(row.table).push(" SET version = version + 1, edited_at = ").push_bind(row.edited_at);
    for (name, value) in row.columns {
        push(query.push(", ").push(name).push(" = "), value);
    }
    at_its_version(&mut query, organization, row.id, row.version);
    changed(execute(tx, query).await?)
}

async fn delete(
    tx: &mut PgConnection,
    organization: Option<Uuid>,
    table: &str,
    id: LevelRowId,
    version: u64,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::new("DELETE FROM ");
    query.push(table);
    at_its_version(&mut query, organization, id, version);
    changed(execute(tx, query).await?)
}

fn at_its_version(
    query: &mut QueryBuilder<Postgres>,
    organization: Option<Uuid>,
    id: LevelRowId,
    version: u64,
) {
    query.push(" WHERE id = ").push_bind(id.as_uuid());
    query.push(" AND version = ").push_bind(signed(version));
    query.push(" AND organization_id IS NOT DISTINCT FROM ").push_bind(organization);
}

fn changed(rows: u64) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

async fn execute(tx: &mut PgConnection, mut query: QueryBuilder<Postgres>) -> Result<u64, StoreError> {
    let done = query.build().execute(tx).await;
    done.map(|done| done.rows_affected()).map_err(|error| unique(error, UNIQUE))
}

fn push(query: &mut QueryBuilder<Postgres>, value: Value) {
    match value {
        Value::Text(text) => query.push_bind(text),
        Value::Number(number) => query.push_bind(number),
        Value::Id(id) => query.push_bind(id),
        Value::Ids(ids) => query.push_bind(ids),
    };
}

fn written(row: &Row) -> Result<Written, StoreError> {
    let text = |text: &String| Value::Text(text.clone());
    let id = |id: Option<LevelRowId>| Value::Id(id.map(|id| id.as_uuid()));
    let ids = |groups: &[GroupId]| Value::Ids(groups.iter().map(GroupId::as_uuid).collect());
    Ok(match row {
        Row::Level1(row) => of(
            Kind::Level1,
            row,
            vec![
                ("name", text(&row.value.name)),
                ("group_ids", ids(&row.value.groups)),
                ("details", Value::Text(to_json(&row.value.details)?)),
            ],
        ),
        Row::Level2(row) => of(
            Kind::Level2,
            row,
            vec![
                ("name", text(&row.value.name)),
                ("group_ids", ids(&row.value.groups)),
                ("details", Value::Text(to_json(&row.value.details)?)),
                ("level1_id", id(Some(row.value.level1.id))),
                ("parent_id", id(row.value.parent)),
                ("type_id", id(row.value.kind)),
                ("status_id", id(row.value.status)),
                ("run_id", Value::Id(row.value.run.map(|(run, _)| run.as_uuid()))),
            ],
        ),
        Row::Type(row) => of(Kind::Type, row, vec![("name", text(&row.value.name))]),
        Row::Status(row) => of(
            Kind::Status,
            row,
            vec![
                ("position", Value::Number(row.value.order)),
                ("name", text(&row.value.name)),
                ("short_name", text(&row.value.short_name)),
            ],
        ),
        Row::Order(row) => of(
            Kind::Order,
            row,
            vec![
                ("details", Value::Text(to_json(&row.value.details)?)),
                ("level1_id", id(Some(row.value.level1.id))),
                ("parent_id", id(row.value.parent)),
            ],
        ),
        Row::Team(row) => of(
            Kind::Team,
            row,
            vec![
                ("details", Value::Text(to_json(&row.value.details)?)),
                ("level1_id", id(Some(row.value.level1.id))),
            ],
        ),
    })
}

fn of<T, O>(kind: Kind, row: &Record<T, O>, columns: Vec<(&'static str, Value)>) -> Written {
    Written {
        table: table(kind),
        id: row.id,
        version: row.version,
        created_at: row.created_at.as_microseconds(),
        edited_at: row.edited_at.as_microseconds(),
        columns,
    }
}
