//! Who may see and change a record: its owner, whom it is shared with, and whoever may do so
//! with the record that it is in. Pure: SQL and decisions out.
//!
//! A record that is not restricted is open to whoever may see, or change, what it is in; one
//! that is in nothing is open to the whole organization. One that is restricted is open to its
//! owner, its readers and its writers only. Owner, readers and writers keep their access in
//! either case, so a single record can be shared out of a folder that is restricted.
//!
//! The rule is part of every statement that reads or writes for a caller, so no list, page or
//! count shows what a record's own page would not, and a right that is taken away counts from
//! the moment that it is.

use buildly_model::{FieldError, OrganizationId};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Error;
use crate::caller::Caller;
use crate::field::Field;
use crate::shape::{Row, Shape};
use crate::statement::{Dialect, Statement};
use crate::value::{Cell, Kind};

const OWNER: &str = "owner";
const RESTRICTED: &str = "restricted";
const READERS: &str = "readers";
const WRITERS: &str = "writers";
/// Fields of a record that can be restricted.
const FIELDS: [&str; 4] = [OWNER, RESTRICTED, READERS, WRITERS];
/// The most people that a record is shared with in one way.
const PEOPLE_MAX: usize = 200;

/// Whose eyes records are looked at with: a caller's, who sees what is open to them, or the
/// service's own, which sees everything of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    pub(crate) organization: OrganizationId,
    viewer: Option<Uuid>,
}

impl From<OrganizationId> for Scope {
    fn from(organization: OrganizationId) -> Self {
        Self { organization, viewer: None }
    }
}

impl From<&Caller> for Scope {
    fn from(caller: &Caller) -> Self {
        Self { organization: caller.organization, viewer: Some(caller.id()) }
    }
}

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Read,
    Write,
}

/// Refuses a declaration whose struct lacks what it needs.
///
/// # Errors
/// The reason.
pub(crate) fn check_declaration(shape: &Shape) -> Result<(), String> {
    let declared = &shape.record_type;
    let is_link = |field: &str| declared.references.iter().any(|reference| reference.field == field);
    if let Some(field) = declared.inherits.filter(|field| !is_link(field)) {
        return Err(format!("`{field}` is no reference, so nothing can be inherited from it"));
    }
    if !declared.is_restrictable {
        return Ok(());
    }
    let is_kind = |name: &str, kind: Kind| shape.field(name).is_some_and(|field: &Field| field.kind == kind);
    if is_kind(OWNER, Kind::Uuid)
        && is_kind(RESTRICTED, Kind::Boolean)
        && is_kind(READERS, Kind::Json)
        && is_kind(WRITERS, Kind::Json)
    {
        return Ok(());
    }
    Err("what can be restricted has `owner: Option<Uuid>`, `restricted: bool`, `readers` and `writers: Vec<Uuid>`"
        .to_owned())
}

/// Whether a caller in this scope may be refused records of this type.
pub(crate) fn is_limited(shape: &Shape, scope: Scope) -> bool {
    scope.viewer.is_some() && (shape.record_type.is_restrictable || shape.record_type.inherits.is_some())
}

/// Adds ` AND …`: only rows of the shape's table that the scope gives this right to.
pub(crate) fn push(statement: &mut Statement, shapes: &[Shape], shape: &Shape, scope: Scope, right: Right) {
    if let Some(viewer) = scope.viewer.filter(|_| is_limited(shape, scope)) {
        statement.push(" AND ");
        Rule { shapes, viewer, right }.push(statement, shape);
    }
}

struct Rule<'a> {
    shapes: &'a [Shape],
    viewer: Uuid,
    right: Right,
}

