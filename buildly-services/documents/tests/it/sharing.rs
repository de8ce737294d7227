//! Who may see and change documents, their versions and their content.

use std::path::Path;

use buildly_kit::Declaration;
use buildly_kit::testing::{ADA, BEN, CLEO, Client, ZED};
use http::Method;
use serde_json::json;

use crate::mounted::{LIMITS, files};

pub(crate) fn declare(folder: &Path) -> Declaration {
    buildly_documents::declaration(&folder.join("files"), LIMITS).unwrap()
}

/// Everything that can be asked about a document with one version: method and path.
fn paths(document: &str, version: &str) -> Vec<(Method, String)> {
    vec![
        (Method::GET, format!("/documents/{document}/")),
        (Method::GET, format!("/documents/{document}/content/")),
        (Method::HEAD, format!("/documents/{document}/content/")),
        (Method::GET, format!("/versions/{version}/")),
        (Method::GET, format!("/versions/{version}/content/")),
    ]
}

fn changes(document: &str) -> Vec<(Method, String)> {
    vec![
        (Method::PATCH, format!("/documents/{document}/")),
        (Method::PUT, format!("/documents/{document}/content/")),
        (Method::DELETE, format!("/documents/{document}/")),
    ]
}

fn lists(document: &str, sha256: &str) -> Vec<String> {
    vec![
        "/documents/".to_owned(),
        format!("/documents/?id__in={document}"),
        "/documents/?search=secret&limit=1".to_owned(),
        "/versions/".to_owned(),
        format!("/versions/?document={document}"),
        format!("/versions/?sha256={sha256}"),
    ]
}

