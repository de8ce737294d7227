//! The questions about rights over HTTP: what may I, why, who can.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::TestServer;
use crate::mesh_world::register;
use crate::upstream::Upstream;

/// The group of that name.
async fn group(admin: &Client, name: &str) -> Value {
    let groups = admin.get("/coregroups/").await.expect(200).json();
    groups.as_array().unwrap().iter().find(|group| group["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn the_rule_that_decides_is_named_and_agrees_with_what_happens() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        let root = server.superuser("root", "default organization").await;
        let upstream = Upstream::with_paths(&[("/things/", &["get", "post"])]).await;
        upstream.answer("/things/", 200, "[]");
        let ann = register(&server, "ann", "Acme").await;
        let zed = register(&server, "zed", "Zeta").await;
        let acme =
            ann.get("/coreuser/me/").await.expect(200).json()["organization"]["organization_uuid"].clone();
        let viewers = json!({"name": "Viewers", "organization": acme, "is_org_level": true, "permissions": {"create": false, "read": true, "update": false, "delete": false}});
        let viewers = ann.post("/coregroups/", &viewers).await.expect(201).json();
        let me = ann.get("/coreuser/me/").await.expect(200).json();
        let admins = group(&ann, "Admins").await;
        let both = json!({"core_groups": [admins["id"], viewers["id"]]});
        ann.patch(&format!("/coreuser/{}/", me["id"]), &both).await.expect(200);
        let module = json!({"name": "shop", "endpoint_name": "shop", "endpoint": upstream.url});
        let module = root.post("/logicmodule/", &module).await.expect(201).json();

        let open = ann.get("/permissions/explain/?service=shop&action=create").await.expect(200).json();
        assert_eq!((&open["allowed"], &open["considered"]), (&json!(true), &json!([])), "{open}");
        assert!(open["reason"].as_str().unwrap().contains("no group is attached"), "{open}");

        let attached = json!({"core_groups": [viewers["id"]]});
        root.patch(&format!("/logicmodule/{}/", module["id"]), &attached).await.expect(200);
        let denied = ann.get("/permissions/explain/?service=shop&action=create").await.expect(200).json();
        let refused = ann.post("/shop/things/", &json!({})).await.expect(403).json();
        assert_eq!((&denied["allowed"], &denied["reason"]), (&json!(false), &refused["reason"]));
        let considered = &denied["considered"][0];
        assert_eq!(
            (&considered["group"]["name"], &considered["is_member"], &considered["allows"]),
            (&json!("Viewers"), &json!(true), &json!(false))
        );
        assert_eq!(
            ann.get("/permissions/").await.expect(200).json(),
            json!([{"service": "shop", "actions": ["read"]}])
        );
        assert_eq!(
            zed.get("/permissions/").await.expect(200).json(),
            json!([{"service": "shop", "actions": []}])
        );

        let can = ann.get("/permissions/who_can/?service=shop").await.expect(200).json();
        assert_eq!((&can["is_open"], &can["results"]), (&json!(false), &json!([me["core_user_uuid"]])));
        assert_eq!(can["groups"][0]["name"], "Viewers");
        let nobody = zed.get("/permissions/who_can/?service=shop").await.expect(200).json();
        assert_eq!(nobody["results"], json!([]), "of the own organization only");

        let of_ann = format!("/permissions/explain/?service=shop&user={}", me["id"]);
        assert_eq!(root.get(&of_ann).await.expect(200).json()["allowed"], true);
        zed.get(&of_ann).await.expect(404);
        for (path, status) in [
            ("/permissions/explain/", 400),
            ("/permissions/explain/?service=shop&action=own", 400),
            ("/permissions/explain/?service=shop&user=me", 400),
            ("/permissions/explain/?service=nowhere", 404),
            ("/permissions/who_can/?service=shop&cursor=x", 400),
        ] {
            ann.get(path).await.expect(status);
        }
        for path in
            ["/permissions/", "/permissions/explain/?service=shop", "/permissions/who_can/?service=shop"]
        {
            server.client.get(path).await.expect(401);
        }
        server.stop().await;
    }
}
