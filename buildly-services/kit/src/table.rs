//! The tables of a service: made from its record types, and only ever added to.
//!
//! A new field becomes a new column that may be null, or has the default that the field's
//! schema says (`#[schema(default = …)]`) in the records that are there already. A field that
//! is gone keeps its column, so that a server one version behind goes on working. A field of
//! another kind than its column is refused at the start, before anything is served.

use buildly_model::StoreError;

use crate::field::Field;
use crate::shape::{Shape, unique_index};
use crate::statement::Dialect;
use crate::value::Kind;

/// The kit's own tables: answers kept for `Idempotency-Key`, and which organizations have been
/// given what their records begin with.
pub(crate) fn own_tables(dialect: Dialect) -> String {
    let column = |kind| dialect.column_type(kind);
    let (text, uuid, integer) = (column(Kind::Text), column(Kind::Uuid), column(Kind::Integer));
    format!(
        "CREATE TABLE IF NOT EXISTS idempotency (
            organization_id {uuid} NOT NULL,
            principal {text} NOT NULL,
            key {text} NOT NULL,
            fingerprint {text} NOT NULL,
            status {integer} NOT NULL,
            record {text} NOT NULL,
            etag {text} NOT NULL,
            body {text} NOT NULL,
            created_at {integer} NOT NULL,
            CONSTRAINT idempotency_pkey PRIMARY KEY (organization_id, principal, key)
        ){strict};
        CREATE INDEX IF NOT EXISTS idempotency_created_at ON idempotency (created_at);
        CREATE TABLE IF NOT EXISTS beginning (
            organization_id {uuid} NOT NULL,
            record_type {text} NOT NULL,
            created_at {integer} NOT NULL,
            CONSTRAINT beginning_pkey PRIMARY KEY (organization_id, record_type)
        ){strict};",
        strict = strict(dialect)
    )
}

/// What to run so that the table fits; `existing` are its columns with their types, if there is one.
///
/// # Errors
/// [`StoreError::Corrupt`] if a column holds another kind than its field.
pub(crate) fn bring_up_to_date(
    dialect: Dialect,
    shape: &Shape,
    existing: &[(String, String)],
) -> Result<Vec<String>, StoreError> {
    let table = shape.name();
    let mut statements = Vec::new();
    if existing.is_empty() {
        statements.push(create(dialect, shape));
    }
    for field in shape.fields.iter().filter(|_| !existing.is_empty()) {
        let wanted = dialect.column_type(field.kind);
        let bare = wanted.split(" COLLATE").next().unwrap_or(wanted);
        match existing.iter().find(|(name, _)| *name == field.name) {
            None => {
                let column = column(dialect, field);
                statements.push(format!("ALTER TABLE \"{table}\" ADD COLUMN {column}"));
            }
            Some((_, found)) if found.eq_ignore_ascii_case(bare) => {}
            Some((name, found)) => {
                return Err(StoreError::corrupt(format!(
                    "column `{name}` of table `{table}` is `{found}`, but the service now wants `{bare}`; give the field another name"
                )));
            }
        }
    }
    statements.extend(indexes(shape));
    Ok(statements)
}

fn create(dialect: Dialect, shape: &Shape) -> String {
    let column = |kind| dialect.column_type(kind);
    let (text, uuid, integer) = (column(Kind::Text), column(Kind::Uuid), column(Kind::Integer));
    let table = shape.name();
    let fields: String =
        shape.fields.iter().map(|field| format!("{},\n", self::column(dialect, field))).collect();
    format!(
        "CREATE TABLE IF NOT EXISTS \"{table}\" (
            organization_id {uuid} NOT NULL,
            id {uuid} NOT NULL,
            version {integer} NOT NULL,
            created_at {integer} NOT NULL,
            updated_at {integer} NOT NULL,
            search_text {text} NOT NULL,
            {fields}
            CONSTRAINT \"{table}_pkey\" PRIMARY KEY (organization_id, id)
        ){}",
        strict(dialect)
    )
}

/// A column with its default, which a server one version behind, that does not know the field,
/// writes too.
fn column(dialect: Dialect, field: &Field) -> String {
    let kind = dialect.column_type(field.kind);
    let default = field.default.as_ref().and_then(|value| field.kind.read_json(value).ok());
    let default = default.map(|cell| format!(" DEFAULT {}", cell.literal(dialect))).unwrap_or_default();
    format!("\"{}\" {kind}{default}", field.name)
}

fn indexes(shape: &Shape) -> Vec<String> {
    let table = shape.name();
    let declared = &shape.record_type;
    let unique = declared.unique.iter().map(|fields| {
        let columns: Vec<String> = fields.iter().map(|field| format!("\"{field}\"")).collect();
        format!(
            "CREATE UNIQUE INDEX IF NOT EXISTS \"{}\" ON \"{table}\" (organization_id, {})",
            unique_index(table, fields),
            columns.join(", ")
        )
    });
    let unique_with_missing = declared.unique_with_missing.iter().map(|fields| {
        let columns = fields.iter().filter_map(|name| shape.field(name)).map(|field| {
            let by = order_expression(&field.name, field.kind, !field.is_required || field.is_nullable);
            format!("({by})")
        });
        format!(
            "CREATE UNIQUE INDEX IF NOT EXISTS \"{}\" ON \"{table}\" (organization_id, {})",
            unique_index(table, fields),
            columns.collect::<Vec<_>>().join(", ")
        )
    });
    let filter = declared.filterable.iter().map(|field| {
        format!(
            "CREATE INDEX IF NOT EXISTS \"{table}_{field}_by\" ON \"{table}\" (organization_id, \"{field}\", id)"
        )
    });
    let order = declared.sortable.iter().filter_map(|name| shape.field(name)).map(|field| {
        let by = order_expression(&field.name, field.kind, !field.is_required || field.is_nullable);
        format!(
            "CREATE INDEX IF NOT EXISTS \"{table}_{}_sort\" ON \"{table}\" (organization_id, ({by}), id)",
            field.name
        )
    });
    let times = declared.overlap.iter().map(|overlap| {
        let (within, starts, ends) = (overlap.within, overlap.starts, overlap.ends);
        format!(
            "CREATE INDEX IF NOT EXISTS \"{table}_times\" ON \"{table}\" (organization_id, \"{within}\", \"{ends}\", \"{starts}\")"
        )
    });
    unique.chain(unique_with_missing).chain(filter).chain(order).chain(times).collect()
}

/// What a list is ordered by: missing values count as the least of their kind.
pub(crate) fn order_expression(column: &str, kind: Kind, may_be_null: bool) -> String {
    if !may_be_null {
        return format!("\"{column}\"");
    }
    let least = match kind {
        Kind::Text | Kind::Json => "''",
        Kind::Uuid => "'00000000-0000-0000-0000-000000000000'",
        // Written so that neither database takes it for a wider type.
        Kind::Integer | Kind::Instant => "(-9223372036854775807 - 1)",
        Kind::Number => "-1.7976931348623157e308",
        Kind::Boolean => "FALSE",
    };
    format!("COALESCE(\"{column}\", {least})")
}

const fn strict(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => " STRICT, WITHOUT ROWID",
        Dialect::Postgres => "",
    }
}
