use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::testing::{Documents, Offer, Rights, catalog, member, service_id, type_id, view};

fn planned(grants: &Grants, documents: &Documents) -> Plan {
    let catalog = catalog();
    plan(&Shape::all(&catalog, type_id(1)), &catalog, documents, grants)
}

fn everything() -> Grants {
    Grants::from_services([service_id(1), service_id(2)])
}

#[test]
fn the_best_method_that_the_document_offers_is_chosen() {
    for (case, offer, expected) in [
        ("list of ids", Offer::Ids, "GET documents/document/?id__in=…, up to 500 keys a call"),
        ("detail path", Offer::Detail, "GET documents/document/…/, one call a key"),
        ("list only", Offer::ListOnly, "GET documents/document/, the whole list"),
    ] {
        let documents = Documents::usual().with(2, "documents", &["document"], offer);
        let plan = planned(&everything(), &documents);
        let fetch = plan.fetches.iter().find(|fetch| fetch.record_type.service == "documents").unwrap();
        assert_eq!(fetch.to_string(), expected, "{case}");
    }
}

#[test]
fn what_cannot_be_fetched_says_why_and_the_rest_is_fetched() {
    let without_path = Documents::usual().with(2, "documents", &["other"], Offer::Ids);
    let mut without_path_documents = without_path;
    without_path_documents.resources.remove(&(service_id(2), "document".to_owned()));
    let mut unregistered = Documents::usual();
    unregistered.services.remove("documents");
    for (case, grants, documents, reason) in [
        ("no right", Grants::from_services([service_id(1)]), Documents::usual(), Reason::Forbidden),
        ("not registered", everything(), unregistered, Reason::UnknownService),
        ("not in the document", everything(), without_path_documents, Reason::UnknownPath),
    ] {
        let plan = planned(&grants, &documents);
        let of = |key: &str| plan.branches.iter().find(|branch| branch.key == key).unwrap().fetch;
        assert_eq!(of("product_documents"), Err(reason), "{case}");
        assert!(of("product_category").is_ok() && of("author").is_ok(), "{case}");
        assert!(plan.fetches.iter().all(|fetch| fetch.record_type.service != "documents"), "{case}");
    }
}

#[test]
fn branches_that_lead_to_one_kind_of_record_share_a_fetch() {
    let mut relationships = catalog().relationships().to_vec();
    relationships.push(crate::testing::relationship(13, "manuals", 1, 2));
    let catalog = Snapshot::new(catalog().record_types().to_vec(), relationships);
    let plan = plan(&Shape::all(&catalog, type_id(1)), &catalog, &Documents::usual(), &everything());
    assert_eq!((plan.branches.len(), plan.fetches.len()), (4, 3));
    let place = |key: &str| plan.branches.iter().find(|branch| branch.key == key).unwrap().fetch.unwrap();
    assert_eq!(place("manuals"), place("product_documents"));
}

#[test]
fn a_shape_is_named_by_key_path_service_or_model() {
    let catalog = catalog();
    for (case, names, expected) in [
        ("key", "product_documents", Ok(vec!["product_documents"])),
        ("path", "document", Ok(vec!["product_documents"])),
        ("service", "documents", Ok(vec!["product_documents"])),
        ("model", "coreuser, category", Ok(vec!["author", "product_category"])),
        ("twice", "document,documents", Ok(vec!["product_documents"])),
        ("nothing", "", Ok(vec![])),
        ("unknown", "invoices", Err("`invoices` is not a relationship")),
    ] {
        let shape = Shape::named(&catalog, type_id(1), names);
        let keys = shape.map(|shape| {
            let keys =
                shape.branches.iter().map(|branch| branch.relationship_in(&catalog).unwrap().key.clone());
            keys.collect::<Vec<_>>()
        });
        match expected {
            Ok(expected) => assert_eq!(keys.unwrap(), expected, "{case}"),
            Err(part) => assert!(keys.unwrap_err().to_string().contains(part), "{case}"),
        }
    }
}

#[test]
fn the_same_question_with_the_same_rights_has_one_plan() {
    let cache = crate::plan_cache::PlanCache::new();
    let all = view(Rights::everything(), Documents::usual());
    let less = crate::View { access: std::sync::Arc::new(Rights::default()), ..all.clone() };
    let shape = Shape::all(&all.catalog, type_id(1));
    let first = cache.plan(&shape, &all, &member());
    assert!(std::sync::Arc::ptr_eq(&first, &cache.plan(&shape, &all, &member())));
    let other = cache.plan(&shape, &less, &member());
    assert!(
        other.fetches.iter().all(|fetch| fetch.service.is_none()),
        "without rights only the core is asked"
    );
    let newer = crate::View { catalog: catalog(), ..all };
    assert!(!std::sync::Arc::ptr_eq(&first, &cache.plan(&shape, &newer, &member())), "another catalog");
}

proptest! {
    #[test]
    fn what_the_caller_may_not_read_is_in_no_fetch(readable in proptest::collection::vec(1_u128..4, 0..4)) {
        let grants = Grants::from_services(readable.iter().map(|number| service_id(*number)));
        let plan = planned(&grants, &Documents::usual());
        for fetch in &plan.fetches {
            prop_assert!(fetch.service.is_none_or(|service| grants.may_read(service)));
        }
        for branch in &plan.branches {
            let is_readable = branch.service == "core" || Documents::usual().services.get(&branch.service).is_some_and(|service| grants.may_read(*service));
            prop_assert_eq!(branch.fetch.is_ok(), is_readable);
        }
    }

    #[test]
    fn every_key_is_asked_for_once_and_no_url_is_too_long(
        texts in proptest::collection::btree_set("[a-zäß/%, ]{1,40}|[0-9]{1,6}", 0..60),
        keys_max in 1_usize..20,
        url_bytes_max in 100_usize..400,
    ) {
        let keys: Vec<Key> = texts.iter().map(|text| Key::of_text(text)).collect();
        let chunk = Chunk { keys_max, url_bytes_max };
        let portions = chunk.cut(&keys, 20);
        let asked: Vec<Key> = portions.iter().flat_map(|portion| portion.iter().cloned()).collect();
        prop_assert_eq!(&asked, &keys);
        prop_assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), keys.len());
        for portion in portions {
            let bytes: usize = portion.iter().map(|key| encoded(&key.to_string()).len() + 1).sum();
            prop_assert!(portion.len() <= keys_max && (20 + bytes <= url_bytes_max || portion.len() == 1));
        }
    }
}