impl Rule<'_> {
    /// Links between types make no circle but that of a tree, which is walked by
    /// [`Self::push_walk`], so this ends.
    fn push(&self, statement: &mut Statement, shape: &Shape) {
        let table = shape.name();
        if !shape.record_type.is_restrictable {
            return self.push_inherited(statement, shape);
        }
        statement.push("(");
        self.push_own(statement, table);
        statement.push(" OR (NOT ");
        push_restricted(statement, table);
        statement.push(" AND ");
        self.push_inherited(statement, shape);
        statement.push("))");
    }

    /// Whether the row is the viewer's, or shared with them.
    fn push_own(&self, statement: &mut Statement, table: &str) {
        statement.push("(COALESCE(").name(table).push(".").name(OWNER).push(" = ");
        statement.bind(Cell::Uuid(self.viewer)).push(", FALSE)");
        let lists: &[&str] = if self.right == Right::Read { &[READERS, WRITERS] } else { &[WRITERS] };
        let find = if statement.dialect == Dialect::Sqlite { "instr" } else { "strpos" };
        for list in lists {
            // Lists are kept as JSON with each UUID in its one canonical form.
            statement.push(&format!(" OR COALESCE({find}(")).name(table).push(".").name(list).push(", ");
            statement.bind(Cell::Text(format!("\"{}\"", self.viewer))).push(") > 0, FALSE)");
        }
        statement.push(")");
    }

    /// Whether what the row is in gives the right.
    fn push_inherited(&self, statement: &mut Statement, shape: &Shape) {
        let target = shape.record_type.inherits.and_then(|field| {
            let reference = shape.record_type.references.iter().find(|reference| reference.field == field)?;
            let target = self.shapes.iter().find(|target| target.name() == reference.record_type)?;
            Some((field, target))
        });
        let Some((field, target)) = target else {
            statement.push("TRUE");
            return;
        };
        let table = shape.name();
        statement.push("(").name(table).push(".").name(field).push(" IS NULL OR EXISTS (");
        match target.record_type.tree {
            Some(parent) if target.record_type.inherits == Some(parent) => {
                self.push_walk(statement, (table, field), (target.name(), parent));
            }
            _ => {
                statement.push("SELECT 1 FROM ").name(target.name()).push(" WHERE ");
                push_link(statement, (table, field), target.name());
                statement.push(" AND ");
                self.push(statement, target);
            }
        }
        statement.push("))");
    }

    /// Walks up a tree until a row is the viewer's own, is restricted, or is at the top.
    fn push_walk(&self, statement: &mut Statement, from: (&str, &str), (tree, parent): (&str, &str)) {
        let step = |statement: &mut Statement| {
            statement.push("SELECT node.").name(parent).push(" AS parent, ");
            self.push_own(statement, "node");
            statement.push(" AS is_own, ");
            push_restricted(statement, "node");
            statement.push(" AS is_cut FROM ");
        };
        statement.push("WITH RECURSIVE above (parent, is_own, is_cut) AS (");
        step(statement);
        statement.name(tree).push(" AS node WHERE ");
        push_link(statement, from, "node");
        statement.push(" UNION ");
        step(statement);
        statement.push("above JOIN ").name(tree).push(" AS node ON node.organization_id = ");
        statement.name(from.0).push(".organization_id AND node.id = above.parent");
        statement.push(" WHERE NOT above.is_own AND NOT above.is_cut)");
        statement.push(" SELECT 1 FROM above WHERE is_own OR (NOT is_cut AND parent IS NULL)");
    }
}

fn push_restricted(statement: &mut Statement, table: &str) {
    statement.push("COALESCE(").name(table).push(".").name(RESTRICTED).push(", FALSE)");
}

fn push_link(statement: &mut Statement, (table, field): (&str, &str), target: &str) {
    statement.name(target).push(".organization_id = ").name(table).push(".organization_id AND ");
    statement.name(target).push(".id = ").name(table).push(".").name(field);
}

/// A PUT that says nothing about sharing leaves it as it is: clients that know nothing of it
/// would otherwise open what somebody has restricted.
pub(crate) fn keep_sharing(shape: &Shape, current: Option<&Row>, body: &mut Map<String, Value>) {
    let Some(current) = current.filter(|_| shape.record_type.is_restrictable) else { return };
    for name in FIELDS {
        if let Some(value) = current.fields.get(name).filter(|_| !body.contains_key(name)) {
            body.insert(name.to_owned(), value.clone());
        }
    }
}

/// Decides who owns what is written and whether its sharing may change so. A new record is its
/// maker's; only the owner gives it away or shares it. One of nobody becomes the caller's when
/// they share it.
///
/// # Errors
/// [`Error::Forbidden`] if another owns it, [`Error::Invalid`] if it would lose its owner or is
/// shared with too many.
pub(crate) fn settle(
    shape: &Shape,
    current: Option<&Row>,
    mut fields: Map<String, Value>,
    scope: Scope,
) -> Result<Map<String, Value>, Error> {
    let Some(viewer) = scope.viewer.filter(|_| shape.record_type.is_restrictable) else { return Ok(fields) };
    let errors: Vec<FieldError> =
        [READERS, WRITERS].iter().filter_map(|name| too_many(&fields, name)).collect();
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let me = Value::String(viewer.to_string());
    let owner = |fields: &Map<String, Value>| fields.get(OWNER).filter(|owner| !owner.is_null()).cloned();
    let before = current.and_then(|current| owner(&current.fields));
    let is_changed = current
        .is_none_or(|current| FIELDS.iter().any(|name| current.fields.get(*name) != fields.get(*name)));
    match (before, owner(&fields)) {
        _ if !is_changed => {}
        (Some(before), _) if before != me => {
            return Err(Error::Forbidden(
                "Only the owner of a record shares it, restricts it or gives it away.",
            ));
        }
        (Some(_), None) => {
            return Err(Error::field(OWNER, "Expected the user who owns it now; a record keeps an owner."));
        }
        (None, None) => drop(fields.insert(OWNER.to_owned(), me)),
        (_, Some(_)) => {}
    }
    Ok(fields)
}

fn too_many(fields: &Map<String, Value>, name: &str) -> Option<FieldError> {
    let people = fields.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let message = || format!("Expected at most {PEOPLE_MAX} people; these are {people}.");
    (people > PEOPLE_MAX).then(|| FieldError::new(name, message()))
}

#[cfg(test)]
mod tests;
