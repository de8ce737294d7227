//! Joins through the gateway, over real HTTP, with two real services.

use buildly_core::gateway::{RateLimit, Update};
use buildly_model::Secret;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestServer};
use crate::mesh_world::World;
use crate::recorded::RecordedService;

async fn world() -> World {
    World::on(TestServer::start().await, RecordedService::b().await).await
}

fn document(number: u32) -> Value {
    json!({"id": format!("d0000000-0000-4000-8000-00000000000{number}"), "title": format!("document {number}")})
}

fn category(number: u32) -> Value {
    json!({"id": number, "name": format!("category {number}")})
}

#[tokio::test]
async fn records_lists_and_pages_are_joined_in_both_directions() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        let world = World::on(server, RecordedService::b().await).await;
        let (a, b, ann) = (&world.a, &world.b, &world.ann);
        let plain = ann.get("/products/product/1/").await.expect(200).json();
        assert_eq!(plain, json!({"id": 1, "name": "product 1", "category": 2}));
        a.taken_calls();
        b.taken_calls();

        let one = ann.get("/products/product/1/?join").await.expect(200).json();
        let expected = json!({
            "id": 1, "name": "product 1", "category": 2,
            "product_documents": [document(1), document(2)], "product_category": [category(1)],
        });
        assert_eq!(one, expected);
        assert_eq!(b.taken_schemes(), ["Bearer", "Bearer"], "what is ours gets the caller's token");
        assert_eq!(a.taken_calls().len(), 2, "the product and its category");
        assert_eq!(ann.get("/products/product/1/?join=true").await.expect(200).json(), expected);
        assert_eq!(ann.get("/async/products/product/1/?join").await.expect(200).json(), expected);

        let list = ann.get("/products/product/?join").await.expect(200).json();
        let shown = |list: &Value| {
            let count = |one: &Value, key: &str| one[key].as_array().unwrap().len();
            list.as_array()
                .unwrap()
                .iter()
                .map(|one| (count(one, "product_documents"), count(one, "product_category")))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(&list), [(2, 1), (1, 1), (0, 0), (1, 0), (0, 0)]);
        let page = ann.get("/products/product/?page=1&join").await.expect(200).json();
        assert_eq!((&page["results"], &page["count"], page.get("_mesh")), (&list, &json!(5), None));

        let back = ann
            .get("/documents/document/d0000000-0000-4000-8000-000000000002/?join")
            .await
            .expect(200)
            .json();
        let product =
            |id: u32, category: u32| json!({"id": id, "name": format!("product {id}"), "category": category});
        assert_eq!(back["product_documents"], json!([product(1, 2), product(2, 1)]));
        let theirs = world.zed.get("/products/product/1/?join").await.expect(200).json();
        assert_eq!(theirs["product_documents"], json!([]), "another organization has its own links");
        ann.get("/products/product/77/?join").await.expect(404);
        let csv = ann.get("/products/product/?kind=csv&join").await.expect(200);
        assert_eq!((csv.header("content-type"), csv.text().lines().count()), ("text/csv", 2));
        world.server.stop().await;
    }
}

#[tokio::test]
async fn a_service_that_takes_many_keys_is_called_once_for_a_page() {
    let world = World::on(TestServer::start().await, RecordedService::b_with_id_lists().await).await;
    world.ann.get("/products/product/1/?join").await.expect(200);
    world.b.taken_calls();
    let one = world.ann.get("/products/product/?join").await.expect(200).json();
    assert_eq!(one[0]["product_documents"], json!([document(1), document(2)]));
    let calls = world.b.taken_calls();
    let asked: Vec<&str> = calls.iter().map(|call| call.split("id__in=").nth(1).unwrap()).collect();
    // The one that did not come is asked for again, since a bare list does not say that it ends.
    assert_eq!(asked.len(), 2, "{calls:?}");
    assert_eq!((asked[0].split(',').count(), asked[1]), (4, "00000000-0000-4000-8000-000000000000"));
    world.server.stop().await;
}

