use std::sync::Arc;

use async_trait::async_trait;
use buildly_model::system::System;
use buildly_model::{Clock, ServiceCall, ServiceClient as _, StoreError};
use serde_json::{Value, json};

use super::*;
use crate::testing::memory::Memory;
use crate::testing::services::{DOCUMENT, Services, Trouble};
use crate::testing::{Documents, Offer, Rights, member, service_id, view};
use crate::{LocalError, LocalRecords, Parts, View, Views};

struct World {
    mesh: Mesh,
    store: Arc<Memory>,
    services: Arc<Services>,
}

struct Fixed(View);

#[async_trait]
impl Views for Fixed {
    async fn view(&self, _: &Principal) -> Result<View, StoreError> {
        Ok(self.0.clone())
    }
}

/// The core knows one user, and needs a second to look for one.
struct Users;

#[async_trait]
impl LocalRecords for Users {
    async fn read(&self, _: &Principal, _: &RecordType, keys: &[Key]) -> Result<Vec<Bytes>, LocalError> {
        let ann = Key::of_text(ANN);
        if let [_, _, ..] = keys {
            tokio::time::sleep(std::time::Duration::from_secs(keys.len() as u64)).await;
        }
        Ok(keys
            .iter()
            .filter(|key| **key == ann)
            .map(|key| json!({"id": key.to_value(), "username": "ann"}).to_string().into())
            .collect())
    }
}

const ANN: &str = "a0000000-0000-4000-8000-000000000001";

fn world_of(rights: Rights, documents: Documents, services: Services) -> World {
    world_at(Arc::new(System), rights, documents, services)
}

fn world_at(clock: Arc<dyn Clock>, rights: Rights, documents: Documents, services: Services) -> World {
    let (store, services) = (Arc::new(Memory::default()), Arc::new(services));
    for (origin, related) in [("1", "1"), ("1", "2"), ("2", "2"), ("12", "3"), ("21", "9")] {
        store.link("product_documents", origin, &format!("{DOCUMENT}{related}"));
    }
    store.link("product_category", "1", "1");
    store.link("author", "1", ANN);
    let mesh = Mesh::new(Parts {
        store: store.clone(),
        commits: store.clone(),
        views: Arc::new(Fixed(view(rights, documents))),
        client: services.clone(),
        local: Arc::new(Users),
        clock,
        random: Arc::new(System),
    });
    World { mesh, store, services }
}

fn world() -> World {
    world_of(Rights::everything(), Documents::usual(), Services::new())
}

impl World {
    fn asked(&self, method: Method, target: &str, body: Option<Value>) -> Asked {
        let (service, path) = target.split_once('/').unwrap();
        Asked {
            principal: member(),
            authorization: None,
            service: service.to_owned(),
            path: format!("/{path}"),
            method,
            body: body.map(|body| body.to_string().into()),
            along: Along::default(),
            deadline: None,
        }
    }

    /// As the gateway does it: begin, call, finish.
    async fn send(&self, method: Method, target: &str, body: Option<Value>) -> Result<Response<Body>, Error> {
        let asked = self.asked(method.clone(), target, body.clone());
        let path = asked.path.clone();
        let joining = self.mesh.begin_join(asked).await?;
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = http::Request::builder().method(method).uri(path).body(body).unwrap();
        let number = if target.starts_with("products") { 1 } else { 2 };
        let call = ServiceCall {
            service: service_id(number),
            request,
            principal: member(),
            authorization: None,
            deadline: None,
        };
        let answer = self.services.call(call).await?;
        self.services.calls.lock().unwrap().clear();
        match joining {
            Some(joining) => joining.finish(answer).await,
            None => Ok(answer),
        }
    }

    async fn json(&self, method: Method, target: &str, body: Option<Value>) -> Value {
        let answer = self.send(method, target, body).await.unwrap();
        serde_json::from_slice(&answer.into_body().collect(1 << 20).await.unwrap()).unwrap()
    }

    async fn get(&self, target: &str) -> Value {
        self.json(Method::GET, target, None).await
    }
}

fn document(number: u32) -> Value {
    json!({"id": format!("{DOCUMENT}{number}"), "title": format!("document {number}")})
}

fn faults(answer: &Value) -> Vec<String> {
    let faults = answer["_mesh"]["faults"].as_array().cloned().unwrap_or_default();
    let text = |fault: &Value| {
        format!(
            "{} {} {}",
            fault["relationship"].as_str().unwrap(),
            fault["reason"].as_str().unwrap(),
            fault["records"]
        )
    };
    faults.iter().map(text).collect()
}

