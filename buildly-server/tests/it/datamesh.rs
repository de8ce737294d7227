//! The mesh's catalog and links over HTTP, as existing clients speak of them.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::TestServer;
use crate::mesh_world::{register, set_up_catalog};

async fn server() -> (TestServer, Client, Client, Client) {
    let server = TestServer::start().await;
    let root = server.superuser("root", "default organization").await;
    let ann = register(&server, "ann", "Acme").await;
    let zed = register(&server, "zed", "Zeta").await;
    (server, root, ann, zed)
}

#[tokio::test]
async fn superusers_declare_models_and_members_read_them() {
    let (server, root, ann, _) = server().await;
    let product = json!({
        "logic_module_endpoint_name": "products", "model": "Product", "endpoint": "/product/", "lookup_field_name": "id",
    });
    let models = "/datamesh/logicmodulemodels/";
    server.client.get(models).await.expect(401);
    let refused = ann.post(models, &product).await.expect(403).json();
    assert_eq!(refused["detail"], "You do not have permission to perform this action.");

    let made = root.post(models, &product).await.expect(201).json();
    let id = made["logic_module_model_uuid"].as_str().unwrap().to_owned();
    let mut whole = product.clone();
    whole["logic_module_model_uuid"] = json!(id);
    whole["is_local"] = json!(false);
    assert_eq!(made, whole);
    let document =
        json!({"logic_module_endpoint_name": "/documents/", "model": "Document", "endpoint": "/document/"});
    let document = root.post(models, &document).await.expect(201).json();
    assert_eq!(
        (&document["logic_module_endpoint_name"], &document["lookup_field_name"]),
        (&json!("documents"), &json!("id"))
    );

    for (case, body, field) in [
        (
            "same model",
            json!({"logic_module_endpoint_name": "products", "model": "Product", "endpoint": "/other/"}),
            "non_field_errors",
        ),
        (
            "same endpoint",
            json!({"logic_module_endpoint_name": "products", "model": "Other", "endpoint": "product"}),
            "non_field_errors",
        ),
        ("no model", json!({"logic_module_endpoint_name": "products", "endpoint": "/x/"}), "model"),
    ] {
        let refused = root.post(models, &body).await.expect(400).json();
        assert!(refused[field].is_array() && refused["errors"][field].is_array(), "{case}: {refused}");
        assert!(refused["detail"].is_string(), "{case}: {refused}");
    }

    assert_eq!(ann.get(models).await.expect(200).json(), json!([made, document]));
    assert_eq!(ann.get(&format!("{models}{id}/")).await.expect(200).json(), made);
    assert_eq!(ann.get(&format!("{models}{id}")).await.expect(200).json(), made, "without the slash too");
    ann.get(&format!("{models}00000000-0000-4000-8000-000000000000/")).await.expect(404);
    ann.get(&format!("{models}7/")).await.expect(404);
    ann.patch(&format!("{models}{id}/"), &json!({"lookup_field_name": "pk"})).await.expect(403);
    let changed =
        root.patch(&format!("{models}{id}/"), &json!({"lookup_field_name": "pk"})).await.expect(200).json();
    assert_eq!((&changed["lookup_field_name"], &changed["model"]), (&json!("pk"), &json!("Product")));
    let replaced = root.put(&format!("{models}{id}/"), &product).await.expect(200).json();
    assert_eq!(replaced, made);
    ann.delete(&format!("{models}{id}/")).await.expect(403);
    root.delete(&format!("{models}{id}/")).await.expect(204);
    root.delete(&format!("{models}{id}/")).await.expect(404);
    server.stop().await;
}

#[tokio::test]
async fn relationships_need_two_models_and_no_reverse() {
    let (server, root, ann, _) = server().await;
    let catalog = set_up_catalog(&root).await;
    let (product, document, category) = (&catalog["Product"], &catalog["Document"], &catalog["Category"]);
    let relationships = "/datamesh/relationships/";
    for (case, body, field) in [
        (
            "reverse",
            json!({"key": "back", "origin_model_id": document, "related_model_id": product}),
            "non_field_errors",
        ),
        (
            "to itself",
            json!({"key": "self", "origin_model_id": product, "related_model_id": product}),
            "related_model_id",
        ),
        (
            "unknown",
            json!({"key": "x", "origin_model_id": product, "related_model_id": "00000000-0000-4000-8000-000000000000"}),
            "related_model_id",
        ),
        (
            "no id",
            json!({"key": "x", "origin_model_id": "seven", "related_model_id": product}),
            "origin_model_id",
        ),
        ("missing", json!({"key": "x", "related_model_id": product}), "origin_model_id"),
        ("no key", json!({"origin_model_id": document, "related_model_id": category}), "key"),
    ] {
        let refused = root.post(relationships, &body).await.expect(400).json();
        assert!(refused[field].is_array(), "{case}: {refused}");
    }
    let all = ann.get(relationships).await.expect(200).json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(
        (&all[1]["key"], &all[1]["fk_field_name"], &all[0]["fk_field_name"]),
        (&json!("product_category"), &json!("category"), &Value::Null)
    );
    assert_eq!(all[0]["origin_model"]["logic_module_model_uuid"], *product);
    let path = format!("{relationships}{}/", all[1]["relationship_uuid"].as_str().unwrap());
    ann.patch(&path, &json!({"key": "product_kind"})).await.expect(403);
    let changed = root.patch(&path, &json!({"key": "product_kind"})).await.expect(200).json();
    assert_eq!((&changed["key"], &changed["fk_field_name"]), (&json!("product_kind"), &json!("category")));
    let cleared = root.patch(&path, &json!({"fk_field_name": null})).await.expect(200).json();
    assert_eq!(cleared["fk_field_name"], Value::Null);

    // A model takes its relationships with it.
    root.delete(&format!("/datamesh/logicmodulemodels/{}/", category.as_str().unwrap())).await.expect(204);
    root.get(&path).await.expect(404);
    server.stop().await;
}

