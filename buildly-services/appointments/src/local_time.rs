//! Times as people write them, with a zone instead of an offset (RFC 9557), turned into
//! instants. Pure but for the table of zones.
//!
//! Twice a year the clocks of most zones leave out an hour or repeat one. A time that does not
//! exist or exists twice is refused with what can be sent instead: guessing would put somebody
//! before a locked door.

use buildly_kit::FieldError;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde_json::{Map, Value};

const ZONE: &str = "time_zone";
const EXPECTED: &str = "Expected an instant such as `2026-11-23T18:30:00Z` (RFC 3339), a time with its zone such as \
    `2026-11-23T18:30:00[Europe/Berlin]` (RFC 9557), or a local time such as `2026-11-23T18:30:00` beside `time_zone`.";

/// Checks the zone of a record and gives it the name that the table of zones has.
///
/// # Errors
/// If there is no such zone.
pub(crate) fn read_zone(members: &mut Map<String, Value>) -> Result<(), FieldError> {
    let Some(Value::String(name)) = members.get_mut(ZONE) else { return Ok(()) };
    let zone = find(name).map_err(|message| FieldError::new(ZONE, message))?;
    if let Some(known) = zone.iana_name() {
        known.clone_into(name);
    }
    Ok(())
}

/// Turns a time of a record into an instant. A zone that is written with it becomes the
/// record's, if the record has none.
///
/// # Errors
/// If the time cannot be read, does not exist, or exists twice.
pub(crate) fn read_time(members: &mut Map<String, Value>, field: &'static str) -> Result<(), FieldError> {
    let refuse = |message: String| FieldError::new(field, message);
    // Anything else than text is refused as every field of another kind is.
    let Some(Value::String(text)) = members.get(field) else { return Ok(()) };
    let pieces = Pieces::parse(text).map_err(|_| refuse(EXPECTED.to_owned()))?;
    let time = pieces.time().ok_or_else(|| refuse(EXPECTED.to_owned()))?;
    let local = pieces.date().to_datetime(time);
    let named = pieces.to_time_zone().map_err(|_| refuse(unknown(text)))?;
    let instant = match (pieces.to_numeric_offset(), &named) {
        (Some(offset), _) => offset.to_timestamp(local).map_err(|_| refuse(EXPECTED.to_owned()))?,
        (None, Some(zone)) => resolve(local, zone).map_err(refuse)?,
        (None, None) => {
            let Some(Value::String(name)) = members.get(ZONE) else {
                return Err(refuse(EXPECTED.to_owned()));
            };
            resolve(local, &find(name).map_err(refuse)?).map_err(refuse)?
        }
    };
    // `Z` says nothing about local time (RFC 9557 section 2); a number must be the zone's.
    let is_zulu =
        pieces.offset().is_some_and(|offset| matches!(offset, jiff::fmt::temporal::PiecesOffset::Zulu));
    if let (Some(offset), Some(zone), false) = (pieces.to_numeric_offset(), &named, is_zulu)
        && zone.to_offset(instant) != offset
    {
        let actual = zone.to_offset(instant);
        return Err(refuse(format!(
            "The offset of `{text}` is not that of its zone, which is {actual} then; leave one of the two out."
        )));
    }
    let zone = named.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    members.insert(field.to_owned(), Value::from(instant.to_string()));
    if let Some(zone) = zone
        && members.get(ZONE).is_none_or(Value::is_null)
    {
        members.insert(ZONE.to_owned(), Value::from(zone));
    }
    Ok(())
}

/// The zone of this name.
///
/// # Errors
/// The sentence to show if there is none.
pub(crate) fn find(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| unknown(name))
}

fn unknown(name: &str) -> String {
    format!(
        "There is no zone in `{name}`; expected a name of the IANA time zone database such as `Europe/Berlin`."
    )
}

/// The instant of a local time.
///
/// # Errors
/// The sentence to show if it does not exist or exists twice.
fn resolve(local: DateTime, zone: &TimeZone) -> Result<jiff::Timestamp, String> {
    let name = zone.iana_name().unwrap_or("its zone");
    let of = |offset: jiff::tz::Offset| offset.to_timestamp(local).map_err(|_| EXPECTED.to_owned());
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => of(offset),
        AmbiguousOffset::Gap { before, after } => {
            let [earlier, later] = [of(after)?, of(before)?].map(|at| zone.to_datetime(at));
            Err(format!(
                "`{local}` does not exist in {name}: the clocks go forward over it. Expected a time that exists, such as `{earlier}` or `{later}`."
            ))
        }
        AmbiguousOffset::Fold { before, after } => Err(format!(
            "`{local}` comes twice in {name}: the clocks go back over it. Say which is meant: `{local}{before}[{name}]` or, an hour or so later, `{local}{after}[{name}]`."
        )),
    }
}

#[cfg(test)]
mod tests;