/// A document of Ada's with content: its id, its version's, and the digest.
async fn secret(client: &Client, fields: serde_json::Value) -> (String, String, String) {
    let mut body = json!({"title": "Secret"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let document = client.make(ADA, "/documents/", body).await;
    let path = format!("/documents/{document}/content/");
    let version = client.send(ADA, Method::PUT, &path, &[], "the secret").await.expect(201);
    (document, version.id(), version.body["sha256"].as_str().unwrap().to_owned())
}

async fn documents_are_open_to_the_organization_as_they_were(client: Client) {
    let (document, version, sha256) = secret(&client, json!({})).await;
    for (method, path) in paths(&document, &version) {
        client.send(BEN, method, &path, &[], "").await.expect(200);
    }
    for list in lists(&document, &sha256) {
        assert_eq!(client.get(BEN, &list).await.each("id").len(), 1, "{list}");
        assert!(client.get(ZED, &list).await.each("id").is_empty(), "{list}");
    }
    let path = format!("/documents/{document}/");
    client.write(BEN, Method::PATCH, &path, json!({"title": "Plan"})).await.expect(200);
    client.write(BEN, Method::PUT, &path, json!({"title": "Plan"})).await.expect(200);
    client.send(BEN, Method::PUT, &format!("{path}content/"), &[], "more").await.expect(201);
    client.send(BEN, Method::DELETE, &path, &[], "").await.expect(204);
}

async fn a_restricted_document_shows_on_no_path(client: Client) {
    let (document, version, sha256) = secret(&client, json!({"restricted": true})).await;
    for person in [BEN, ZED] {
        for (method, path) in paths(&document, &version).into_iter().chain(changes(&document)) {
            client.send(person, method, &path, &[], "{}").await.expect(404);
        }
        for list in lists(&document, &sha256) {
            let page = client.get(person, &list).await.expect(200).body;
            assert_eq!(page, json!({"next": null, "previous": null, "results": []}), "{list}");
        }
    }
    assert_eq!(files(&client.folder.join("files")).len(), 1, "nothing of theirs was kept");
    for (method, path) in paths(&document, &version) {
        client.send(ADA, method, &path, &[], "").await.expect(200);
    }
}

async fn a_document_is_shared_to_read_or_to_write(client: Client) {
    let shared = json!({"restricted": true, "readers": [BEN.user], "writers": [CLEO.user]});
    let (document, version, sha256) = secret(&client, shared).await;
    for person in [ADA, BEN, CLEO] {
        for (method, path) in paths(&document, &version) {
            client.send(person, method, &path, &[], "").await.expect(200);
        }
        for list in lists(&document, &sha256) {
            assert_eq!(client.get(person, &list).await.each("id").len(), 1, "{list}");
        }
    }
    for (method, path) in changes(&document) {
        client.send(BEN, method, &path, &[], "{}").await.expect(403);
    }
    assert_eq!(files(&client.folder.join("files")).len(), 1, "a refused upload leaves nothing");
    let path = format!("/documents/{document}/");
    client.write(BEN, Method::PATCH, &path, json!({"readers": []})).await.expect(403);
    client.write(CLEO, Method::PATCH, &path, json!({"restricted": false})).await.expect(403);
    client.write(CLEO, Method::PATCH, &path, json!({"title": "Plan"})).await.expect(200);
    client.send(CLEO, Method::PUT, &format!("{path}content/"), &[], "more").await.expect(201);
    let kept = client.write(CLEO, Method::PUT, &path, json!({"title": "New plan"})).await.expect(200);
    assert_eq!((&kept.body["restricted"], &kept.body["owner"]), (&json!(true), &json!(ADA.user)));
    client.write(ADA, Method::PATCH, &path, json!({"writers": []})).await.expect(200);
    client.get(CLEO, &path).await.expect(404);
    client.get(CLEO, &format!("{path}content/")).await.expect(404);
}

async fn what_is_in_a_folder_follows_it(client: Client) {
    let folder = json!({"name": "Board", "restricted": true, "readers": [BEN.user]});
    let folder = client.make(ADA, "/folders/", folder).await;
    let inner = client.make(ADA, "/folders/", json!({"name": "Minutes", "parent": folder})).await;
    let (document, version, sha256) = secret(&client, json!({"folder": inner})).await;
    let own = json!({"title": "Salaries", "folder": inner, "restricted": true});
    let own = client.make(ADA, "/documents/", own).await;
    let for_cleo = json!({"title": "For Cleo", "folder": inner, "readers": [CLEO.user]});
    let for_cleo = client.make(ADA, "/documents/", for_cleo).await;
    for (method, path) in paths(&document, &version) {
        client.send(BEN, method.clone(), &path, &[], "").await.expect(200);
        client.send(CLEO, method, &path, &[], "").await.expect(404);
    }
    for (method, path) in changes(&document) {
        client.send(BEN, method, &path, &[], "{}").await.expect(403);
    }
    for list in lists(&document, &sha256).into_iter().skip(1) {
        assert!(client.get(CLEO, &list).await.each("id").is_empty(), "{list}");
    }
    client.get(BEN, &format!("/documents/{own}/")).await.expect(404);
    client.get(CLEO, &format!("/documents/{for_cleo}/")).await.expect(200);
    assert_eq!(client.get(CLEO, "/documents/").await.each("title"), ["For Cleo"]);
    assert!(client.get(CLEO, "/folders/").await.each("id").is_empty());
    for id in [&folder, &inner] {
        client.get(CLEO, &format!("/folders/{id}/")).await.expect(404);
        client
            .write(CLEO, Method::POST, "/documents/", json!({"title": "x", "folder": id}))
            .await
            .expect(400);
        client.write(BEN, Method::POST, "/documents/", json!({"title": "x", "folder": id})).await.expect(403);
    }
    // A right to the folder that is taken away counts at once, and so does one that is given.
    let path = format!("/folders/{folder}/");
    client.write(ADA, Method::PATCH, &path, json!({"readers": [], "writers": [CLEO.user]})).await.expect(200);
    client.get(BEN, &format!("/versions/{version}/content/")).await.expect(404);
    client.get(CLEO, &format!("/versions/{version}/content/")).await.expect(200);
    client.write(CLEO, Method::POST, "/documents/", json!({"title": "x", "folder": inner})).await.expect(201);
    // Moved out of it, the document follows where it is now.
    client
        .write(CLEO, Method::PATCH, &format!("/documents/{document}/"), json!({"folder": null}))
        .await
        .expect(200);
    client.get(BEN, &format!("/versions/{version}/content/")).await.expect(200);
}

buildly_kit::on_both_databases!(
    crate::sharing::declare;
    documents_are_open_to_the_organization_as_they_were,
    a_restricted_document_shows_on_no_path,
    a_document_is_shared_to_read_or_to_write,
    what_is_in_a_folder_follows_it,
);