#[tokio::test]
async fn members_link_records_of_their_own_organization() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        let root = server.superuser("root", "default organization").await;
        let (ann, zed) = (register(&server, "ann", "Acme").await, register(&server, "zed", "Zeta").await);
        set_up_catalog(&root).await;
        let records = "/datamesh/joinrecords/";
        server.client.get(records).await.expect(401);
        let key = |number: u32| format!("d0000000-0000-4000-8000-00000000000{number}");
        let pair = |id: u32, number: u32| {
            json!({
                "origin_model_name": "productsProduct", "related_model_name": "documentsDocument",
                "record_id": id, "related_record_uuid": key(number),
            })
        };
        let first = ann.post(records, &pair(1, 1)).await.expect(201).json();
        assert_eq!(
            (&first["record_id"], &first["record_uuid"], &first["related_record_uuid"]),
            (&json!(1), &Value::Null, &json!(key(1)))
        );
        assert_eq!(
            ann.post(records, &pair(1, 1)).await.expect(201).json(),
            first,
            "the same again is the same"
        );
        let second = ann.post(records, &pair(1, 2)).await.expect(201).json();
        let theirs = zed.post(records, &pair(1, 1)).await.expect(201).json();
        assert_ne!(
            (&theirs["join_record_uuid"], &theirs["organization"]),
            (&first["join_record_uuid"], &first["organization"])
        );

        assert_eq!(ann.get(records).await.expect(200).json(), json!([first, second]));
        for (query, expected) in [
            ("?record_id=1", vec![&first, &second]),
            ("?record_id=2,3", vec![]),
            (&format!("?related_record_uuid={},{}", key(2), key(3)), vec![&second]),
            (&format!("?record_id=1&related_record_uuid={}", key(1)), vec![&first]),
            ("?record_uuid=d0000000-0000-4000-8000-000000000001", vec![]),
        ] {
            assert_eq!(
                ann.get(&format!("{records}{query}")).await.expect(200).json(),
                json!(expected),
                "{query}"
            );
        }
        ann.get(&format!("{records}?record_id=one")).await.expect(400);
        let page = ann.get(&format!("{records}?limit=1&record_id=1")).await.expect(200);
        let next = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
        assert_eq!((page.json(), ann.get(&next).await.expect(200).json()), (json!([first]), json!([second])));

        let path = |one: &Value| format!("{records}{}/", one["join_record_uuid"].as_str().unwrap());
        for (who, status) in [(&ann, 200), (&zed, 404)] {
            who.get(&path(&first)).await.expect(status);
        }
        zed.patch(&path(&first), &json!({"record_id": 9})).await.expect(404);
        zed.delete(&path(&first)).await.expect(404);
        let changed =
            ann.patch(&path(&second), &json!({"related_record_uuid": key(3)})).await.expect(200).json();
        assert_eq!((&changed["record_id"], &changed["related_record_uuid"]), (&json!(1), &json!(key(3))));
        let replaced = ann.put(&path(&second), &pair(2, 3)).await.expect(200).json();
        assert_eq!(
            (&replaced["join_record_uuid"], &replaced["record_id"]),
            (&second["join_record_uuid"], &json!(2))
        );
        ann.patch(&path(&second), &json!({"record_id": 1, "related_record_uuid": key(1)})).await.expect(409);
        ann.delete(&path(&second)).await.expect(204);
        ann.get(&path(&second)).await.expect(404);
        assert_eq!(zed.get(records).await.expect(200).json(), json!([theirs]));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_join_record_that_does_not_fit_says_why() {
    let (server, root, ann, _) = server().await;
    set_up_catalog(&root).await;
    let uuid = "d0000000-0000-4000-8000-000000000001";
    for (case, body, field) in [
        (
            "two kinds of key",
            json!({"origin_model_name": "productsProduct", "related_model_name": "documentsDocument", "record_id": 1, "record_uuid": uuid, "related_record_uuid": uuid}),
            "record_uuid",
        ),
        (
            "no key",
            json!({"origin_model_name": "productsProduct", "related_model_name": "documentsDocument", "related_record_uuid": uuid}),
            "record_id",
        ),
        (
            "no UUID",
            json!({"origin_model_name": "productsProduct", "related_model_name": "documentsDocument", "record_id": 1, "related_record_uuid": "x"}),
            "related_record_uuid",
        ),
        (
            "unknown model",
            json!({"origin_model_name": "productsNothing", "related_model_name": "documentsDocument", "record_id": 1, "related_record_uuid": uuid}),
            "origin_model_name",
        ),
        (
            "no relationship",
            json!({"origin_model_name": "documentsDocument", "related_model_name": "productsCategory", "record_uuid": uuid, "related_record_id": 1}),
            "non_field_errors",
        ),
        (
            "the wrong way round",
            json!({"origin_model_name": "documentsDocument", "related_model_name": "productsProduct", "record_uuid": uuid, "related_record_id": 1}),
            "non_field_errors",
        ),
        ("no names", json!({"record_id": 1, "related_record_id": 1}), "related_model_name"),
    ] {
        let refused = ann.post("/datamesh/joinrecords/", &body).await.expect(400).json();
        assert!(refused[field].is_array(), "{case}: {refused}");
    }
    assert_eq!(ann.get("/datamesh/joinrecords/").await.expect(200).json(), json!([]));
    assert_eq!(root.get("/datamesh/relationships/").await.expect(200).json().as_array().unwrap().len(), 2);
    server.stop().await;
}
