//! A record type with its fields read from the struct: what everything else works on.

use std::fmt;

use buildly_model::FieldError;
use serde_json::{Map, Value};

use crate::access;
use crate::field::Field;
use crate::record::{OnDelete, Record, RecordType};
use crate::value::{Cell, Kind};

/// Columns that every record has beside its fields; no field may be called so.
pub(crate) const OWN_COLUMNS: [&str; 6] =
    ["organization_id", "id", "version", "created_at", "updated_at", "search_text"];
/// Members of a record on the wire that a body may repeat and that are not taken from it.
const READ_ONLY: [&str; 4] = ["id", "version", "created_at", "updated_at"];
const NAME_LENGTH_MAX: usize = 40;
/// PostgreSQL cuts longer names off.
const INDEX_NAME_LENGTH_MAX: usize = 63;

/// A declaration that cannot work; a fault of the service's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record type `{record_type}`: {reason}")]
pub struct DeclarationError {
    /// Which record type.
    pub record_type: String,
    /// What is wrong with it.
    pub reason: String,
}

type Rewrite = fn(Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>>;

/// A record type and its fields.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) record_type: RecordType,
    pub(crate) schema_name: String,
    pub(crate) description: String,
    pub(crate) fields: Vec<Field>,
    /// Named schemas that the struct's own refers to.
    pub(crate) schemas: Vec<(String, Value)>,
    /// What every organization begins with.
    pub(crate) beginning: Vec<Map<String, Value>>,
    read: Rewrite,
    normalise: Rewrite,
}

/// A unique index: its name, how SQLite names its last column, and the field to complain about.
#[derive(Debug, Clone)]
pub(crate) struct Unique {
    pub(crate) index: String,
    pub(crate) column: String,
    pub(crate) field: &'static str,
}

