//! What a service says about a kind of record: a struct, and what its fields cannot say.

use buildly_model::FieldError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Overlap;

/// A struct whose values a service keeps.
///
/// The struct is the single source of names, kinds, limits and descriptions: they are read
/// from its OpenAPI schema (`#[schema(max_length = 200)]`, `format = "email"`, doc comments).
///
/// ```
/// use buildly_kit::{Record, RecordType};
/// use serde::{Deserialize, Serialize};
/// use utoipa::ToSchema;
///
/// /// A thing that is sold.
/// #[derive(Serialize, Deserialize, ToSchema)]
/// struct Product {
///     /// What it is called.
///     #[schema(min_length = 1, max_length = 200)]
///     name: String,
///     /// The price in cents.
///     #[schema(minimum = 0)]
///     price_cents: i64,
/// }
///
/// impl Record for Product {
///     fn record_type() -> RecordType {
///         RecordType::new("product", "products").unique(&["name"]).sortable(&["price_cents"])
///     }
/// }
/// ```
pub trait Record: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Its name, path, and which fields are unique, listed by, and links.
    fn record_type() -> RecordType;

    /// Turns other ways to write a field into the one that is kept, before the fields are
    /// checked: a local time into an instant, say. A change is read together with the fields
    /// that it leaves alone.
    ///
    /// # Errors
    /// Every refused field with a sentence.
    fn read(members: Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        Ok(members)
    }

    /// What every organization begins with, such as the stages of a pipeline. It is made when
    /// the organization first meets the record type, once: what is changed or deleted stays so.
    #[must_use]
    fn beginning() -> Vec<Self> {
        Vec::new()
    }

    /// Rules over several fields; every refused field at once.
    fn check(&self) -> Vec<FieldError> {
        Vec::new()
    }
}

/// What happens to records that point at one that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused (409) while there are any.
    Refuse,
    /// Their field becomes null.
    Clear,
    /// They are deleted too.
    Delete,
}

/// A field that holds the id of another record of the same service and organization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    pub(crate) field: &'static str,
    pub(crate) record_type: &'static str,
    pub(crate) on_delete: OnDelete,
}

/// What a record type is beside its fields.
#[derive(Debug, Clone)]
pub struct RecordType {
    pub(crate) name: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) unique: Vec<&'static [&'static str]>,
    /// Unique rules for which missing values count as the same.
    pub(crate) unique_with_missing: Vec<&'static [&'static str]>,
    pub(crate) filterable: Vec<&'static str>,
    pub(crate) sortable: Vec<&'static str>,
    pub(crate) searchable: Vec<&'static str>,
    pub(crate) order: Vec<&'static str>,
    pub(crate) references: Vec<Reference>,
    pub(crate) overlap: Option<Overlap>,
    pub(crate) tree: Option<&'static str>,
    pub(crate) inherits: Option<&'static str>,
    pub(crate) is_restrictable: bool,
    pub(crate) is_guarded: bool,
    pub(crate) is_read_only: bool,
}

impl RecordType {
    /// A record type: its name (`contact`, also the table's) and its plural (`contacts`, the path).
    #[must_use]
    pub const fn new(name: &'static str, plural: &'static str) -> Self {
        Self {
            name,
            plural,
            unique: Vec::new(),
            unique_with_missing: Vec::new(),
            filterable: Vec::new(),
            sortable: Vec::new(),
            searchable: Vec::new(),
            order: Vec::new(),
            references: Vec::new(),
            overlap: None,
            tree: None,
            inherits: None,
            is_restrictable: false,
            is_guarded: false,
            is_read_only: false,
        }
    }

    /// No two records of an organization have the same values in all of `fields` (null never counts as the same).
    #[must_use]
    pub fn unique(mut self, fields: &'static [&'static str]) -> Self {
        self.unique.push(fields);
        self
    }

    /// As [`Self::unique`], and missing values count as the same: of records without `parent`,
    /// too, no two have the same `name`.
    #[must_use]
    pub fn unique_with_missing(mut self, fields: &'static [&'static str]) -> Self {
        self.unique_with_missing.push(fields);
        self
    }

    /// Lists can be narrowed by these fields: `field=`, `field__in=a,b`, `field__isnull=true`,
    /// and for numbers and instants `field__gte=` and `field__lte=`. Each gets an index.
    #[must_use]
    pub fn filterable(mut self, fields: &[&'static str]) -> Self {
        self.filterable.extend(fields);
        self
    }

    /// Lists can be ordered by these fields (`ordering=-field`). Each gets an index.
    #[must_use]
    pub fn sortable(mut self, fields: &[&'static str]) -> Self {
        self.sortable.extend(fields);
        self
    }

    /// `search=` looks for each word in these text fields, whatever its case.
    #[must_use]
    pub fn searchable(mut self, fields: &[&'static str]) -> Self {
        self.searchable.extend(fields);
        self
    }

    /// The order of a list when nobody asks for one, such as `&["-number"]`; else by id.
    #[must_use]
    pub fn ordered_by(mut self, fields: &[&'static str]) -> Self {
        self.order.extend(fields);
        self
    }

    /// `field` holds the id of a record of type `record_type`; it must exist when it is written.
    /// The field is filterable too.
    #[must_use]
    pub fn reference(mut self, field: &'static str, record_type: &'static str, on_delete: OnDelete) -> Self {
        self.references.push(Reference { field, record_type, on_delete });
        if !self.filterable.contains(&field) {
            self.filterable.push(field);
        }
        self
    }

    /// Records are in each other: `field` holds the id of the record of the same type that this
    /// one is in, if it is in one. No record is in itself, however many are moved at once, and
    /// there are at most 50 levels. A record that others are in is not deleted.
    #[must_use]
    pub fn tree(mut self, field: &'static str) -> Self {
        self.tree = Some(field);
        let name = self.name;
        self.reference(field, name, OnDelete::Refuse)
    }

    /// A record can be restricted to people. The struct has `owner: Option<Uuid>`, which is the
    /// caller who makes it if nobody else is named; `restricted: bool`; and `readers` and
    /// `writers: Vec<Uuid>`, with whom the owner shares it. Whoever may not see it is answered
    /// as if it did not exist; whoever may only see it is refused changes (403).
    #[must_use]
    pub const fn restrictable(mut self) -> Self {
        self.is_restrictable = true;
        self
    }

    /// Who may see and change a record depends on the one that the reference `field` points at,
    /// unless the record is restricted itself. Putting it there needs the right to change that.
    #[must_use]
    pub const fn inherits(mut self, field: &'static str) -> Self {
        self.inherits = Some(field);
        self
    }

    /// No two records share time as `overlap` says; a write that would is refused (409) with
    /// the id of the record that has the time, however many are written at once.
    #[must_use]
    pub const fn without_overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = Some(overlap);
        self
    }

    /// A change must say which version it is based on (`If-Match`); without it 428.
    #[must_use]
    pub const fn guarded(mut self) -> Self {
        self.is_guarded = true;
        self
    }

    /// Records are only written by the service itself; outside they can be read.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }
}
