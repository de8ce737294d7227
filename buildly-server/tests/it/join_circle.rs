//! Relationships in a circle: a join goes one level deep and calls nobody twice.

use serde_json::json;

use crate::harness::TestServer;
use crate::mesh_world::register;
use crate::upstream::Upstream;

#[tokio::test]
async fn a_join_in_a_circle_goes_one_level_deep() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Root").await;
    let ann = register(&server, "ann", "Acme").await;
    let (mut services, mut models) = (Vec::new(), Vec::new());
    for name in ["alpha", "beta", "gamma"] {
        let service = Upstream::with_paths(&[("/thing/{id}/", &["get"])]).await;
        for target in ["/thing/1/", "/thing/1/?join"] {
            service.answer(target, 200, &json!({"id": 1, "name": name}).to_string());
        }
        let new = json!({"endpoint": service.url, "endpoint_name": name});
        root.post("/logicmodule/", &new).await.expect(201);
        let model = json!({"logic_module_endpoint_name": name, "model": "Thing", "endpoint": "/thing/"});
        let made = root.post("/datamesh/logicmodulemodels/", &model).await.expect(201).json();
        models.push(made["logic_module_model_uuid"].clone());
        services.push(service);
    }
    for (key, origin, related) in [("to_beta", 0, 1), ("to_gamma", 1, 2), ("to_alpha", 2, 0)] {
        let relationship =
            json!({"key": key, "origin_model_id": models[origin], "related_model_id": models[related]});
        root.post("/datamesh/relationships/", &relationship).await.expect(201);
        let names = ["alphaThing", "betaThing", "gammaThing"];
        let link = json!({
            "origin_model_name": names[origin], "related_model_name": names[related],
            "record_id": 1, "related_record_id": 1,
        });
        ann.post("/datamesh/joinrecords/", &link).await.expect(201);
    }
    let joined = ann.get("/alpha/thing/1/?join").await.expect(200).json();
    let expected = json!({
        "id": 1, "name": "alpha",
        "to_beta": [{"id": 1, "name": "beta"}], "to_alpha": [{"id": 1, "name": "gamma"}],
    });
    assert_eq!(joined, expected);
    for service in &services {
        assert_eq!(service.asked().len(), 1, "{:?}", service.asked());
    }
    let itself = json!({"key": "self", "origin_model_id": models[0], "related_model_id": models[0]});
    let refused = root.post("/datamesh/relationships/", &itself).await;
    assert!(matches!(refused.status.as_u16(), 201 | 400), "{}", refused.text());
    ann.get("/alpha/thing/1/?join").await.expect(200);
    server.stop().await;
}
