//! Appointments are made, moved and cancelled, and never share time.

use buildly_kit::testing::{ADA, Answer, Client};
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const WRITERS: usize = 8;

pub(crate) async fn calendar(client: &Client, name: &str) -> String {
    client.make(ADA, "/calendars/", json!({"name": name, "time_zone": "Europe/Berlin"})).await
}

pub(crate) async fn book(client: &Client, calendar: &str, starts: &str, ends: &str) -> Answer {
    let body = json!({"calendar": calendar, "title": "Visit", "starts": starts, "ends": ends});
    client.write(ADA, Method::POST, "/appointments/", body).await
}

async fn an_appointment_lives_and_ends(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    let (guest, contact) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let body = json!({
        "calendar": calendar, "title": "Visit", "location": "Room 1", "time_zone": "europe/berlin",
        "starts": "2026-11-23T10:00:00", "ends": "2026-11-23T11:00:00", "attendees": [guest], "contact": contact,
    });
    let made = client.write(ADA, Method::POST, "/appointments/", body).await.expect(201);
    assert_eq!(made.body["starts"], "2026-11-23T09:00:00Z");
    assert_eq!(
        (&made.body["status"], &made.body["time_zone"]),
        (&json!("confirmed"), &json!("Europe/Berlin"))
    );
    let path = format!("/appointments/{}/", made.id());
    let tag = [("if-match", "\"1\"")];
    let later = json!({"starts": "2026-11-23T12:00:00", "ends": "2026-11-23T13:00:00"}).to_string();
    let moved = client.send(ADA, Method::PATCH, &path, &tag, later.clone()).await.expect(200);
    assert_eq!(
        moved.body["starts"], "2026-11-23T11:00:00Z",
        "a local time of a change is in the zone that is kept"
    );
    client.send(ADA, Method::PATCH, &path, &tag, later).await.expect(412);
    let elsewhere = json!({"time_zone": "Asia/Tokyo"});
    let elsewhere = client.write(ADA, Method::PATCH, &path, elsewhere).await.expect(200);
    assert_eq!(elsewhere.body["starts"], "2026-11-23T11:00:00Z", "another zone alone moves nothing");
    let found = client.get(ADA, &format!("/appointments/?contact={contact}&id__in={}", made.id())).await;
    assert_eq!(found.each("title"), ["Visit"]);
    let refused =
        client.send(ADA, Method::DELETE, &format!("/calendars/{calendar}/"), &[], "").await.expect(409);
    assert!(refused.body["detail"].as_str().unwrap().contains("point at this calendar"), "{}", refused.body);
    client.send(ADA, Method::DELETE, &path, &[], "").await.expect(204);
    client.send(ADA, Method::DELETE, &format!("/calendars/{calendar}/"), &[], "").await.expect(204);
}

async fn a_taken_time_is_refused_until_it_is_cancelled(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    let first = book(&client, &calendar, "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z").await.expect(201);
    let tentative = json!({"status": "tentative"});
    let path = format!("/appointments/{}/", first.id());
    client.write(ADA, Method::PATCH, &path, tentative).await.expect(200);
    let refused = book(&client, &calendar, "2026-11-23T10:30:00Z", "2026-11-23T11:30:00Z").await.expect(409);
    assert_eq!(refused.body["conflicts_with"], first.id());
    let detail = refused.body["detail"].as_str().unwrap();
    for fact in [first.id().as_str(), "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"] {
        assert!(detail.contains(fact), "`{detail}` lacks `{fact}`");
    }
    let cancelled = json!({"status": "cancelled"});
    client.write(ADA, Method::PATCH, &path, cancelled).await.expect(200);
    let second = book(&client, &calendar, "2026-11-23T10:30:00Z", "2026-11-23T11:30:00Z").await.expect(201);
    let back = json!({"status": "confirmed"});
    let back = client.write(ADA, Method::PATCH, &path, back).await.expect(409);
    assert_eq!(back.body["conflicts_with"], second.id());
    book(&client, &calendar, "2026-11-23T11:30:00Z", "2026-11-23T12:00:00Z").await.expect(201);
}

async fn of_many_bookings_at_once_one_wins(client: Client) {
    for round in 0..5 {
        let calendar = calendar(&client, &format!("Room {round}")).await;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (client, calendar) = (client.clone(), calendar.clone());
                let starts = format!("2026-11-23T10:0{writer}:00[Europe/Berlin]");
                tokio::spawn(async move {
                    book(&client, &calendar, &starts, "2026-11-23T11:00:00[Europe/Berlin]")
                        .await
                        .status
                        .as_u16()
                })
            })
            .collect();
        let mut statuses = Vec::new();
        for writer in writers {
            statuses.push(writer.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![201], vec![409; WRITERS - 1]].concat(), "round {round}");
        let kept = client.get(ADA, &format!("/appointments/?calendar={calendar}")).await;
        assert_eq!(kept.each("id").len(), 1, "round {round}");
    }
}

async fn two_that_move_to_one_time_do_not_both_get_there(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    for day in 1..6 {
        let at = |time: &str| format!("2026-12-0{day}T{time}:00Z");
        let mut moves = Vec::new();
        for hour in ["08", "09", "10", "11"] {
            let made = book(&client, &calendar, &at(&format!("{hour}:00")), &at(&format!("{hour}:30")))
                .await
                .expect(201);
            let (client, path) = (client.clone(), format!("/appointments/{}/", made.id()));
            let body = json!({"starts": at("15:00"), "ends": at("15:30")});
            moves.push(tokio::spawn(async move {
                client.write(ADA, Method::PATCH, &path, body).await.status.as_u16()
            }));
        }
        let mut statuses = Vec::new();
        for moving in moves {
            statuses.push(moving.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409], "day {day}");
    }
}

async fn lists_are_narrowed_by_time_and_come_in_pages(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    for hour in 10..15 {
        let (starts, ends) = (format!("2026-11-23T{hour}:00:00Z"), format!("2026-11-23T{hour}:30:00Z"));
        book(&client, &calendar, &starts, &ends).await.expect(201);
    }
    let path = "/appointments/?starts__gte=2026-11-23T11:00:00Z&ends__lte=2026-11-23T13:30:00Z&limit=2";
    let first = client.get(ADA, path).await.expect(200);
    assert_eq!(first.each("starts"), ["2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"]);
    let next = format!("/appointments/{}", first.body["next"].as_str().unwrap());
    let next = client.get(ADA, &next).await.expect(200);
    assert_eq!(next.each("starts"), ["2026-11-23T13:00:00Z"]);
    assert_eq!(next.body["next"], Value::Null);
}

async fn a_repeated_key_books_once(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    let body = json!({
        "calendar": calendar, "title": "Visit", "starts": "2026-11-23T10:00:00Z", "ends": "2026-11-23T11:00:00Z",
    });
    let key = [("idempotency-key", "visit")];
    let first = client.send(ADA, Method::POST, "/appointments/", &key, body.to_string()).await.expect(201);
    let again = client.send(ADA, Method::POST, "/appointments/", &key, body.to_string()).await.expect(201);
    assert_eq!(first.body, again.body);
}

buildly_kit::on_both_databases!(
    |_| buildly_appointments::declaration();
    an_appointment_lives_and_ends,
    a_taken_time_is_refused_until_it_is_cancelled,
    of_many_bookings_at_once_one_wins,
    two_that_move_to_one_time_do_not_both_get_there,
    lists_are_narrowed_by_time_and_come_in_pages,
    a_repeated_key_books_once,
);