#[tokio::test]
async fn a_joined_service_that_is_down_is_named() {
    let world = world().await;
    let World { server, a: _a, b, ann, .. } = world;
    ann.get("/products/product/1/?join").await.expect(200);
    drop(b);
    let one = ann.get("/products/product/1/?join").await.expect(200).json();
    assert_eq!((&one["product_documents"], &one["product_category"]), (&json!([]), &json!([category(1)])));
    assert_eq!(one["_mesh"]["faults"][0]["service"], "documents");
    assert_eq!(one["_mesh"]["faults"][0]["reason"], "unreachable");
    let list = ann.get("/products/product/?join").await.expect(200);
    assert!(
        list.header("buildly-mesh")
            .starts_with("\"product_documents\";service=\"documents\";reason=unreachable"),
        "{:?}",
        list.headers
    );
    server.stop().await;
}

#[tokio::test]
async fn the_calls_of_a_join_count_against_the_limits_of_the_joined_service() {
    let world = world().await;
    let buildly = world.server.running().server().buildly();
    let issued = buildly.auth().open_session("root", &Secret::new(PASSWORD), None).await.unwrap();
    let root = buildly.auth().authenticate(issued.access_token.expose()).await.unwrap();
    let documents = buildly.snapshot().gateway.find_by_name("documents").unwrap().service.clone();
    let mut policy = documents.policy.clone();
    policy.rate_limits.principal = Some(RateLimit { requests: 1, window_seconds: 3600, burst: 1 });
    let update = Update { policy: Some(policy), ..Update::default() };
    buildly.gateway().update(&root, documents.id, &update, None).await.unwrap();
    let one = world.ann.get("/products/product/1/?join").await.expect(200).json();
    assert_eq!(one["product_documents"].as_array().unwrap().len(), 1, "{one}");
    assert_eq!(one["_mesh"]["faults"][0]["reason"], "busy");
    assert_eq!(one["product_category"], json!([category(1)]));
    world.ann.get("/documents/document/?join").await.expect(429);
    world.server.stop().await;
}

#[tokio::test]
async fn records_without_their_key_are_a_configuration_error() {
    let world = world().await;
    let models = world.root.get("/datamesh/logicmodulemodels/").await.expect(200).json();
    let id = |name: &str| {
        models.as_array().unwrap().iter().find(|one| one["model"] == name).unwrap()["logic_module_model_uuid"]
            .clone()
    };
    let body = json!({
        "key": "keyless_documents", "origin_model_id": id("Keyless"), "related_model_id": id("Document"),
    });
    world.root.post("/datamesh/relationships/", &body).await.expect(201);
    let refused = world.ann.get("/products/keyless/?join").await.expect(502).json();
    assert!(refused["detail"].as_str().unwrap().contains("`id`"), "{refused}");
    world.server.stop().await;
}

#[tokio::test]
async fn writes_bring_related_records_and_links() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        let world = World::on(server, RecordedService::b().await).await;
        let ann = &world.ann;
        let made = json!({"id": "e0000000-0000-4000-8000-000000000001", "title": "with it"});
        let body = json!({"name": "made", "category": 2, "product_documents": [{"title": "with it"}]});
        let expected = json!({
            "id": 101, "name": "made", "category": 2, "product_documents": [made], "product_category": [category(2)],
        });
        assert_eq!(ann.post("/products/product/?join", &body).await.expect(201).json(), expected);
        assert_eq!(ann.get("/products/product/101/?join").await.expect(200).json(), expected);

        let body = json!({"name": "alone", "category": 1, "product_documents": [], "product_category": []});
        let alone = ann.post("/products/product/?join", &body).await.expect(201).json();
        assert_eq!(
            (&alone["product_documents"], &alone["product_category"]),
            (&json!([]), &json!([category(1)]))
        );

        let updated = json!({"id": "d0000000-0000-4000-8000-000000000001", "title": "updated"});
        let body = json!({"name": "one", "category": 1, "product_documents": [updated]});
        let one = ann.put("/products/product/1/?join", &body).await.expect(200).json();
        assert_eq!(
            one,
            json!({"id": 1, "name": "one", "category": 1, "product_documents": [updated], "product_category": [category(1)]})
        );

        let body = json!({"name": "second", "product_documents": [{"title": "new by change"}]});
        let second = ann.patch("/products/product/2/?join", &body).await.expect(200).json();
        let new = json!({"id": "e0000000-0000-4000-8000-000000000002", "title": "new by change"});
        assert_eq!(
            (&second["product_documents"], &second["product_category"]),
            (&json!([new]), &json!([category(1)]))
        );

        let link = json!({"id": document(3)["id"], "join": true, "previous_pk": document(2)["id"]});
        let second = ann
            .patch("/products/product/2/?join", &json!({"product_documents": [link]}))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&second["product_documents"], &second["product_category"]),
            (&json!([document(3)]), &json!([category(1)]))
        );
        let second = ann.get("/products/product/2/?join").await.expect(200).json();
        assert_eq!(second["product_documents"], json!([new, document(3)]));

        let before = world.pairs().await;
        ann.delete("/products/product/1/?join").await.expect(204);
        let gone = |pair: &&String| !pair.starts_with("1-");
        assert_eq!(world.pairs().await, before.iter().filter(gone).cloned().collect::<Vec<_>>());
        let refused =
            ann.post("/products/product/?join", &json!({"product_documents": [7]})).await.expect(400).json();
        assert!(refused["errors"]["product_documents"].is_array(), "{refused}");
        world.server.stop().await;
    }
}

