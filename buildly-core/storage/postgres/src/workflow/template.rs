//! Versions of templates.

use buildly_model::StoreError;
use buildly_workflow::{StoredTemplate, TemplateStatus};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::row::{Statement, execute, instant, organization, parsed, version};

/// The columns of a template. The place in lists comes last.
pub(super) const COLUMNS: &str =
    "organization_id, name, version, status, title, document, hash, updated_at, number";

pub(super) fn read(row: &PgRow) -> sqlx::Result<StoredTemplate> {
    Ok(StoredTemplate {
        organization: organization(row)?,
        name: row.try_get("name")?,
        version: version(row, "version")?,
        status: parsed(row, "status")?,
        title: row.try_get("title")?,
        document: row.try_get("document")?,
        hash: parsed(row, "hash")?,
        updated_at: instant(row, "updated_at")?,
    })
}

fn with_template<'q>(sql: &'static str, organization: Uuid, template: &'q StoredTemplate) -> Statement<'q> {
    sqlx::query(sql)
        .bind(organization)
        .bind(&template.name)
        .bind(i64::from(template.version))
        .bind(template.status.name())
        .bind(&template.title)
        .bind(&template.document)
        .bind(template.hash.to_string())
        .bind(template.updated_at.as_microseconds())
}

const SAVE: &str = "
    INSERT INTO workflow_template AS stored
        (organization_id, name, version, status, title, document, hash, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (organization_id, name, version) DO UPDATE
    SET status = excluded.status, title = excluded.title, document = excluded.document,
        hash = excluded.hash, updated_at = excluded.updated_at
    WHERE stored.status = 'draft'";

pub(super) async fn save(
    tx: &mut PgConnection,
    organization: Uuid,
    template: &StoredTemplate,
) -> Result<(), StoreError> {
    match execute(tx, with_template(SAVE, organization, template)).await? {
        0 => Err(StoreError::Taken { field: "version" }),
        _ => Ok(()),
    }
}

const MOVE: &str = "
    UPDATE workflow_template SET status = $4, title = $5, document = $6, updated_at = $8
    WHERE organization_id = $1 AND name = $2 AND version = $3 AND hash = $7 AND status = $9";

pub(super) async fn change_status(
    tx: &mut PgConnection,
    organization: Uuid,
    template: &StoredTemplate,
    from: TemplateStatus,
) -> Result<(), StoreError> {
    let changed = execute(tx, with_template(MOVE, organization, template).bind(from.name())).await?;
    if changed == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

const DELETE: &str = "
    DELETE FROM workflow_template
    WHERE organization_id = $1 AND name = $2 AND version = $3 AND status = 'draft'";

pub(super) async fn delete_draft(
    tx: &mut PgConnection,
    organization: Uuid,
    name: &str,
    version: u32,
) -> Result<(), StoreError> {
    match execute(tx, sqlx::query(DELETE).bind(organization).bind(name).bind(i64::from(version))).await? {
        0 => Err(StoreError::Missing { what: "draft" }),
        _ => Ok(()),
    }
}

/// A version, or the newest of those that stand so; `NULL` asks for no condition.
pub(super) const FIND: &str = "
    SELECT organization_id, name, version, status, title, document, hash, updated_at, number
    FROM workflow_template
    WHERE organization_id = $1 AND name = $2
      AND ($3::bigint IS NULL OR version = $3) AND ($4::text IS NULL OR status = $4)
    ORDER BY version DESC LIMIT 1";

pub(super) const PUBLISHED: &str = "
    SELECT name, max(version) AS version FROM workflow_template
    WHERE organization_id = $1 AND status = 'published'
    GROUP BY name ORDER BY name";

pub(super) fn name_and_version(row: &PgRow) -> sqlx::Result<(String, u32)> {
    Ok((row.try_get("name")?, version(row, "version")?))
}
