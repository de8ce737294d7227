//! Decides what may be declared: record types and relationships that fit what is there.

use buildly_model::{FieldError, RecordTypeId, RelationshipId};

use crate::fault::MESH_FIELD;
use crate::{RecordType, RecordTypeInput, Relationship, RelationshipInput, Snapshot};

/// The most bytes of a name: of a service, a model, an endpoint, a field or a key.
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// Where errors stand that belong to no single field.
const WHOLE: &str = "non_field_errors";

/// Decides whether a record type may be declared, or become this.
pub(crate) fn record_type(
    catalog: &Snapshot,
    id: RecordTypeId,
    input: RecordTypeInput,
) -> Result<RecordType, Vec<FieldError>> {
    let service = input.service.trim().trim_matches('/').to_owned();
    let one = RecordType { id, service, ..from_input(id, input) };
    let mut refused = Vec::new();
    for (field, value) in [
        ("logic_module_endpoint_name", &one.service),
        ("model", &one.model),
        ("endpoint", &one.endpoint),
        ("lookup_field_name", &one.key_field),
    ] {
        refused.extend(check_name(field, value));
    }
    if one.service.contains('/') {
        let message = "Name the service by its first path segment, without a slash in it.";
        refused.push(FieldError::new("logic_module_endpoint_name", message));
    }
    if one.path().is_empty() && !one.endpoint.is_empty() {
        refused.push(FieldError::new("endpoint", "Name the list's path, such as `/products/`."));
    }
    for other in catalog.record_types().iter().filter(|other| other.id != id && other.service == one.service)
    {
        if other.model == one.model {
            refused.push(unique_set("logic_module_endpoint_name, model"));
        }
        if other.path() == one.path() {
            refused.push(unique_set("logic_module_endpoint_name, endpoint"));
        }
    }
    if refused.is_empty() { Ok(one) } else { Err(refused) }
}

fn from_input(id: RecordTypeId, input: RecordTypeInput) -> RecordType {
    RecordType {
        id,
        service: String::new(),
        model: input.model.trim().to_owned(),
        endpoint: input.endpoint.trim().to_owned(),
        key_field: input.key_field.trim().to_owned(),
        is_local: input.is_local,
    }
}

/// Decides whether a relationship may be declared, or become this.
pub(crate) fn relationship(
    catalog: &Snapshot,
    id: RelationshipId,
    input: RelationshipInput,
) -> Result<Relationship, Vec<FieldError>> {
    let key = input.key.trim().to_owned();
    let foreign_key = input.foreign_key.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let one = Relationship { id, key, origin: input.origin, related: input.related, foreign_key };
    let mut refused = Vec::new();
    refused.extend(check_name("key", &one.key));
    refused.extend(one.foreign_key.as_ref().and_then(|name| check_name("fk_field_name", name)));
    if one.key == MESH_FIELD {
        refused.push(FieldError::new("key", format!("`{MESH_FIELD}` is the mesh's own field.")));
    }
    for (field, record_type) in [("origin_model_id", one.origin), ("related_model_id", one.related)] {
        match catalog.find_record_type(record_type) {
            None => {
                let message = format!("Invalid pk \"{record_type}\" - object does not exist.");
                refused.push(FieldError::new(field, message));
            }
            Some(found) if found.key_field == one.key => {
                let message = format!("`{}` is the field that holds a record's own key.", one.key);
                refused.push(FieldError::new("key", message));
            }
            Some(_) => {}
        }
    }
    if one.origin == one.related {
        let message = "A relationship needs two different models; a model cannot be related to itself.";
        refused.push(FieldError::new("related_model_id", message));
    } else {
        refused.extend(check_pair(catalog, &one));
    }
    if refused.is_empty() { Ok(one) } else { Err(refused) }
}

fn check_pair(catalog: &Snapshot, one: &Relationship) -> Option<FieldError> {
    let mut others = catalog.relationships().iter().filter(|other| other.id != one.id);
    others.find_map(|other| {
        if (other.origin, other.related) == (one.related, one.origin) {
            let message = format!(
                "The reverse of this relationship exists as `{}`; it joins in both directions.",
                other.key
            );
            return Some(FieldError::new(WHOLE, message));
        }
        let same = (other.origin, other.related, &other.key) == (one.origin, one.related, &one.key);
        same.then(|| unique_set("origin_model, related_model, key"))
    })
}

fn check_name(field: &str, value: &str) -> Option<FieldError> {
    if value.is_empty() {
        return Some(FieldError::new(field, "This field may not be blank."));
    }
    if value.len() > NAME_BYTES_MAX {
        let message = format!("Ensure this field has no more than {NAME_BYTES_MAX} characters.");
        return Some(FieldError::new(field, message));
    }
    value
        .chars()
        .any(char::is_control)
        .then(|| FieldError::new(field, "Control characters are not allowed here."))
}

fn unique_set(fields: &str) -> FieldError {
    FieldError::new(WHOLE, format!("The fields {fields} must make a unique set."))
}

#[cfg(test)]
mod tests;
