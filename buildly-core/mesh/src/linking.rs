//! Decides what a write with a join asks for: related records to make, to change, to link.

use std::collections::BTreeMap;

use buildly_model::{Action, Principal, RelationshipId, ServiceId};
use bytes::Bytes;
use http::Method;
use serde_json::value::RawValue;

use crate::{Error, Key, Links, RecordType, Relationship, Resource, Shape, Side, Snapshot, View};

/// The most related records that one request writes.
pub const WRITTEN_RECORDS_MAX: usize = 100;

/// The members of a JSON object as they came, every digit kept.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

/// What is asked for one relationship.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) relationship: Relationship,
    /// The end at which the record of the request stands.
    pub(crate) side: Side,
    /// The type of the records to write.
    pub(crate) record_type: RecordType,
    /// Where they are written; `None` for records of the core, which can only be linked.
    pub(crate) target: Option<(ServiceId, Resource)>,
    pub(crate) items: Vec<Item>,
}

/// One related record to write.
#[derive(Debug)]
pub(crate) enum Item {
    /// Make it, and link it.
    Create(Members),
    /// Change it, and see that it is linked.
    Update { key: Key, method: Method, members: Members },
    /// Leave it as it is and link it, instead of another one if `previous` says which.
    Link { key: Key, previous: Option<Key> },
}

impl Item {
    const fn action(&self) -> Action {
        match self {
            Self::Create(_) => Action::Create,
            Self::Update { .. } => Action::Update,
            Self::Link { .. } => Action::Read,
        }
    }
}

/// Reads what a body asks for. A relationship that the body does not mention has no wish.
///
/// # Errors
/// [`Error::Invalid`] if a relationship's field is a list of something else than objects,
/// [`Error::Forbidden`] if the caller may not write what is asked.
pub(crate) fn wishes(
    view: &View,
    principal: &Principal,
    shape: &Shape,
    method: &Method,
    body: &Bytes,
) -> Result<Vec<Wish>, Error> {
    // A body that is no object is the service's to refuse.
    let Ok(members) = serde_json::from_slice::<Members>(body) else { return Ok(Vec::new()) };
    let mut wishes = Vec::new();
    let mut count = 0;
    for branch in &shape.branches {
        let Some(relationship) = branch.relationship_in(&view.catalog) else { continue };
        let other = view.catalog.find_record_type(relationship.type_at(branch.side.opposite()));
        let (Some(value), Some(other)) = (members.get(&relationship.key), other) else { continue };
        if !value.get().starts_with('[') {
            continue; // The record's own field of that name, or nothing.
        }
        let objects: Vec<Members> = serde_json::from_str(value.get())
            .map_err(|_| Error::field(&relationship.key, "Expected a list of objects."))?;
        count += objects.len();
        let items: Vec<Item> = objects
            .into_iter()
            .map(|object| item(object, &relationship.key, &other.key_field, method))
            .collect::<Result<_, _>>()?;
        let target = if items.is_empty() || other.is_local {
            local_target(other, &relationship.key, &items)?
        } else {
            Some(target(view, principal, other, &relationship.key, &items)?)
        };
        let (relationship, record_type) = (relationship.clone(), other.clone());
        wishes.push(Wish { relationship, side: branch.side, record_type, target, items });
    }
    if count > WRITTEN_RECORDS_MAX {
        let message =
            format!("One request writes at most {WRITTEN_RECORDS_MAX} related records; {count} came.");
        return Err(Error::field("join", message));
    }
    Ok(wishes)
}

fn item(mut members: Members, field: &str, key_field: &str, method: &Method) -> Result<Item, Error> {
    let join = members.remove("join");
    let previous = members.remove("previous_pk").and_then(|value| key_of(&value));
    let links = join.is_some_and(|value| !matches!(value.get(), "false" | "null" | "0" | "\"\""));
    match members.get(key_field).map(|value| key_of(value)) {
        Some(Some(key)) if links => Ok(Item::Link { key, previous }),
        Some(Some(key)) => {
            let method = if *method == Method::PUT { Method::PUT } else { Method::PATCH };
            Ok(Item::Update { key, method, members })
        }
        None | Some(None) if links => {
            Err(Error::field(field, format!("A record that shall be linked needs its key in `{key_field}`.")))
        }
        None | Some(None) => Ok(Item::Create(members)),
    }
}

fn key_of(value: &RawValue) -> Option<Key> {
    serde_json::from_str(value.get()).ok().and_then(|value| Key::of_value(&value))
}

fn local_target(
    other: &RecordType,
    field: &str,
    items: &[Item],
) -> Result<Option<(ServiceId, Resource)>, Error> {
    if items.iter().all(|item| matches!(item, Item::Link { .. })) {
        return Ok(None);
    }
    let message =
        format!("Records of `{}` can be linked with `join`, but not written here.", other.full_name());
    Err(Error::field(field, message))
}

fn target(
    view: &View,
    principal: &Principal,
    other: &RecordType,
    field: &str,
    items: &[Item],
) -> Result<(ServiceId, Resource), Error> {
    let service = view.services.find_service(&other.service);
    let service =
        service.ok_or_else(|| Error::field(field, format!("Service \"{}\" not found.", other.service)))?;
    if let Some(refused) =
        items.iter().map(Item::action).find(|action| !view.access.may(principal, *action, service))
    {
        return Err(Error::Forbidden {
            reason: format!("you may not {refused} records of service `{}`", other.service),
        });
    }
    let resource = view.services.find_resource(service, other.path(), &other.key_field).ok_or_else(|| {
        Error::field(
            field,
            format!("The document of service \"{}\" has no path `{}`.", other.service, other.endpoint),
        )
    })?;
    Ok((service, resource))
}

/// The shape of the answer to a write: a relationship that the request does not mention, and
/// whose key the record itself holds, is known by that field.
pub(crate) fn written_shape(catalog: &Snapshot, mut shape: Shape, wishes: &[Wish]) -> Shape {
    let has_items =
        |id: RelationshipId| wishes.iter().any(|wish| wish.relationship.id == id && !wish.items.is_empty());
    for branch in &mut shape.branches {
        let has_foreign_key =
            branch.relationship_in(catalog).is_some_and(|relationship| relationship.foreign_key.is_some());
        if branch.side == Side::Origin && has_foreign_key && !has_items(branch.relationship) {
            branch.links = Links::ForeignKey;
        }
    }
    shape
}
