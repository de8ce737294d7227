//! When a calendar may have appointments at all, week by week. Pure.

use buildly_kit::FieldError;
use buildly_model::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::interval::{self, Interval};

const ENTRIES_MAX: usize = 50;
/// The end of a day that is worked through.
const MIDNIGHT: &str = "24:00";

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the days have their names")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Some hours of one day of every week, in the zone of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// The day.
    pub day: Day,
    /// From when, such as `09:00`.
    pub from: String,
    /// Until when, such as `17:00`; `24:00` is the end of the day.
    pub to: String,
}

impl Day {
    const fn weekday(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}

/// Refuses hours that cannot be.
pub(crate) fn check(hours: &[WorkingHours]) -> Vec<FieldError> {
    let refuse = |message: String| vec![FieldError::new("working_hours", message)];
    if hours.len() > ENTRIES_MAX {
        return refuse(format!("Expected at most {ENTRIES_MAX} entries; these are {}.", hours.len()));
    }
    for WorkingHours { from, to, .. } in hours {
        let is_ahead = match (parse(from), parse(to)) {
            (Some(from), Some(to)) => from < to,
            (Some(_), None) => to == MIDNIGHT,
            (None, _) => false,
        };
        if !is_ahead {
            return refuse(format!(
                "Expected hours such as `09:00` to `17:00`, at most until `{MIDNIGHT}`; these are `{from}` to `{to}`."
            ));
        }
    }
    Vec::new()
}

/// The working time within `range`; all of it if there are no hours. An hour that the clocks
/// leave out is taken as far after it; of a time that comes twice the first is meant.
pub(crate) fn within(hours: &[WorkingHours], zone: &TimeZone, range: Interval) -> Vec<Interval> {
    if hours.is_empty() {
        return vec![range];
    }
    let last = date(zone, range.ends);
    let mut times = Vec::new();
    let mut day = Some(date(zone, range.starts));
    while let Some(today) = day.filter(|today| *today <= last) {
        let of_today = hours.iter().filter(|entry| entry.day.weekday() == today.weekday());
        times.extend(of_today.filter_map(|entry| on(today, entry, zone)?.meet(range)));
        day = today.tomorrow().ok();
    }
    interval::union(times)
}

fn on(day: Date, entry: &WorkingHours, zone: &TimeZone) -> Option<Interval> {
    let at = |day: Date, time: Time| {
        let zoned = day.to_datetime(time).to_zoned(zone.clone()).ok()?;
        Some(Timestamp::from_microseconds(zoned.timestamp().as_microsecond()))
    };
    let ends = match parse(&entry.to) {
        Some(time) => at(day, time)?,
        None => at(day.tomorrow().ok()?, Time::midnight())?,
    };
    Interval::new(at(day, parse(&entry.from)?)?, ends)
}

fn date(zone: &TimeZone, at: Timestamp) -> Date {
    let instant =
        jiff::Timestamp::from_microsecond(at.as_microseconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    zone.to_datetime(instant).date()
}

/// Reads `HH:MM`.
fn parse(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text).ok().filter(|_| text.len() == 5)
}

#[cfg(test)]
mod tests;