impl Shape {
    /// Reads a record type.
    ///
    /// # Errors
    /// [`DeclarationError`] if the declaration and the struct do not fit.
    pub(crate) fn of<T: Record>() -> Result<Self, DeclarationError> {
        let record_type = T::record_type();
        let refuse = |reason: &str| DeclarationError {
            record_type: record_type.name.to_owned(),
            reason: reason.to_owned(),
        };
        let mut referenced = Vec::new();
        T::schemas(&mut referenced);
        let mut schemas = Vec::new();
        for (name, schema) in referenced {
            let schema = serde_json::to_value(schema).map_err(|error| refuse(&error.to_string()))?;
            schemas.push((name, schema));
        }
        let schema = serde_json::to_value(T::schema()).map_err(|error| refuse(&error.to_string()))?;
        let properties = schema.get("properties").and_then(Value::as_object).ok_or_else(|| {
            refuse("the struct's schema has no properties; a record is a struct with named fields")
        })?;
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let resolve =
            |name: &str| schemas.iter().find(|(known, _)| known == name).map(|(_, schema)| schema.clone());
        let fields = properties
            .iter()
            .map(|(name, property)| Field::read(name, property, required.contains(&name.as_str()), &resolve))
            .collect();
        let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut shape = Self {
            schema_name: T::name().into_owned(),
            description,
            fields,
            schemas,
            beginning: Vec::new(),
            read: T::read,
            normalise: normalise::<T>,
            record_type,
        };
        shape.check_declaration()?;
        for record in T::beginning() {
            let accepted = match serde_json::to_value(&record) {
                Ok(Value::Object(members)) => shape.accept(members).map_err(|errors| join(&errors)),
                _ => Err("it is no object".to_owned()),
            };
            let accepted =
                accepted.map_err(|reason| refuse(&format!("a record of the beginning: {reason}")))?;
            shape.beginning.push(accepted);
        }
        Ok(shape)
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.record_type.name
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Every unique rule, the key first.
    pub(crate) fn uniques(&self) -> Vec<Unique> {
        let name = self.name();
        let key = Unique { index: format!("{name}_pkey"), column: format!("{name}.id"), field: "id" };
        let declared = self.record_type.unique.iter().filter_map(|fields| {
            let last = fields.last()?;
            Some(Unique { index: unique_index(name, fields), column: format!("{name}.{last}"), field: last })
        });
        // SQLite names an index over expressions by its own name.
        let with_missing = self.record_type.unique_with_missing.iter().filter_map(|fields| {
            let index = unique_index(name, fields);
            Some(Unique { column: index.clone(), index, field: fields.last()? })
        });
        std::iter::once(key).chain(declared).chain(with_missing).collect()
    }

    /// Takes a body apart: every refused field at once, else the record in its canonical form.
    ///
    /// # Errors
    /// Each refused field with a sentence.
    pub(crate) fn accept(&self, body: Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut members = Map::new();
        for (name, value) in (self.read)(body)? {
            if READ_ONLY.contains(&name.as_str()) {
                continue;
            }
            let Some(field) = self.field(&name) else {
                errors.push(FieldError::new(name, self.unknown()));
                continue;
            };
            match field.check(&value) {
                Ok(()) => drop(members.insert(name, value)),
                Err(message) => errors.push(FieldError::new(name, message)),
            }
        }
        for field in &self.fields {
            let is_refused = errors.iter().any(|error| error.field == field.name);
            if field.is_required && !is_refused && !members.contains_key(&field.name) {
                errors.push(FieldError::new(field.name.as_str(), "This field is required."));
            }
        }
        if errors.is_empty() { (self.normalise)(members) } else { Err(errors) }
    }

    /// The text that `search=` looks in.
    pub(crate) fn search_text(&self, fields: &Map<String, Value>) -> String {
        let texts = self.record_type.searchable.iter().filter_map(|name| fields.get(*name)?.as_str());
        texts.map(str::to_lowercase).collect::<Vec<_>>().join("\n")
    }

    fn unknown(&self) -> String {
        let names: Vec<String> = self.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        format!("This field is unknown; a {} has {}.", self.name(), names.join(", "))
    }

    fn check_declaration(&self) -> Result<(), DeclarationError> {
        let refuse = |reason: String| DeclarationError { record_type: self.name().to_owned(), reason };
        let names = [self.record_type.name, self.record_type.plural];
        for name in names.into_iter().chain(self.fields.iter().map(|field| field.name.as_str())) {
            if !is_identifier(name) {
                return Err(refuse(format!(
                    "`{name}` is no name; expected a-z, then a-z, 0-9 and _, at most {NAME_LENGTH_MAX} characters"
                )));
            }
        }
        if let Some(field) = self.fields.iter().find(|field| OWN_COLUMNS.contains(&field.name.as_str())) {
            return Err(refuse(format!(
                "every record has `{}` already; call the field otherwise",
                field.name
            )));
        }
        let declared = &self.record_type;
        let order = declared.order.iter().map(|name| name.trim_start_matches('-'));
        let indexed = declared.filterable.iter().chain(&declared.sortable).copied();
        let unique = declared.unique.iter().chain(&declared.unique_with_missing);
        let indexed = indexed.chain(unique.flat_map(|fields| fields.iter().copied()));
        for name in indexed.chain(order) {
            let Some(field) = self.field(name) else {
                return Err(refuse(format!("`{name}` is declared, but the struct has no such field")));
            };
            if !field.fits_an_index() {
                return Err(refuse(format!(
                    "`{name}` is too long for an index: give it `#[schema(max_length = …)]` of at most {}",
                    crate::field::INDEXED_CHARACTERS_MAX
                )));
            }
        }
        for name in &declared.searchable {
            if self.field(name).is_none_or(|field| field.kind != Kind::Text) {
                return Err(refuse(format!("`{name}` is searchable, but is no text field of the struct")));
            }
        }
        for reference in &declared.references {
            let field = self.field(reference.field);
            if field.is_none_or(|field| field.kind != Kind::Uuid) {
                return Err(refuse(format!("`{}` is a reference, but holds no UUID", reference.field)));
            }
            if reference.on_delete == OnDelete::Clear && field.is_some_and(|field| !field.is_nullable) {
                return Err(refuse(format!("`{}` cannot be cleared: make it an Option", reference.field)));
            }
        }
        if let Some(overlap) = &declared.overlap {
            overlap.check_declaration(self).map_err(refuse)?;
        }
        access::check_declaration(self).map_err(refuse)?;
        match self.uniques().iter().find(|unique| unique.index.len() > INDEX_NAME_LENGTH_MAX) {
            Some(unique) => Err(refuse(format!("the name of index `{}` is too long", unique.index))),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shape").field("record_type", &self.record_type).finish_non_exhaustive()
    }
}

fn join(errors: &[FieldError]) -> String {
    let texts = errors.iter().map(|error| format!("`{}`: {}", error.field, error.message));
    texts.collect::<Vec<_>>().join("; ")
}

/// The name of the index that keeps `fields` unique.
pub(crate) fn unique_index(table: &str, fields: &[&str]) -> String {
    format!("{table}_{}_unique", fields.join("_"))
}

/// Sends the members through the struct, so that its types and defaults have the last word.
fn normalise<T: Record>(members: Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
    let whole = |message: String| vec![FieldError::new("body", message)];
    let record: T = serde_json::from_value(Value::Object(members))
        .map_err(|error| whole(format!("Expected {error}.")))?;
    let errors = record.check();
    if !errors.is_empty() {
        return Err(errors);
    }
    match serde_json::to_value(&record) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(whole("Expected an object.".to_owned())),
        Err(error) => Err(whole(format!("This cannot be kept: {error}."))),
    }
}

fn is_identifier(name: &str) -> bool {
    name.len() <= NAME_LENGTH_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// One stored record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: uuid::Uuid,
    pub(crate) version: u64,
    pub(crate) created_at: buildly_model::Timestamp,
    pub(crate) updated_at: buildly_model::Timestamp,
    pub(crate) fields: Map<String, Value>,
}

impl Row {
    /// Reads the columns `id, version, created_at, updated_at` and then each field.
    pub(crate) fn read(shape: &Shape, cells: &[Cell]) -> Option<Self> {
        let [
            Cell::Uuid(id),
            Cell::Integer(version),
            Cell::Integer(created),
            Cell::Integer(updated),
            rest @ ..,
        ] = cells
        else {
            return None;
        };
        let shown = shape.fields.iter().zip(rest);
        Some(Self {
            id: *id,
            version: u64::try_from(*version).ok()?,
            created_at: buildly_model::Timestamp::from_microseconds(*created),
            updated_at: buildly_model::Timestamp::from_microseconds(*updated),
            fields: shown.map(|(field, cell)| (field.name.clone(), field.kind.show(cell))).collect(),
        })
    }

    /// The record on the wire.
    pub(crate) fn show(&self) -> Value {
        let mut members = Map::new();
        members.insert("id".to_owned(), Value::String(self.id.to_string()));
        members.extend(self.fields.clone());
        members.insert("version".to_owned(), Value::from(self.version));
        members.insert("created_at".to_owned(), Value::String(self.created_at.to_string()));
        members.insert("updated_at".to_owned(), Value::String(self.updated_at.to_string()));
        Value::Object(members)
    }

    /// The entity tag of this version.
    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}
