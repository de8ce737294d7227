use super::*;

fn hours(day: Day, from: &str, to: &str) -> WorkingHours {
    WorkingHours { day, from: from.to_owned(), to: to.to_owned() }
}

fn range(from: &str, to: &str) -> Interval {
    Interval { starts: from.parse().unwrap(), ends: to.parse().unwrap() }
}

#[test]
fn hours_are_those_of_the_zone_on_either_side_of_a_change_of_clocks() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let hours = [hours(Day::Friday, "09:00", "17:00"), hours(Day::Monday, "09:00", "17:00")];
    // The clocks go forward on Sunday, 2026-03-29.
    let times = within(&hours, &zone, range("2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"));
    let expected = [
        range("2026-03-27T08:00:00Z", "2026-03-27T16:00:00Z"),
        range("2026-03-30T07:00:00Z", "2026-03-30T15:00:00Z"),
    ];
    assert_eq!(times, expected);
}

#[test]
fn hours_are_cut_to_the_range_and_joined() {
    let zone = TimeZone::get("America/New_York").unwrap();
    let hours = [
        hours(Day::Sunday, "12:00", "24:00"),
        hours(Day::Monday, "00:00", "06:00"),
        hours(Day::Monday, "05:00", "07:00"),
    ];
    let times = within(&hours, &zone, range("2026-11-23T00:00:00Z", "2026-11-23T11:30:00Z"));
    assert_eq!(times, [range("2026-11-23T00:00:00Z", "2026-11-23T11:30:00Z")]);
    let all = range("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
    assert_eq!(within(&[], &zone, all), [all], "no hours, no limit");
}

#[test]
fn hours_that_cannot_be_are_refused() {
    for (from, to, is_right) in [
        ("09:00", "17:00", true),
        ("00:00", "24:00", true),
        ("17:00", "09:00", false),
        ("09:00", "09:00", false),
        ("24:00", "24:00", false),
        ("9:00", "17:00", false),
        ("09:00", "25:00", false),
        ("morning", "noon", false),
    ] {
        assert_eq!(check(&[hours(Day::Friday, from, to)]).is_empty(), is_right, "{from} to {to}");
    }
    assert!(!check(&vec![hours(Day::Friday, "09:00", "17:00"); ENTRIES_MAX + 1]).is_empty());
}
