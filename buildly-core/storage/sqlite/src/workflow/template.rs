//! Versions of templates.

use buildly_model::StoreError;
use buildly_workflow::{StoredTemplate, TemplateStatus};
use rusqlite::{Connection, Row, params};

use super::row::{execute, first, instant, parsed};

/// The columns of a template, in the order of [`read`]. The place in lists comes last.
pub(super) const COLUMNS: &str =
    "organization_id, name, version, status, title, document, hash, updated_at, number";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<StoredTemplate> {
    Ok(StoredTemplate {
        organization: parsed(row, 0)?,
        name: row.get(1)?,
        version: row.get(2)?,
        status: parsed(row, 3)?,
        title: row.get(4)?,
        document: row.get(5)?,
        hash: parsed(row, 6)?,
        updated_at: instant(row, 7)?,
    })
}

const SAVE: &str = "
    INSERT INTO workflow_template
        (organization_id, name, version, status, title, document, hash, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (organization_id, name, version) DO UPDATE
    SET status = excluded.status, title = excluded.title, document = excluded.document,
        hash = excluded.hash, updated_at = excluded.updated_at
    WHERE status = 'draft'";

pub(super) fn save(tx: &Connection, organization: &str, template: &StoredTemplate) -> Result<(), StoreError> {
    let values = params![
        organization,
        template.name,
        template.version,
        template.status.name(),
        template.title,
        template.document,
        template.hash.to_string(),
        template.updated_at.as_microseconds(),
    ];
    if execute(tx, SAVE, values)? == 0 { Err(StoreError::Taken { field: "version" }) } else { Ok(()) }
}

const MOVE: &str = "
    UPDATE workflow_template SET status = ?4, title = ?5, document = ?6, updated_at = ?8
    WHERE organization_id = ?1 AND name = ?2 AND version = ?3 AND hash = ?7 AND status = ?9";

pub(super) fn change_status(
    tx: &Connection,
    organization: &str,
    template: &StoredTemplate,
    from: TemplateStatus,
) -> Result<(), StoreError> {
    let values = params![
        organization,
        template.name,
        template.version,
        template.status.name(),
        template.title,
        template.document,
        template.hash.to_string(),
        template.updated_at.as_microseconds(),
        from.name(),
    ];
    if execute(tx, MOVE, values)? == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

const DELETE: &str = "
    DELETE FROM workflow_template
    WHERE organization_id = ?1 AND name = ?2 AND version = ?3 AND status = 'draft'";

pub(super) fn delete_draft(
    tx: &Connection,
    organization: &str,
    name: &str,
    version: u32,
) -> Result<(), StoreError> {
    match execute(tx, DELETE, params![organization, name, version])? {
        0 => Err(StoreError::Missing { what: "draft" }),
        _ => Ok(()),
    }
}

/// A version, or the newest of those that stand so; `NULL` asks for no condition.
const FIND: &str = "
    SELECT organization_id, name, version, status, title, document, hash, updated_at, number
    FROM workflow_template
    WHERE organization_id = ?1 AND name = ?2
      AND (?3 IS NULL OR version = ?3) AND (?4 IS NULL OR status = ?4)
    ORDER BY version DESC LIMIT 1";

pub(super) fn find(
    tx: &Connection,
    organization: &str,
    name: &str,
    version: Option<u32>,
    status: Option<TemplateStatus>,
) -> Result<Option<StoredTemplate>, StoreError> {
    first(tx, FIND, params![organization, name, version, status.map(TemplateStatus::name)], read)
}

const PUBLISHED: &str = "
    SELECT name, max(version) AS version FROM workflow_template
    WHERE organization_id = ?1 AND status = 'published'
    GROUP BY name ORDER BY name";

pub(super) fn published_versions(
    tx: &Connection,
    organization: &str,
) -> Result<Vec<(String, u32)>, StoreError> {
    super::row::all(tx, PUBLISHED, [organization], |row| Ok((row.get(0)?, row.get(1)?)))
}
