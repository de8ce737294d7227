//! When people are busy, and when all are free.

use buildly_kit::testing::{ADA, Client, ZED};
use http::Method;
use serde_json::{Value, json};

use crate::booking::{book, calendar};

const DAY: &str = "from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z";

fn times(intervals: &Value) -> Vec<(String, String)> {
    let hour =
        |interval: &Value, name: &str| interval[name].as_str().unwrap().get(11..16).unwrap().to_owned();
    let intervals = intervals.as_array().unwrap().iter();
    intervals.map(|interval| (hour(interval, "starts"), hour(interval, "ends"))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

async fn busy_times_are_merged_and_the_rest_is_free(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    for (starts, ends, status) in [
        ("2026-11-22T23:00:00Z", "2026-11-23T01:00:00Z", "confirmed"),
        ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", "confirmed"),
        ("2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z", "tentative"),
        ("2026-11-23T15:00:00Z", "2026-11-23T16:00:00Z", "cancelled"),
        ("2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z", "confirmed"),
    ] {
        let body =
            json!({"calendar": calendar, "title": "Visit", "starts": starts, "ends": ends, "status": status});
        client.write(ADA, Method::POST, "/appointments/", body).await.expect(201);
    }
    let answer = client.get(ADA, &format!("/calendars/{calendar}/free-busy/?{DAY}")).await.expect(200);
    assert_eq!(times(&answer.body["busy"]), pairs(&[("00:00", "01:00"), ("10:00", "12:00")]));
    assert_eq!(times(&answer.body["free"]), pairs(&[("01:00", "10:00"), ("12:00", "00:00")]));
}

async fn several_are_free_when_each_of_them_is_at_work_and_none_is_busy(client: Client) {
    let working = |day: &str| json!([{"day": day, "from": "09:00", "to": "17:00"}]);
    let ada = json!({"name": "Ada", "time_zone": "Europe/Berlin", "working_hours": working("monday")});
    let ada = client.make(ADA, "/calendars/", ada).await;
    let ben = json!({"name": "Ben", "time_zone": "America/New_York", "working_hours": working("monday")});
    let ben = client.make(ADA, "/calendars/", ben).await;
    let room = calendar(&client, "Room").await;
    book(&client, &ada, "2026-11-23T14:30:00Z", "2026-11-23T15:00:00Z").await.expect(201);
    book(&client, &room, "2026-11-23T15:00:00Z", "2026-11-23T15:15:00Z").await.expect(201);
    let path = format!("/free-busy/?calendars={ada},{ben},{room}&{DAY}");
    let answer = client.get(ADA, &path).await.expect(200);
    assert_eq!(times(&answer.body["busy"]), pairs(&[("14:30", "15:15")]));
    // Ada works from 08:00 to 16:00 UTC, Ben from 14:00 to 22:00.
    assert_eq!(times(&answer.body["free"]), pairs(&[("14:00", "14:30"), ("15:15", "16:00")]));
    let names: Vec<_> = answer.body["calendars"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["Ada", "Ben", "Room"]);
}

async fn a_question_that_cannot_be_answered_says_why(client: Client) {
    let calendar = calendar(&client, "Ada").await;
    let gone = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (case, path, status, word) in [
        ("no range", format!("/calendars/{calendar}/free-busy/"), 400, "from"),
        ("no calendar", format!("/calendars/{gone}/free-busy/?{DAY}"), 404, "calendar"),
        ("one of them", format!("/free-busy/?calendars={calendar},{gone}&{DAY}"), 400, gone),
        ("none of them", format!("/free-busy/?{DAY}"), 400, "required"),
        ("broken query", format!("/free-busy/?calendars=%ff&{DAY}"), 400, "UTF-8"),
    ] {
        let answer = client.get(ADA, &path).await.expect(status);
        assert!(answer.body.to_string().contains(word), "{case}: {}", answer.body);
    }
    client.get(ZED, &format!("/calendars/{calendar}/free-busy/?{DAY}")).await.expect(404);
    client.get(ZED, &format!("/free-busy/?calendars={calendar}&{DAY}")).await.expect(400);
}

buildly_kit::on_both_databases!(
    |_| buildly_appointments::declaration();
    busy_times_are_merged_and_the_rest_is_free,
    several_are_free_when_each_of_them_is_at_work_and_none_is_busy,
    a_question_that_cannot_be_answered_says_why,
);
