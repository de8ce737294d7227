use buildly_model::{FieldError, RelationshipId};
use uuid::Uuid;

use super::*;
use crate::testing::{catalog, type_id};

fn input(service: &str, model: &str, endpoint: &str) -> RecordTypeInput {
    RecordTypeInput {
        service: service.to_owned(),
        model: model.to_owned(),
        endpoint: endpoint.to_owned(),
        key_field: "id".to_owned(),
        is_local: false,
    }
}

fn fields(refused: &[FieldError]) -> Vec<&str> {
    refused.iter().map(|refused| refused.field.as_str()).collect()
}

#[test]
fn slashes_around_a_services_name_do_not_count() {
    let one = record_type(&catalog(), type_id(9), input(" /invoices/ ", "Invoice", "/invoice/")).unwrap();
    assert_eq!((one.service.as_str(), one.endpoint.as_str()), ("invoices", "/invoice/"));
}

#[test]
fn a_record_type_that_does_not_fit_names_every_wrong_field() {
    for (case, one, expected) in [
        ("model taken", input("products", "Product", "/x/"), vec!["non_field_errors"]),
        ("endpoint taken, other slashes", input("/products/", "X", "product"), vec!["non_field_errors"]),
        ("both taken", input("products", "Product", "/product/"), vec!["non_field_errors"; 2]),
        ("blank", input("", " ", ""), vec!["logic_module_endpoint_name", "model", "endpoint"]),
        ("only slashes", input("s", "M", "//"), vec!["endpoint"]),
        ("a path for a name", input("a/b", "M", "/m/"), vec!["logic_module_endpoint_name"]),
        ("control characters", input("s", "M\u{7}", "/m/"), vec!["model"]),
        ("too long", input("s", &"m".repeat(256), "/m/"), vec!["model"]),
    ] {
        let refused = record_type(&catalog(), type_id(9), one).unwrap_err();
        assert_eq!(fields(&refused), expected, "{case}: {refused:?}");
    }
}

#[test]
fn a_record_type_may_stay_what_it_is() {
    assert!(record_type(&catalog(), type_id(1), input("products", "Product", "/product/")).is_ok());
}

fn link(key: &str, origin: u128, related: u128) -> RelationshipInput {
    let (origin, related) = (type_id(origin), type_id(related));
    RelationshipInput { key: key.to_owned(), origin, related, foreign_key: None }
}

#[test]
fn a_relationship_that_does_not_fit_says_why() {
    let id = RelationshipId::from_uuid(Uuid::from_u128(99));
    for (case, one, expected) in [
        ("reverse", link("back", 2, 1), vec!["non_field_errors"]),
        ("the same again", link("product_documents", 1, 2), vec!["non_field_errors"]),
        ("to itself", link("parent", 1, 1), vec!["related_model_id"]),
        ("unknown types", link("x", 77, 78), vec!["origin_model_id", "related_model_id"]),
        ("blank", link(" ", 2, 3), vec!["key"]),
        ("the mesh's own field", link("_mesh", 2, 3), vec!["key"]),
        ("the records' key field", link("id", 2, 3), vec!["key", "key"]),
    ] {
        let refused = relationship(&catalog(), id, one).unwrap_err();
        assert_eq!(fields(&refused), expected, "{case}: {refused:?}");
    }
}

#[test]
fn two_types_may_be_related_under_two_keys() {
    let id = RelationshipId::from_uuid(Uuid::from_u128(99));
    let mut one = link("manuals", 1, 2);
    one.foreign_key = Some("  ".to_owned());
    let one = relationship(&catalog(), id, one).unwrap();
    assert_eq!(one.foreign_key, None, "a blank field name is none");
}