#[tokio::test]
async fn a_record_shows_what_is_joined_to_it_in_every_direction() {
    let world = world();
    assert_eq!(
        world.get("products/product/1/").await,
        json!({
            "id": 1, "name": "product 1", "category": 2,
            "product_documents": [document(1), document(2)],
            "product_category": [{"id": 1, "name": "category 1"}],
            "author": [{"id": ANN, "username": "ann"}],
        })
    );
    let answer = world.get(&format!("documents/document/{DOCUMENT}2/")).await;
    let product =
        |id: u32, category: u32| json!({"id": id, "name": format!("product {id}"), "category": category});
    assert_eq!(answer["product_documents"], json!([product(1, 2), product(2, 1)]));
}

#[tokio::test]
async fn a_page_asks_each_service_once_where_it_takes_many_keys() {
    let world = world();
    let answer = world.get("products/product/").await;
    let shown: Vec<usize> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["product_documents"].as_array().unwrap().len())
        .collect();
    assert_eq!(shown, [2, 1, 0, 1, 0]);
    let calls = world.services.taken_calls();
    let documents: Vec<&String> = calls.iter().filter(|call| call.contains("/document/")).collect();
    // The second call asks for the one that did not come, since a bare list says no end.
    assert_eq!(documents.len(), 2, "{calls:?}");
    assert!(documents[1].ends_with(&format!("?id__in={DOCUMENT}9")), "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.contains("/category/")).count(), 1, "{calls:?}");
}

#[tokio::test]
async fn short_pages_are_read_to_their_end() {
    for (case, page, offer) in [
        ("bare pages of one", Some((1, false)), Offer::Ids),
        ("envelopes of one", Some((1, true)), Offer::Ids),
        ("the whole list in envelopes", Some((2, true)), Offer::ListOnly),
    ] {
        let documents = Documents::usual().with(2, "documents", &["document"], offer);
        let world = world_of(Rights::everything(), documents, Services { page, ..Services::new() });
        let answer = world.get("products/product/1/").await;
        assert_eq!(answer["product_documents"], json!([document(1), document(2)]), "{case}");
        assert_eq!(faults(&answer), Vec::<String>::new(), "{case}");
        let strangers = world.services.taken_calls().iter().filter(|call| call.contains("elsewhere")).count();
        assert_eq!(strangers, 0, "{case}: a link leads to another host");
    }
}

#[tokio::test]
async fn a_list_that_may_go_on_is_said_to_be_incomplete() {
    let documents = Documents::usual().with(2, "documents", &["document"], Offer::ListOnly);
    let world =
        world_of(Rights::everything(), documents, Services { page: Some((1, false)), ..Services::new() });
    let answer = world.get("products/product/1/").await;
    assert_eq!(answer["product_documents"], json!([document(1)]));
    assert_eq!(faults(&answer), ["product_documents incomplete 1"]);
}

#[tokio::test]
async fn a_service_that_fails_is_named_and_the_rest_is_there() {
    for (trouble, reason) in [
        (Trouble::Unreachable, "unreachable"),
        (Trouble::Busy, "busy"),
        (Trouble::Late, "deadline_exceeded"),
        (Trouble::Status(503), "status"),
        (Trouble::Text("<html>"), "unreadable"),
        (Trouble::Text("7"), "unreadable"),
        (Trouble::Text("[{\"title\": \"no key\"}]"), "key_missing"),
        (Trouble::Text("[{\"id\": \"of another\"}]"), "incomplete"),
    ] {
        let services = Services { trouble: Some(("/document/", trouble)), ..Services::new() };
        let world = world_of(Rights::everything(), Documents::usual(), services);
        let answer = world.get("products/product/1/").await;
        assert_eq!(answer["product_documents"], json!([]), "{trouble:?}");
        assert_eq!(answer["product_category"], json!([{"id": 1, "name": "category 1"}]), "{trouble:?}");
        let fault = &answer["_mesh"]["faults"][0];
        assert_eq!(
            (fault["reason"].as_str(), fault["service"].as_str()),
            (Some(reason), Some("documents")),
            "{trouble:?}"
        );
        let list = world.send(Method::GET, "products/product/", None).await.unwrap();
        let header = list.headers()[MESH_HEADER].to_str().unwrap();
        assert!(header.starts_with("\"product_documents\";service=\"documents\";reason="), "{header}");
        assert!(list.headers().get(header::ETAG).is_none(), "the joined answer has another tag");
    }
}

