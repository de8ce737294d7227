//! Writing rows: all kinds have the same first columns, and each has some of its own.

use buildly_model::{LevelRowId, OrganizationId, StoreError};
use buildly_workflow::levels::{Change, Kind, Record, Row};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::engine::unique;
use crate::workflow::row::{execute, signed, to_json};

const UNIQUE: &[(&str, &str)] = &[("workflow_level_status.short_name", "short_name")];

/// What is written of a row, beside its number.
struct Written {
    table: &'static str,
    id: LevelRowId,
    version: u64,
    created_at: i64,
    edited_at: i64,
    columns: Vec<(&'static str, Value)>,
}

pub(in crate::workflow) fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Created(row) => insert(tx, owner(organization, row.kind())?, written(row)?),
        Change::Updated(row) => update(tx, owner(organization, row.kind())?, written(row)?),
        Change::Deleted { kind, id, version } => {
            delete(tx, owner(organization, *kind)?, table(*kind), *id, *version)
        }
    }
}

/// That of the part, never that of a row in it: nothing crosses an organization.
fn owner(organization: Option<OrganizationId>, kind: Kind) -> Result<Option<String>, StoreError> {
    match (organization, kind) {
        (Some(organization), _) => Ok(Some(organization.to_string())),
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

fn insert(tx: &Connection, organization: Option<String>, row: Written) -> Result<(), StoreError> {
    let names: String = row.columns.iter().map(|(name, _)| format!(", {name}")).collect();
    let marks = ", ?".repeat(row.columns.len());
    let sql = format!(
        "INSERT INTO {} (id, organization_id, version, created_at, edited_at{names}) VALUES (?, ?, ?, ?, ?{marks})",
        row.table
    );
    let values = [
        row.id.to_string().into(),
        organization.into(),
        signed(row.version).into(),
        row.created_at.into(),
        row.edited_at.into(),
    ];
    let values = values.into_iter().chain(row.columns.into_iter().map(|(_, value)| value));
    let written =
        tx.prepare_cached(&sql).and_then(|mut statement| statement.execute(params_from_iter(values)));
    written.map(drop).map_err(|error| unique(error, UNIQUE))
}

fn update(tx: &Connection, organization: Option<String>, row: Written) -> Result<(), StoreError> {
    let names: String = row.columns.iter().map(|(name, _)| format!(", {name} = ?")).collect();
    let sql = format!(
        "UPDATE {} SET version = version + 1, edited_at = ?{names}
         WHERE id = ? AND organization_id IS ? AND version = ?",
        row.table
    );
    let key = [row.id.to_string().into(), organization.into(), signed(row.version).into()];
    let columns = row.columns.into_iter().map(|(_, value)| value);
    let values = [row.edited_at.into()].into_iter().chain(columns).chain(key);
    let written =
        tx.prepare_cached(&sql).and_then(|mut statement| statement.execute(params_from_iter(values)));
    at_its_version(written.map_err(|error| unique(error, UNIQUE))?)
}

fn delete(
    tx: &Connection,
    organization: Option<String>,
    table: &str,
    id: LevelRowId,
    version: u64,
) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM {table} WHERE id = ?1 AND organization_id IS ?2 AND version = ?3");
    at_its_version(execute(tx, &sql, params![id.to_string(), organization, signed(version)])?)
}

fn at_its_version(changed: usize) -> Result<(), StoreError> {
    if changed == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

fn written(row: &Row) -> Result<Written, StoreError> {
    let text = |text: &String| Value::from(text.clone());
    let id = |id: Option<LevelRowId>| Value::from(id.map(|id| id.to_string()));
    Ok(match row {
        Row::Level1(row) => of(
            Kind::Level1,
            row,
            vec![
                ("name", text(&row.value.name)),
                ("group_ids", to_json(&row.value.groups)?.into()),
                ("details", to_json(&row.value.details)?.into()),
            ],
        ),
        Row::Level2(row) => of(
            Kind::Level2,
            row,
            vec![
                ("name", text(&row.value.name)),
                ("group_ids", to_json(&row.value.groups)?.into()),
                ("details", to_json(&row.value.details)?.into()),
                ("level1_id", id(Some(row.value.level1.id))),
                ("parent_id", id(row.value.parent)),
                ("type_id", id(row.value.kind)),
                ("status_id", id(row.value.status)),
                ("run_id", row.value.run.map(|(run, _)| run.to_string()).into()),
            ],
        ),
        Row::Type(row) => of(Kind::Type, row, vec![("name", text(&row.value.name))]),
        Row::Status(row) => of(
            Kind::Status,
            row,
            vec![
                ("position", row.value.order.into()),
                ("name", text(&row.value.name)),
                ("short_name", text(&row.value.short_name)),
            ],
        ),
        Row::Order(row) => of(
            Kind::Order,
            row,
            vec![
                ("details", to_json(&row.value.details)?.into()),
                ("level1_id", id(Some(row.value.level1.id))),
                ("parent_id", id(row.value.parent)),
            ],
        ),
        Row::Team(row) => of(
            Kind::Team,
            row,
            vec![
                ("details", to_json(&row.value.details)?.into()),
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
