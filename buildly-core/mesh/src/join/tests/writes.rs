//! Writes and deletes with a join.

use super::*;

const MADE: &str = "e0000000-0000-4000-8000-000000000001";

#[tokio::test]
async fn a_new_record_brings_its_related_records_and_links() {
    let world = world();
    let body = json!({"name": "made", "category": 2, "product_documents": [{"title": "with it"}]});
    let answer = world.json(Method::POST, "products/product/", Some(body)).await;
    assert_eq!(
        answer,
        json!({
            "id": 101, "name": "made", "category": 2,
            "product_documents": [{"id": MADE, "title": "with it"}],
            "product_category": [{"id": 2, "name": "category 2"}],
            "author": [],
        })
    );
    let pairs = world.store.pairs();
    assert!(pairs.contains(&format!("101-{MADE}")) && pairs.contains(&"101-2".to_owned()), "{pairs:?}");
    assert_eq!(*world.store.event_kinds.lock().unwrap(), ["mesh.join_record.created"; 2]);
    assert_eq!(world.get("products/product/101/").await["product_documents"], answer["product_documents"]);
}

#[tokio::test]
async fn what_belongs_to_the_request_goes_along_with_every_call_of_the_join() {
    let world = world();
    let body = json!({"name": "made", "category": 2, "product_documents": [{"title": "a"}, {"title": "b"}]});
    let mut asked = world.asked(Method::POST, "products/product/", Some(body));
    asked.along.headers.insert("x-request-id", HeaderValue::from_static("r-1"));
    asked.along.idempotency_key = Some(HeaderValue::from_static("k"));
    let joining = world.mesh.begin_join(asked).await.unwrap().unwrap();
    let answer = Response::builder().header("content-type", "application/json");
    joining.finish(answer.body(Body::from(r#"{"id":101,"category":2}"#)).unwrap()).await.unwrap();
    let relationship = crate::testing::relationship(10, "product_documents", 1, 2).id;
    let heads = world.services.heads.lock().unwrap();
    let text = |name: &str| -> Vec<Option<String>> {
        heads.iter().map(|head| Some(head.get(name)?.to_str().unwrap().to_owned())).collect()
    };
    assert_eq!(text("x-request-id"), vec![Some("r-1".to_owned()); 3]);
    let keys = [None, Some(format!("k:{relationship}:0")), Some(format!("k:{relationship}:1"))];
    assert_eq!(text("idempotency-key"), keys, "reads have none, and each record its own");
}

#[tokio::test]
async fn empty_lists_make_nothing() {
    let world = world();
    let body = json!({"name": "alone", "category": 1, "product_documents": [], "product_category": []});
    let answer = world.json(Method::POST, "products/product/", Some(body)).await;
    assert_eq!(answer["product_documents"], json!([]));
    assert_eq!(
        answer["product_category"],
        json!([{"id": 1, "name": "category 1"}]),
        "known by the record's field"
    );
    assert_eq!(world.services.taken_calls(), ["GET /category/1/"]);
}

#[tokio::test]
async fn a_related_record_with_its_key_is_changed_by_the_same_method() {
    for (method, expected) in [(Method::PUT, "PUT"), (Method::PATCH, "PATCH")] {
        let world = world();
        let body =
            json!({"name": "one", "product_documents": [{"id": format!("{DOCUMENT}1"), "title": "updated"}]});
        let answer = world.json(method, "products/product/1/", Some(body)).await;
        assert_eq!(answer["product_documents"], json!([{"id": format!("{DOCUMENT}1"), "title": "updated"}]));
        let calls = world.services.taken_calls();
        assert!(calls.contains(&format!("{expected} /document/{DOCUMENT}1/")), "{calls:?}");
        let links = world.store.pairs().iter().filter(|pair| **pair == format!("1-{DOCUMENT}1")).count();
        assert_eq!(links, 1, "it was linked already");
    }
}

#[tokio::test]
async fn a_link_is_moved_without_writing_the_record() {
    let world = world();
    let item = json!({"id": format!("{DOCUMENT}3"), "join": true, "previous_pk": format!("{DOCUMENT}2")});
    let answer =
        world.json(Method::PATCH, "products/product/2/", Some(json!({"product_documents": [item]}))).await;
    assert_eq!(answer["product_documents"], json!([document(3)]));
    assert!(world.services.taken_calls().iter().all(|call| call.starts_with("GET ")));
    assert_eq!(world.get("products/product/2/").await["product_documents"], json!([document(3)]));
    assert!(!world.store.pairs().contains(&format!("2-{DOCUMENT}2")));
}

#[tokio::test]
async fn links_can_be_made_from_the_other_end() {
    let world = world();
    let body = json!({"product_documents": [{"id": 3, "join": true}]});
    let answer = world.json(Method::PATCH, &format!("documents/document/{DOCUMENT}1/"), Some(body)).await;
    assert_eq!(answer["product_documents"][0]["name"], "product 3");
    assert!(world.store.pairs().contains(&format!("3-{DOCUMENT}1")), "the origin stands first");
}

#[tokio::test]
async fn the_field_that_holds_the_link_is_set_on_the_related_record() {
    let world = world();
    let body = json!({"name": "made", "product_category": [{"name": "new"}]});
    let answer = world.json(Method::POST, "products/product/", Some(body)).await;
    assert_eq!(answer["product_category"][0]["category"], answer["id"]);
}

#[tokio::test]
async fn a_refused_related_record_is_named_and_the_others_are_written() {
    let world = world();
    let body = json!({"name": "made", "product_documents": [{"name": "bad"}, {"title": "good"}]});
    let answer = world.json(Method::POST, "products/product/", Some(body)).await;
    assert_eq!(answer["product_documents"], json!([{"id": MADE, "title": "good"}]));
    assert_eq!(faults(&answer), ["product_documents status 1"]);
    assert_eq!(answer["_mesh"]["faults"][0]["detail"], r#"{"name":["This name is taken."]}"#);
}

#[tokio::test]
async fn nothing_is_called_if_the_caller_may_not_write_there() {
    let rights =
        Rights { allowed: Action::ALL.map(|action| (action, service_id(1))).to_vec(), is_superuser: false };
    let rights = Rights { allowed: [rights.allowed, vec![(Action::Read, service_id(2))]].concat(), ..rights };
    let world = world_of(rights, Documents::usual(), Services::new());
    for (case, item, is_refused) in [
        ("create", json!({"title": "new"}), true),
        ("change", json!({"id": format!("{DOCUMENT}1"), "title": "x"}), true),
        ("link", json!({"id": format!("{DOCUMENT}1"), "join": true}), false),
    ] {
        let asked =
            world.asked(Method::POST, "products/product/", Some(json!({"product_documents": [item]})));
        let begun = world.mesh.begin_join(asked).await;
        assert_eq!(matches!(begun, Err(Error::Forbidden { .. })), is_refused, "{case}");
    }
    assert_eq!(world.services.taken_calls(), Vec::<String>::new());
}

#[tokio::test]
async fn an_unclear_wish_is_refused_before_anything_is_written() {
    let world = world();
    for (case, body, field) in [
        ("not objects", json!({"product_documents": [1, 2]}), "product_documents"),
        ("a link without key", json!({"product_documents": [{"join": true}]}), "product_documents"),
        ("a record of the core", json!({"author": [{"username": "eve"}]}), "author"),
        ("too many", json!({"product_documents": vec![json!({}); 101]}), "join"),
    ] {
        let begun = world.mesh.begin_join(world.asked(Method::POST, "products/product/", Some(body))).await;
        let Err(Error::Invalid(fields)) = begun.map(|_| ()) else { panic!("{case}: it was taken") };
        assert_eq!(
            fields.iter().map(|refused| refused.field.as_str()).collect::<Vec<_>>(),
            [field],
            "{case}"
        );
    }
    for own in [json!({"product_documents": 7}), json!({"product_documents": null}), json!([1])] {
        assert!(
            world.mesh.begin_join(world.asked(Method::POST, "products/product/", Some(own))).await.is_ok()
        );
    }
}

#[tokio::test]
async fn links_that_cannot_be_stored_are_named_and_the_record_is_answered() {
    let world = world();
    world.store.is_down.store(true, std::sync::atomic::Ordering::Relaxed);
    let body = json!({"name": "made", "product_documents": [{"title": "with it"}]});
    let answer = world.json(Method::POST, "products/product/", Some(body)).await;
    assert_eq!(
        (answer["id"].clone(), faults(&answer)),
        (json!(101), vec!["product_documents not_linked 1".to_owned()])
    );
    let deleted = world.send(Method::DELETE, "products/product/1/", None).await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert!(deleted.headers().contains_key(MESH_HEADER));
}

#[tokio::test]
async fn deleting_a_record_removes_exactly_its_links() {
    let world = world();
    let answer = world.send(Method::DELETE, "products/product/1/", None).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let left = ["2-2", "12-3", "21-9"].map(|pair| pair.replace('-', &format!("-{DOCUMENT}")));
    assert_eq!(world.store.pairs(), left);
    assert_eq!(*world.store.event_kinds.lock().unwrap(), ["mesh.record.unlinked"]);
    world.send(Method::DELETE, "products/product/77/", None).await.unwrap();
    assert_eq!(world.store.pairs(), left, "what was not deleted keeps its links");
}
