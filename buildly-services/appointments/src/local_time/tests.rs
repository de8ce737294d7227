use serde_json::json;

use super::*;

fn members(time: &str, zone: Option<&str>) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("starts".to_owned(), json!(time));
    members.insert("time_zone".to_owned(), json!(zone));
    members
}

#[test]
fn a_time_becomes_the_instant_that_it_means() {
    for (time, zone, instant, kept) in [
        ("2026-11-23T18:30:00Z", None, "2026-11-23T18:30:00Z", None),
        ("2026-11-23T18:30:00+01:00", None, "2026-11-23T17:30:00Z", None),
        ("2026-11-23T18:30:00", Some("Europe/Berlin"), "2026-11-23T17:30:00Z", Some("Europe/Berlin")),
        ("2026-07-23T18:30", Some("Europe/Berlin"), "2026-07-23T16:30:00Z", Some("Europe/Berlin")),
        ("2026-11-23T18:30:00[Europe/Berlin]", None, "2026-11-23T17:30:00Z", Some("Europe/Berlin")),
        (
            "2026-11-23T18:30:00[Asia/Tokyo]",
            Some("Europe/Berlin"),
            "2026-11-23T09:30:00Z",
            Some("Europe/Berlin"),
        ),
        ("2026-11-23T18:30:00+01:00[Europe/Berlin]", None, "2026-11-23T17:30:00Z", Some("Europe/Berlin")),
        ("2026-11-23T18:30:00Z[Europe/Berlin]", None, "2026-11-23T18:30:00Z", Some("Europe/Berlin")),
        // The clocks go back from 03:00 to 02:00: an offset says which 02:30 is meant.
        ("2026-10-25T02:30:00+02:00[Europe/Berlin]", None, "2026-10-25T00:30:00Z", Some("Europe/Berlin")),
        ("2026-10-25T02:30:00+01:00[Europe/Berlin]", None, "2026-10-25T01:30:00Z", Some("Europe/Berlin")),
        ("2026-03-29T03:00:00[Europe/Berlin]", None, "2026-03-29T01:00:00Z", Some("Europe/Berlin")),
    ] {
        let mut members = members(time, zone);
        read_time(&mut members, "starts").unwrap();
        assert_eq!(members["starts"], instant, "{time}");
        assert_eq!(members["time_zone"], json!(kept), "{time}");
    }
}

#[test]
fn a_time_that_does_not_exist_or_exists_twice_is_refused_with_what_can_be_sent() {
    for (time, zone, words) in [
        ("2026-03-29T02:30:00", Some("Europe/Berlin"), &["does not exist", "T01:30:00", "T03:30:00"][..]),
        ("2026-03-29T02:30:00[Europe/Berlin]", None, &["does not exist", "Europe/Berlin"]),
        (
            "2026-10-25T02:30:00",
            Some("Europe/Berlin"),
            &["twice", "2026-10-25T02:30:00+02[Europe/Berlin]", "2026-10-25T02:30:00+01[Europe/Berlin]"],
        ),
        ("2026-11-23T18:30:00+05:00[Europe/Berlin]", None, &["offset", "+01"]),
        ("2026-11-23T18:30:00[Mars/Olympus]", None, &["no zone", "Mars/Olympus"]),
        ("2026-11-23T18:30:00", None, &["time_zone"]),
        ("2026-11-23T18:30:00", Some("Mars/Olympus"), &["no zone"]),
        ("2026-11-23", None, &["Expected an instant"]),
        ("tomorrow", None, &["Expected an instant"]),
        ("", None, &["Expected an instant"]),
        ("2026-11-23T25:00:00Z", None, &["Expected an instant"]),
    ] {
        let refused = read_time(&mut members(time, zone), "starts").unwrap_err();
        assert_eq!(refused.field, "starts", "{time}");
        for word in words {
            assert!(refused.message.contains(word), "{time}: `{}` lacks `{word}`", refused.message);
        }
    }
}

#[test]
fn what_a_refusal_names_is_taken() {
    for time in ["2026-10-25T02:30:00+02[Europe/Berlin]", "2026-10-25T02:30:00+01[Europe/Berlin]"] {
        read_time(&mut members(time, None), "starts").unwrap();
    }
}

#[test]
fn a_zone_has_its_name_of_the_database() {
    let mut members = members("2026-11-23T18:30:00Z", Some("europe/berlin"));
    read_zone(&mut members).unwrap();
    assert_eq!(members["time_zone"], "Europe/Berlin");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(time in "\\PC*|[0-9T:.Z+\\-\\[\\]/A-Za-z]{0,40}", zone in "\\PC{0,20}|Europe/Berlin") {
        let mut members = members(&time, Some(&zone));
        if read_time(&mut members, "starts").is_ok() {
            assert!(members["starts"].as_str().unwrap().parse::<buildly_model::Timestamp>().is_ok());
        }
        drop(read_zone(&mut members));
    }

    #[test]
    fn a_local_time_that_is_taken_is_what_the_clocks_show_then(
        minutes in 0..3 * 366 * 24 * 60_i64,
        zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    ) {
        let first: DateTime = "2026-01-01T00:00:00".parse().unwrap();
        let local = first + jiff::SignedDuration::from_mins(minutes);
        let zone = TimeZone::get(zone).unwrap();
        match resolve(local, &zone) {
            Ok(instant) => assert_eq!(zone.to_datetime(instant), local),
            Err(message) => assert!(message.contains("does not exist") || message.contains("twice"), "{message}"),
        }
    }
}
