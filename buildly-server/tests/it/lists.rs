//! Plain arrays of the old wire: bounded, and whole for who follows their links.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::{PASSWORD, TestServer};

/// Every row, in pages of at most two, and how many answers it took.
async fn walk(client: &Client, path: &str) -> (Vec<Value>, usize) {
    let pages = client.get_all(path).await;
    assert!(pages.iter().all(|page| page.len() <= 2), "{path}: {pages:?}");
    let answers = pages.len();
    (pages.concat(), answers)
}

#[tokio::test]
async fn who_follows_the_links_sees_every_row_once() {
    let server = TestServer::start_with(|configuration| configuration.limits.list_rows_max = 2).await;
    let root = server.superuser("root", "Acme").await;
    for number in 0..5 {
        let name = format!("service{number}");
        let title = if number < 3 { "shop" } else { "other" };
        let service = json!({"endpoint": "http://127.0.0.1:9", "endpoint_name": name, "name": title});
        root.post("/logicmodule/", &service).await.expect(201);
        let model = json!({"logic_module_endpoint_name": name, "model": "Thing", "endpoint": "/things/"});
        root.post("/datamesh/logicmodulemodels/", &model).await.expect(201);
        let application = json!({
            "client_id": name, "name": name, "client_type": "public", "authorization_grant_type": "password",
        });
        root.post("/oauth/applications/", &application).await.expect(201);
    }
    let (models, _) = walk(&root, "/datamesh/logicmodulemodels/").await;
    for (number, related) in models.iter().skip(1).enumerate() {
        let relationship = json!({
            "key": format!("key{number}"), "origin_model_id": models[0]["logic_module_model_uuid"],
            "related_model_id": related["logic_module_model_uuid"],
        });
        root.post("/datamesh/relationships/", &relationship).await.expect(201);
    }
    for (path, key, count, answers) in [
        ("/logicmodule/", "id", 5, 3),
        ("/logicmodule/?name=shop", "id", 3, 2),
        ("/datamesh/logicmodulemodels/", "logic_module_model_uuid", 5, 3),
        ("/datamesh/relationships/", "relationship_uuid", 4, 2),
        ("/oauth/applications/", "id", 5, 3),
        ("/oauth/applications/?user__username=root", "id", 5, 3),
        ("/oauth/applications/?user__username=nobody", "id", 0, 1),
    ] {
        let (rows, asked) = walk(&root, path).await;
        let mut keys: Vec<String> = rows.iter().map(|row| row[key].to_string()).collect();
        keys.dedup();
        assert_eq!((keys.len(), asked), (count, answers), "{path}: {rows:?}");
    }
    root.get("/logicmodule/?after=x").await.expect(400);
    let page = root.get("/logicmodule/?page=1&name=shop").await.expect(200).json();
    assert_eq!((&page["count"], &page["next"]), (&json!(3), &Value::Null));
    server.stop().await;
}

#[tokio::test]
async fn who_follows_the_links_sees_every_person_group_and_organization_once() {
    let server = TestServer::start_with(|configuration| configuration.limits.list_rows_max = 2).await;
    let root = server.superuser("root", "Acme").await;
    for (number, name) in ["Same", "Same", "Same, Again", "Ünal"].into_iter().enumerate() {
        let person = json!({
            "username": format!("user{number}"), "password": PASSWORD, "first_name": name,
            "organization_name": "Acme",
        });
        root.post("/coreuser/", &person).await.expect(201);
        root.post("/coregroups/", &json!({"name": name, "is_global": true})).await.expect(201);
        root.post("/organization/", &json!({"name": format!("{name} {number}")})).await.expect(201);
    }
    for (path, key, count, answers) in [
        ("/coreuser/", "id", 5, 3),
        ("/oauthuser/", "id", 5, 3),
        ("/organization/", "id", 5, 3),
        // Two of each organization, the four, and the global one.
        ("/coregroups/", "id", 15, 8),
    ] {
        let (rows, asked) = walk(&root, path).await;
        let mut keys: Vec<String> = rows.iter().map(|row| row[key].to_string()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!((keys.len(), rows.len(), asked), (count, count, answers), "{path}: {rows:?}");
    }
    let (names, asked) = walk(&server.client, "/organization/fetch_orgs/").await;
    assert_eq!((names.len(), asked), (5, 3), "{names:?}");
    let own = root.get("/coreuser/me/").await.expect(200).json()["organization"]["id"].clone();
    let path = format!("/coreuser/?organization__organization_uuid={}", own.as_str().unwrap());
    assert_eq!(walk(&root, &path).await.0.len(), 5);
    for refused in ["x", "1,%00"] {
        root.get(&format!("/coreuser/?after={refused}")).await.expect(400);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_list_of_tokens_stays_filtered_along_its_links() {
    let server = TestServer::start_with(|configuration| configuration.limits.list_rows_max = 2).await;
    let root = server.superuser("root", "Acme").await;
    server.superuser("zed", "Zeta").await;
    for name in ["root", "zed", "root", "zed"] {
        server.signed_in(name).await;
    }
    for list in ["/oauth/accesstokens/", "/oauth/refreshtokens/"] {
        let (rows, _) = walk(&root, &format!("{list}?user__username=zed")).await;
        assert_eq!(rows.len(), 3, "{list}: {rows:?}");
        assert!(rows.iter().all(|row| row["user"]["username"] == "zed"), "{list}: {rows:?}");
    }
    server.stop().await;
}
