//! Folders: a tree, what is in it, and moving it.

use buildly_kit::testing::{ADA, Client, ZED, operations};
use http::Method;
use serde_json::{Value, json};

use crate::sharing::declare;

async fn folder(client: &Client, name: &str, parent: Option<&str>) -> String {
    client.make(ADA, "/folders/", json!({"name": name, "parent": parent})).await
}

async fn documents_are_listed_by_their_folder(client: Client) {
    let bills = folder(&client, "Bills", None).await;
    let old = folder(&client, "Old", Some(&bills)).await;
    let loose = client.make(ADA, "/documents/", json!({"title": "Loose"})).await;
    client.make(ADA, "/documents/", json!({"title": "One", "folder": bills})).await;
    client.make(ADA, "/documents/", json!({"title": "Two", "folder": old})).await;
    for (list, member, expected) in [
        (format!("/documents/?folder={bills}"), "title", &["One"][..]),
        ("/documents/?folder__isnull=true".to_owned(), "title", &["Loose"]),
        (format!("/documents/?folder__in={bills},{old}"), "title", &["One", "Two"]),
        ("/folders/?parent__isnull=true".to_owned(), "name", &["Bills"]),
        (format!("/folders/?parent={bills}"), "name", &["Old"]),
        ("/folders/?search=old".to_owned(), "name", &["Old"]),
    ] {
        assert_eq!(client.get(ADA, &list).await.expect(200).each(member), expected, "{list}");
    }
    let path = format!("/documents/{loose}/");
    client.write(ADA, Method::PATCH, &path, json!({"folder": old})).await.expect(200);
    assert_eq!(client.get(ADA, &format!("/documents/?folder={old}")).await.each("title"), ["Loose", "Two"]);
    let out = client.write(ADA, Method::PATCH, &path, json!({"folder": null})).await.expect(200);
    assert_eq!(out.body["folder"], Value::Null);
}

async fn a_folder_is_deleted_only_when_nothing_is_in_it(client: Client) {
    let bills = folder(&client, "Bills", None).await;
    let path = format!("/folders/{bills}/");
    let inner = folder(&client, "Old", Some(&bills)).await;
    let document = client.make(ADA, "/documents/", json!({"title": "One", "folder": bills})).await;
    for inner in [format!("/folders/{inner}/"), format!("/documents/{document}/")] {
        let refused = client.send(ADA, Method::DELETE, &path, &[], "").await.expect(409);
        assert!(
            refused.body["detail"].as_str().unwrap().contains("point at this folder"),
            "{}",
            refused.body
        );
        client.send(ADA, Method::DELETE, &inner, &[], "").await.expect(204);
    }
    client.send(ADA, Method::DELETE, &path, &[], "").await.expect(204);
}

async fn what_cannot_be_a_folder_is_refused_and_named(client: Client) {
    let bills = folder(&client, "Bills", None).await;
    let old = folder(&client, "Old", Some(&bills)).await;
    let gone = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (case, body, status, named) in [
        ("no name", json!({"name": ""}), 400, "name"),
        ("a name that is taken", json!({"name": "Bills"}), 409, "name"),
        ("taken in a folder", json!({"name": "Old", "parent": bills}), 409, "name"),
        ("no such folder", json!({"name": "New", "parent": gone}), 400, "parent"),
        ("no folder at all", json!({"name": "New", "parent": "Bills"}), 400, "parent"),
        ("no users", json!({"name": "New", "readers": "everybody"}), 400, "body"),
        ("no user", json!({"name": "New", "readers": ["Ben"]}), 400, "body"),
        ("neither yes nor no", json!({"name": "New", "restricted": "a bit"}), 400, "restricted"),
    ] {
        let refused = client.write(ADA, Method::POST, "/folders/", body).await.expect(status);
        assert!(refused.body["errors"][named].is_array(), "{case}: {}", refused.body);
    }
    let circle =
        client.write(ADA, Method::PATCH, &format!("/folders/{bills}/"), json!({"parent": old})).await;
    assert!(circle.expect(400).body["errors"]["parent"].is_array());
    let nowhere = client.write(ADA, Method::POST, "/documents/", json!({"title": "x", "folder": gone})).await;
    assert!(nowhere.expect(400).body["errors"]["folder"].is_array());
    let theirs = client.make(ZED, "/folders/", json!({"name": "Bills"})).await;
    let into_theirs = json!({"title": "x", "folder": theirs});
    client.write(ADA, Method::POST, "/documents/", into_theirs).await.expect(400);
}

buildly_kit::on_both_databases!(
    crate::sharing::declare;
    documents_are_listed_by_their_folder,
    a_folder_is_deleted_only_when_nothing_is_in_it,
    what_cannot_be_a_folder_is_refused_and_named,
);

#[test]
fn the_document_has_every_operation() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("operations");
    let document = declare(&folder).openapi().unwrap();
    let mut expected: Vec<String> = [
        "GET /versions/",
        "GET /versions/{id}/",
        "GET /versions/{id}/content/",
        "GET /documents/{id}/content/",
        "PUT /documents/{id}/content/",
    ]
    .map(str::to_owned)
    .into();
    for list in ["/documents/", "/folders/"] {
        expected.extend(["GET", "POST"].map(|method| format!("{method} {list}")));
        expected.extend(["DELETE", "GET", "PATCH", "PUT"].map(|method| format!("{method} {list}{{id}}/")));
    }
    expected.sort_unstable();
    assert_eq!(operations(&document), expected);
}