#[tokio::test]
async fn no_service_is_called_that_the_caller_may_not_read() {
    let rights = Rights { allowed: vec![(Action::Read, service_id(1))], is_superuser: false };
    let world = world_of(rights, Documents::usual(), Services::new());
    let answer = world.get("products/product/1/").await;
    assert_eq!(
        (&answer["product_documents"], faults(&answer)),
        (&json!([]), vec!["product_documents forbidden 0".to_owned()])
    );
    let calls = world.services.taken_calls();
    assert!(calls.iter().all(|call| !call.contains("document")), "{calls:?}");
}

#[tokio::test]
async fn nothing_of_another_organization_is_joined() {
    let world = world();
    for organization in [None, Some(buildly_model::OrganizationId::from_uuid(uuid::Uuid::from_u128(0xbad)))] {
        let mut asked = world.asked(Method::GET, "products/product/1/", None);
        asked.principal.organization = organization;
        let joining = world.mesh.begin_join(asked).await.unwrap().unwrap();
        let answer = Response::builder()
            .header("content-type", "application/json")
            .body(Body::from(r#"{"id":1}"#))
            .unwrap();
        let body = joining.finish(answer).await.unwrap().into_body().collect(9999).await.unwrap();
        assert_eq!(body, r#"{"id":1,"product_documents":[],"product_category":[],"author":[]}"#);
    }
}

#[tokio::test]
async fn records_without_their_key_are_a_configuration_error_that_names_the_field() {
    let world = world();
    world.services.lists.lock().unwrap().insert("product".to_owned(), vec![json!({"name": "has no id"})]);
    let error = world.send(Method::GET, "products/product/", None).await.unwrap_err();
    assert!(matches!(&error, Error::Misconfigured { reason } if reason.contains("`id`")), "{error}");
}

#[tokio::test]
async fn what_cannot_be_joined_passes_as_it_came() {
    let world = world();
    for (case, kind, status, body) in [
        ("an error of the service", "application/json", 404, r#"{"detail":"Not found."}"#),
        ("a file", "text/csv", 200, "id\n1\n"),
        ("a number", "application/json", 200, "17"),
        ("names", "application/json", 200, r#"["a"]"#),
    ] {
        let joining = world
            .mesh
            .begin_join(world.asked(Method::GET, "products/product/", None))
            .await
            .unwrap()
            .unwrap();
        let answer =
            Response::builder().status(status).header("content-type", kind).body(Body::from(body)).unwrap();
        let answer = joining.finish(answer).await.unwrap();
        assert_eq!(answer.status(), status, "{case}");
        assert_eq!(answer.into_body().collect(999).await.unwrap(), body, "{case}");
    }
    for target in ["products/unknown/", "other/product/", "products/product/1/lines/"] {
        assert!(
            world.mesh.begin_join(world.asked(Method::GET, target, None)).await.unwrap().is_none(),
            "{target}"
        );
    }
}

#[tokio::test]
async fn the_library_asks_by_name_and_counts_the_calls() {
    let world = world();
    let joined = world.mesh.get(&member(), "products/product").join("documents, category").await.unwrap();
    let answer: Value = serde_json::from_slice(&joined.body).unwrap();
    assert_eq!(answer[0]["product_documents"], json!([document(1), document(2)]));
    assert!(answer[0].get("author").is_none(), "only what was named");
    assert_eq!(joined.calls, BTreeMap::from([("documents".to_owned(), 2), ("products".to_owned(), 2)]));
    assert!(
        joined.plan.to_string().contains("product_documents: GET documents/document/?id__in="),
        "{}",
        joined.plan
    );
    let one = world.mesh.get(&member(), "products/Product/2").join("documents").await.unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&one.body).unwrap()["product_documents"],
        json!([document(2)])
    );
    let none = world.mesh.get(&member(), "products/product").join("invoices").await.unwrap_err();
    assert!(none.to_string().contains("join one of `product_documents`"), "{none}");
    let anonymous = world.mesh.get(&Principal::ANONYMOUS, "products/product").await;
    assert!(matches!(anonymous, Err(Error::Unauthenticated)));
}

mod bounds;
mod writes;