#[tokio::test]
async fn records_of_the_core_are_joined_as_their_resources_show_them() {
    let world = world().await;
    let (root, ann) = (&world.root, &world.ann);
    let me = ann.get("/coreuser/me/").await.expect(200).json();
    let organization = me["organization"]["organization_uuid"].clone();
    let theirs =
        world.zed.get("/coreuser/me/").await.expect(200).json()["organization"]["organization_uuid"].clone();
    let models = root.get("/datamesh/logicmodulemodels/").await.expect(200).json();
    let document_model = models.as_array().unwrap().iter().find(|one| one["model"] == "Document").unwrap();
    for (model, endpoint, field, key) in [
        ("CoreUser", "/coreuser/", "core_user_uuid", "document_author"),
        ("Organization", "/organization/", "organization_uuid", "document_organization"),
        ("WorkflowLevel1", "/workflowlevel1/", "level1_uuid", "document_level1"),
        ("WorkflowLevel2", "/workflowlevel2/", "level2_uuid", "document_level2"),
    ] {
        let body = json!({
            "logic_module_endpoint_name": "core", "model": model, "endpoint": endpoint,
            "lookup_field_name": field, "is_local": true,
        });
        let made = root.post("/datamesh/logicmodulemodels/", &body).await.expect(201).json();
        let body = json!({
            "key": key, "origin_model_id": document_model["logic_module_model_uuid"],
            "related_model_id": made["logic_module_model_uuid"],
        });
        root.post("/datamesh/relationships/", &body).await.expect(201);
    }
    let (mut levels, mut parts) = (Vec::new(), Vec::new());
    for client in [ann, &world.zed] {
        let level = client.post("/workflowlevel1/", &json!({"name": "level"})).await.expect(201).json();
        let part = json!({"name": "part", "workflowlevel1": level["id"]});
        parts.push(client.post("/workflowlevel2/", &part).await.expect(201).json());
        levels.push(level);
    }
    for (model, number, related) in [
        ("coreWorkflowLevel1", 1, &levels[0]["level1_uuid"]),
        ("coreWorkflowLevel2", 2, &parts[0]["level2_uuid"]),
        ("coreWorkflowLevel1", 3, &levels[1]["level1_uuid"]),
        ("coreWorkflowLevel2", 3, &parts[1]["level2_uuid"]),
        ("coreCoreUser", 1, &me["core_user_uuid"]),
        ("coreOrganization", 2, &organization),
        ("coreOrganization", 3, &theirs),
    ] {
        let body = json!({
            "origin_model_name": "documentsDocument", "related_model_name": model,
            "record_uuid": document(number)["id"], "related_record_uuid": related,
        });
        ann.post("/datamesh/joinrecords/", &body).await.expect(201);
    }
    let path =
        |number: u32| format!("/documents/document/{}/?join", document(number)["id"].as_str().unwrap());
    let first = ann.get(&path(1)).await.expect(200).json();
    assert_eq!((&first["document_author"], &first["document_organization"]), (&json!([me]), &json!([])));
    assert!(!first.to_string().contains("password"), "{first}");
    let second = ann.get(&path(2)).await.expect(200).json();
    assert_eq!(second["document_organization"], json!([me["organization"]]));
    let third = ann.get(&path(3)).await.expect(200).json();
    assert_eq!(third["document_organization"], json!([]), "another organization stays hidden");
    assert_eq!(
        (&first["document_level1"], &second["document_level2"]),
        (&json!([levels[0]]), &json!([parts[0]]))
    );
    assert_eq!((&third["document_level1"], &third["document_level2"]), (&json!([]), &json!([])));
    world.server.stop().await;
}
