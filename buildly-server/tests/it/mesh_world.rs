//! Members, a catalog and two services to join.

use std::collections::BTreeMap;

use buildly_core::auth::identity::{ProfileUpdate, Registration};
use buildly_model::{Principal, Secret};
use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::{PASSWORD, TestServer};
use crate::recorded::RecordedService;

/// Registers somebody who founds an organization, signed in.
pub async fn register(server: &TestServer, username: &str, organization: &str) -> Client {
    let registration = Registration {
        username: username.to_owned(),
        email: format!("{username}@example.org"),
        password: Secret::new(PASSWORD),
        organization_name: organization.to_owned(),
        profile: ProfileUpdate::default(),
        invitation: None,
        groups: Vec::new(),
    };
    let auth = server.running().server().buildly().auth();
    auth.register(&Principal::ANONYMOUS, &registration).await.expect("the name is free");
    server.signed_in(username).await
}

/// Declares the models and relationships of the recordings; the models' ids by their names.
pub async fn set_up_catalog(root: &Client) -> BTreeMap<String, Value> {
    let mut ids = BTreeMap::new();
    for (service, model) in [
        ("products", "Product"),
        ("products", "Category"),
        ("documents", "Document"),
        ("products", "Keyless"),
    ] {
        let endpoint = format!("/{}/", model.to_lowercase());
        let body = json!({"logic_module_endpoint_name": service, "model": model, "endpoint": endpoint});
        let made = root.post("/datamesh/logicmodulemodels/", &body).await.expect(201).json();
        ids.insert(model.to_owned(), made["logic_module_model_uuid"].clone());
    }
    for (key, related, field) in
        [("product_documents", "Document", Value::Null), ("product_category", "Category", json!("category"))]
    {
        let body = json!({"key": key, "origin_model_id": ids["Product"], "related_model_id": ids[related], "fk_field_name": field});
        root.post("/datamesh/relationships/", &body).await.expect(201);
    }
    ids
}

async fn register_services(server: &TestServer, services: [(&str, &RecordedService); 2]) {
    let buildly = server.running().server().buildly();
    let issued = buildly.auth().open_session("root", &Secret::new(PASSWORD), None).await.expect("a session");
    let root = buildly.auth().authenticate(issued.access_token.expose()).await.expect("the token holds");
    for (name, service) in services {
        let registration = buildly_core::gateway::Registration {
            name: Some(name.to_owned()),
            endpoint: Some(service.url()),
            ..buildly_core::gateway::Registration::default()
        };
        buildly.gateway().register(&root, registration).await.expect("the name is free");
    }
}

/// Everything that joins need, with the links of the recordings.
pub struct World {
    pub server: TestServer,
    pub a: RecordedService,
    pub b: RecordedService,
    pub root: Client,
    pub ann: Client,
    pub zed: Client,
}

impl World {
    pub async fn on(server: TestServer, b: RecordedService) -> Self {
        let a = RecordedService::a().await;
        let root = server.superuser("root", "default organization").await;
        let (ann, zed) = (register(&server, "ann", "Acme").await, register(&server, "zed", "Zeta").await);
        register_services(&server, [("products", &a), ("documents", &b)]).await;
        set_up_catalog(&root).await;
        let world = Self { server, a, b, root, ann, zed };
        for (who, id, number) in [
            (&world.ann, 1, 1),
            (&world.ann, 1, 2),
            (&world.ann, 2, 2),
            (&world.ann, 12, 3),
            (&world.ann, 21, 0),
            (&world.zed, 3, 1),
        ] {
            let key = format!("d0000000-0000-4000-8000-00000000000{number}");
            let key = if number == 0 { "00000000-0000-4000-8000-000000000000".to_owned() } else { key };
            let body = json!({
                "origin_model_name": "productsProduct", "related_model_name": "documentsDocument",
                "record_id": id, "related_record_uuid": key,
            });
            who.post("/datamesh/joinrecords/", &body).await.expect(201);
        }
        for id in [1, 2] {
            let body = json!({
                "origin_model_name": "productsProduct", "related_model_name": "productsCategory",
                "record_id": id, "related_record_id": 1,
            });
            world.ann.post("/datamesh/joinrecords/", &body).await.expect(201);
        }
        world
    }

    /// The links of ann's organization, as `record-related`.
    pub async fn pairs(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let all = self.ann.get("/datamesh/joinrecords/").await.expect(200).json();
        let key =
            |one: &Value, id: &str, uuid: &str| text(if one[id].is_null() { &one[uuid] } else { &one[id] });
        let pair = |one: &Value| {
            format!(
                "{}-{}",
                key(one, "record_id", "record_uuid"),
                key(one, "related_record_id", "related_record_uuid")
            )
        };
        all.as_array().unwrap().iter().map(pair).collect()
    }
}
