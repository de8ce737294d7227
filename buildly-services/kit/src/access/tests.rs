use serde_json::json;
use utoipa::ToSchema;

use super::*;
use crate::fixture::acme;
use crate::{Record, RecordType};

const ME: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

/// A thing that can be restricted.
#[derive(serde::Serialize, serde::Deserialize, ToSchema)]
struct Thing {
    /// Whose it is.
    owner: Option<Uuid>,
    /// Whether only some may see it.
    restricted: bool,
    /// Who may see it.
    readers: Vec<Uuid>,
    /// Who may change it.
    writers: Vec<Uuid>,
}

impl Record for Thing {
    fn record_type() -> RecordType {
        RecordType::new("thing", "things").restrictable()
    }
}

/// A thing that lacks what it needs for that.
#[derive(serde::Serialize, serde::Deserialize, ToSchema)]
struct Bare {
    /// Whose it is.
    owner: Option<Uuid>,
}

impl Record for Bare {
    fn record_type() -> RecordType {
        RecordType::new("bare", "bares").restrictable()
    }
}

fn thing(owner: Option<Uuid>, restricted: bool) -> Map<String, Value> {
    let thing = json!({"owner": owner, "restricted": restricted, "readers": [], "writers": []});
    thing.as_object().cloned().unwrap()
}

fn row(fields: Map<String, Value>) -> Row {
    let at = buildly_model::Timestamp::EPOCH;
    Row { id: Uuid::from_u128(9), version: 1, created_at: at, updated_at: at, fields }
}

#[test]
fn only_the_owner_changes_who_may_see_a_record() {
    let shape = Shape::of::<Thing>().unwrap();
    let me = Scope { organization: acme(), viewer: Some(ME) };
    for (case, before, after, expected) in [
        ("new", None, thing(None, true), Some(Some(ME))),
        ("new, for another", None, thing(Some(OTHER), true), Some(Some(OTHER))),
        ("mine", Some(thing(Some(ME), false)), thing(Some(ME), true), Some(Some(ME))),
        ("given away", Some(thing(Some(ME), false)), thing(Some(OTHER), false), Some(Some(OTHER))),
        ("given to nobody", Some(thing(Some(ME), false)), thing(None, false), None),
        ("another's", Some(thing(Some(OTHER), true)), thing(Some(OTHER), false), None),
        ("another's, taken", Some(thing(Some(OTHER), false)), thing(Some(ME), false), None),
        ("another's, as it was", Some(thing(Some(OTHER), true)), thing(Some(OTHER), true), Some(Some(OTHER))),
        ("nobody's, as it was", Some(thing(None, false)), thing(None, false), Some(None)),
        ("nobody's, restricted", Some(thing(None, false)), thing(None, true), Some(Some(ME))),
    ] {
        let before = before.map(row);
        let settled = settle(&shape, before.as_ref(), after, me);
        let owner = settled.ok().map(|fields| fields["owner"].clone());
        assert_eq!(owner, expected.map(|owner| json!(owner)), "{case}");
    }
    let service = Scope::from(acme());
    assert_eq!(settle(&shape, None, thing(None, true), service).unwrap()["owner"], Value::Null);
}

#[test]
fn a_declaration_without_what_it_needs_is_refused() {
    let refused = Shape::of::<Bare>().unwrap_err();
    assert!(refused.reason.contains("readers"), "{refused}");
}
