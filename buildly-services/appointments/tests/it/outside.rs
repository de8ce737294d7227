//! Bad input, strangers, and the document.

use buildly_kit::testing::{ADA, Client, ZED, operations};
use http::Method;
use serde_json::{Value, json};

use crate::booking::{book, calendar};

async fn what_cannot_be_kept_is_refused_and_named(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    let right = json!({
        "calendar": calendar, "title": "Visit", "starts": "2026-11-23T10:00:00Z", "ends": "2026-11-23T11:00:00Z",
    });
    let attendees = vec![calendar.clone(); 501];
    for (case, field, value, named) in [
        ("ends before it starts", "ends", json!("2026-11-23T09:00:00Z"), "ends"),
        ("no length", "ends", json!("2026-11-23T10:00:00Z"), "ends"),
        ("no instant", "starts", json!("soon"), "starts"),
        ("a number", "starts", json!(5), "starts"),
        ("null", "starts", Value::Null, "starts"),
        ("local without zone", "starts", json!("2026-11-23T10:00:00"), "starts"),
        ("left out", "starts", json!("2026-03-29T02:30:00[Europe/Berlin]"), "starts"),
        ("twice", "ends", json!("2026-10-25T02:30:00[Europe/Berlin]"), "ends"),
        ("no zone", "time_zone", json!("Mars/Olympus"), "time_zone"),
        ("no status", "status", json!("maybe"), "status"),
        ("no person", "attendees", json!(["Ada"]), "body"),
        ("a crowd", "attendees", json!(attendees), "attendees"),
        ("no calendar", "calendar", json!("01890a5d-ac96-774b-bcce-b302099a8057"), "calendar"),
        ("no title", "title", json!(""), "title"),
        ("no contact", "contact", json!("Ben"), "contact"),
    ] {
        let mut body = right.clone();
        body[field] = value;
        let refused = client.write(ADA, Method::POST, "/appointments/", body).await.expect(400);
        assert!(refused.body["errors"][named].is_array(), "{case}: {}", refused.body);
    }
    for (case, field, value) in [
        ("no zone", "time_zone", json!("Mars/Olympus")),
        ("no hours", "working_hours", json!([{"day": "monday", "from": "17:00", "to": "09:00"}])),
    ] {
        let mut body = json!({"name": "Ada", "time_zone": "Europe/Berlin"});
        body[field] = value;
        let refused = client.write(ADA, Method::POST, "/calendars/", body).await.expect(400);
        assert!(refused.body["errors"][field].is_array(), "{case}: {}", refused.body);
    }
    let no_day = json!({"name": "Ada", "time_zone": "UTC", "working_hours": [{"day": "someday"}]});
    client.write(ADA, Method::POST, "/calendars/", no_day).await.expect(400);
    client.write(ADA, Method::POST, "/appointments/", right).await.expect(201);
}

async fn a_stranger_sees_and_disturbs_nothing(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    let (starts, ends) = ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z");
    let made = book(&client, &calendar, starts, ends).await.expect(201);
    for list in ["/calendars/", "/appointments/", &format!("/appointments/?id__in={}", made.id())] {
        assert!(client.get(ZED, list).await.each("id").is_empty(), "{list}");
    }
    let path = format!("/appointments/{}/", made.id());
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        client.write(ZED, method, &path, json!({"status": "cancelled"})).await.expect(404);
    }
    let theirs = json!({"calendar": calendar, "title": "Mine", "starts": starts, "ends": ends});
    let refused = client.write(ZED, Method::POST, "/appointments/", theirs).await.expect(400);
    assert!(refused.body["errors"]["calendar"].is_array(), "{}", refused.body);
    let theirs = client.make(ZED, "/calendars/", json!({"name": "Zed", "time_zone": "UTC"})).await;
    let theirs = json!({"calendar": theirs, "title": "Mine", "starts": starts, "ends": ends});
    client.write(ZED, Method::POST, "/appointments/", theirs).await.expect(201);
    assert_eq!(client.get(ADA, &path).await.body, made.body);
}

buildly_kit::on_both_databases!(
    |_| buildly_appointments::declaration();
    what_cannot_be_kept_is_refused_and_named,
    a_stranger_sees_and_disturbs_nothing,
);

#[test]
fn the_document_has_every_operation() {
    let document = buildly_appointments::declaration().openapi().unwrap();
    let mut expected = vec!["GET /calendars/{id}/free-busy/".to_owned(), "GET /free-busy/".to_owned()];
    for list in ["/calendars/", "/appointments/"] {
        expected.extend(["GET", "POST"].map(|method| format!("{method} {list}")));
        expected.extend(["DELETE", "GET", "PATCH", "PUT"].map(|method| format!("{method} {list}{{id}}/")));
    }
    expected.sort_unstable();
    assert_eq!(operations(&document), expected);
}
