//! Leads and the stages that they move through.

use buildly_kit::Declaration;
use buildly_kit::testing::{ADA, BEN, Client, ZED, operations};
use http::Method;
use serde_json::{Value, json};

const STAGES: [&str; 5] = ["New", "Qualified", "Proposal", "Won", "Lost"];

/// The id of a stage of acme's.
async fn stage(client: &Client, name: &str) -> String {
    let page = client.get(ADA, "/stages/").await.expect(200);
    let position = page.each("name").iter().position(|known| known == name).unwrap();
    page.each("id")[position].clone()
}

async fn lead(client: &Client, title: &str, stage: &str, fields: Value) -> String {
    let mut body = json!({"title": title, "stage": stage});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    client.make(ADA, "/leads/", body).await
}

async fn every_organization_begins_with_a_pipeline_of_its_own(client: Client) {
    let (ours, theirs) = (client.get(ADA, "/stages/").await, client.get(ZED, "/stages/").await);
    assert_eq!(ours.each("name"), STAGES);
    assert_eq!(theirs.each("name"), STAGES);
    assert_eq!(ours.each("kind"), ["open", "open", "open", "won", "lost"]);
    assert_ne!(ours.each("id"), theirs.each("id"));
    let lost = format!("/stages/{}/", stage(&client, "Lost").await);
    client.send(ADA, Method::DELETE, &lost, &[], "").await.expect(204);
    client.make(ADA, "/stages/", json!({"name": "Demo", "position": 25})).await;
    let now = client.get(ADA, "/stages/").await;
    assert_eq!(now.each("name"), ["New", "Qualified", "Demo", "Proposal", "Won"], "it is not made again");
    client.service.close().await;
    let reopened = Client::open(buildly_crm::declaration(), client.database.clone(), &client.folder).await;
    assert_eq!(reopened.get(ADA, "/stages/").await.each("name"), now.each("name"), "nor by the next process");
    reopened.service.close().await;
}

async fn many_first_requests_at_once_make_one_pipeline(client: Client) {
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get(ADA, "/stages/").await.expect(200).each("name") })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), STAGES);
    }
}

async fn a_lead_moves_through_the_pipeline(client: Client) {
    let company = client.make(ADA, "/companies/", json!({"name": "Globex"})).await;
    let contact = client.make(ADA, "/contacts/", json!({"name": "Zoe", "company": company})).await;
    let (new, won) = (stage(&client, "New").await, stage(&client, "Won").await);
    let body = json!({
        "title": "200 lamps", "stage": new, "company": company, "contact": contact, "value_minor": 250_000,
        "currency": "EUR", "owner": BEN.user, "expected_close": "2026-12-24",
    });
    let made = client.write(ADA, Method::POST, "/leads/", body).await.expect(201);
    let path = format!("/leads/{}/", made.id());
    let tag = [("if-match", "\"1\"")];
    let moved = json!({"stage": won}).to_string();
    let moved = client.send(BEN, Method::PATCH, &path, &tag, moved).await.expect(200);
    assert_eq!((&moved.body["stage"], &moved.body["value_minor"]), (&json!(won), &json!(250_000)));
    client.send(BEN, Method::PATCH, &path, &tag, json!({"stage": new}).to_string()).await.expect(412);
    let nowhere = json!({"stage": company});
    let nowhere = client.write(ADA, Method::PATCH, &path, nowhere).await.expect(400);
    assert!(nowhere.body["errors"]["stage"].is_array(), "{}", nowhere.body);
    let refused = client.send(ADA, Method::DELETE, &format!("/stages/{won}/"), &[], "").await.expect(409);
    assert!(refused.body["detail"].as_str().unwrap().contains("point at this stage"), "{}", refused.body);
    client.send(ADA, Method::DELETE, &format!("/companies/{company}/"), &[], "").await.expect(204);
    assert_eq!(client.get(ADA, &path).await.body["company"], Value::Null, "a lead outlives its company");
}

async fn leads_are_found_by_stage_and_owner(client: Client) {
    let (new, won) = (stage(&client, "New").await, stage(&client, "Won").await);
    lead(&client, "one", &new, json!({"owner": ADA.user})).await;
    lead(&client, "two", &won, json!({"owner": ADA.user, "expected_close": "2026-12-24"})).await;
    lead(&client, "three", &won, json!({"owner": BEN.user})).await;
    for (query, expected) in [
        (format!("stage={won}"), &["two", "three"][..]),
        (format!("owner={}", ADA.user), &["one", "two"]),
        (format!("stage={won}&owner={}", ADA.user), &["two"]),
        ("expected_close__lte=2026-12-31&expected_close__gte=2026-12-01".to_owned(), &["two"]),
        ("search=THR".to_owned(), &["three"]),
        ("ordering=-title".to_owned(), &["two", "three", "one"]),
    ] {
        let found = client.get(ADA, &format!("/leads/?{query}")).await.expect(200);
        assert_eq!(found.each("title"), expected, "{query}");
    }
}

async fn the_summary_counts_and_adds_up_by_stage(client: Client) {
    let (new, won) = (stage(&client, "New").await, stage(&client, "Won").await);
    let euro = |value: i64| json!({"value_minor": value, "currency": "EUR", "owner": ADA.user});
    for (stage, fields) in [
        (&new, euro(100)),
        (&new, euro(250)),
        (&new, json!({"value_minor": 7, "currency": "JPY", "owner": BEN.user})),
        (&new, json!({})),
        (&won, json!({"currency": "EUR"})),
        (&won, euro(10_000_000_000_000)),
    ] {
        lead(&client, "Lamps", stage, fields).await;
    }
    client.make(ZED, "/leads/", json!({"title": "Theirs", "stage": stage_of_zed(&client).await})).await;
    let summary = client.get(ADA, "/leads/summary/").await.expect(200).body;
    assert_eq!(summary["count"], 6);
    let names: Vec<_> = summary["stages"].as_array().unwrap().iter().map(|stage| &stage["name"]).collect();
    assert_eq!(names, STAGES);
    let first = &summary["stages"][0];
    let mut values = first["values"].as_array().unwrap().clone();
    values.sort_by_key(|value| value["currency"].to_string());
    let expected = json!([
        {"currency": "EUR", "count": 2, "value_minor": 350}, {"currency": "JPY", "count": 1, "value_minor": 7},
    ]);
    assert_eq!((&first["count"], &json!(values)), (&json!(4), &expected));
    let won = json!([{"currency": "EUR", "count": 1, "value_minor": 10_000_000_000_000_i64}]);
    assert_eq!((&summary["stages"][3]["count"], &summary["stages"][3]["values"]), (&json!(2), &won));
    assert_eq!((&summary["stages"][4]["count"], &summary["stages"][4]["values"]), (&json!(0), &json!([])));
    let of_ben = client.get(ADA, &format!("/leads/summary/?owner={}", BEN.user)).await.expect(200).body;
    assert_eq!(of_ben["count"], 1);
    client.get(ADA, "/leads/summary/?colour=red").await.expect(400);
    client.get(ADA, "/leads/no-summary/").await.expect(404);
}

async fn stage_of_zed(client: &Client) -> String {
    client.get(ZED, "/stages/").await.each("id")[0].clone()
}

async fn what_cannot_be_kept_is_refused_and_named(client: Client) {
    let new = stage(&client, "New").await;
    for (case, field, value, named) in [
        ("no title", "title", json!(""), "title"),
        ("no stage", "stage", Value::Null, "stage"),
        ("no such stage", "stage", json!("01890a5d-ac96-774b-bcce-b302099a8057"), "stage"),
        ("a stage of others", "stage", json!(stage_of_zed(&client).await), "stage"),
        ("less than nothing", "value_minor", json!(-1), "value_minor"),
        ("too much", "value_minor", json!(10_000_000_000_001_i64), "value_minor"),
        ("a fraction", "value_minor", json!(0.5), "value_minor"),
        ("a value without currency", "value_minor", json!(5), "currency"),
        ("no currency", "currency", json!("eur"), "currency"),
        ("no day", "expected_close", json!("2026-02-30"), "expected_close"),
        ("no user", "owner", json!("Ada"), "owner"),
    ] {
        let mut body = json!({"title": "Lamps", "stage": new});
        body[field] = value;
        let refused = client.write(ADA, Method::POST, "/leads/", body).await.expect(400);
        assert!(refused.body["errors"][named].is_array(), "{case}: {}", refused.body);
    }
    let taken = json!({"name": "Won", "position": 1});
    client.write(ADA, Method::POST, "/stages/", taken).await.expect(409);
    let kind = json!({"name": "Maybe", "position": 1, "kind": "maybe"});
    client.write(ADA, Method::POST, "/stages/", kind).await.expect(400);
}

async fn a_stranger_sees_and_changes_nothing(client: Client) {
    let new = stage(&client, "New").await;
    let id = lead(&client, "Lamps", &new, json!({})).await;
    assert!(client.get(ZED, "/leads/").await.each("id").is_empty());
    assert!(client.get(ZED, &format!("/leads/?id__in={id}")).await.each("id").is_empty());
    assert_eq!(client.get(ZED, "/leads/summary/").await.body["count"], 0);
    for path in [format!("/leads/{id}/"), format!("/stages/{new}/")] {
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            client.write(ZED, method, &path, json!({})).await.expect(404);
        }
    }
}

/// As the version before declared it: without stages and leads.
fn before() -> Declaration {
    Declaration::new("crm", "CRM", "As it was.")
        .record::<buildly_crm::Company>()
        .record::<buildly_crm::Contact>()
        .record::<buildly_crm::Note>()
}

async fn a_database_of_the_version_before_opens(old: Client) {
    let contact = old.make(ADA, "/contacts/", json!({"name": "Zoe"})).await;
    old.service.close().await;
    let new = Client::open(buildly_crm::declaration(), old.database.clone(), &old.folder).await;
    assert_eq!(new.get(ADA, &format!("/contacts/{contact}/")).await.expect(200).body["name"], "Zoe");
    assert_eq!(new.get(ADA, "/stages/").await.each("name"), STAGES);
    new.service.close().await;
}

buildly_kit::on_both_databases!(
    |_| buildly_crm::declaration();
    every_organization_begins_with_a_pipeline_of_its_own,
    many_first_requests_at_once_make_one_pipeline,
    a_lead_moves_through_the_pipeline,
    leads_are_found_by_stage_and_owner,
    the_summary_counts_and_adds_up_by_stage,
    what_cannot_be_kept_is_refused_and_named,
    a_stranger_sees_and_changes_nothing,
);

mod upgrade {
    buildly_kit::on_both_databases!(|_| crate::pipeline::before(); a_database_of_the_version_before_opens);

    use super::a_database_of_the_version_before_opens;
}

#[test]
fn the_document_has_every_operation() {
    let document = buildly_crm::declaration().openapi().unwrap();
    let mut expected = vec!["GET /leads/summary/".to_owned()];
    for list in ["/companies/", "/contacts/", "/notes/", "/stages/", "/leads/"] {
        expected.extend(["GET", "POST"].map(|method| format!("{method} {list}")));
        expected.extend(["DELETE", "GET", "PATCH", "PUT"].map(|method| format!("{method} {list}{{id}}/")));
    }
    expected.sort_unstable();
    assert_eq!(operations(&document), expected);
}
