//! `GET /calendars/{id}/free-busy/` and `GET /free-busy/`: when somebody is busy, and when all are free.

use async_trait::async_trait;
use buildly_kit::{Body, Call, Error, FieldError, Operation, Records, Stored, json};
use buildly_model::{OrganizationId, Timestamp};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Content, Required, ResponseBuilder};
use uuid::Uuid;

use crate::interval::{self, Interval};
use crate::{Appointment, Calendar, local_time, working_hours};

const DAYS_MAX: u64 = 366;
const CALENDARS_MAX: usize = 50;
const APPOINTMENTS_MAX: usize = 50_000;

/// Asks one calendar.
pub(crate) struct OfCalendar;

/// Asks several calendars at once.
pub(crate) struct OfSeveral;

#[async_trait]
impl Operation for OfCalendar {
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error> {
        let question = Question::read(&call.parameters()?, false).map_err(Error::Invalid)?;
        let calendar = records.get::<Calendar>(call.caller.organization, call.id()?).await?;
        answer(records, call.caller.organization, question.range, &[calendar]).await
    }
}

#[async_trait]
impl Operation for OfSeveral {
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error> {
        let question = Question::read(&call.parameters()?, true).map_err(Error::Invalid)?;
        let mut calendars = Vec::new();
        let mut errors = Vec::new();
        for id in question.calendars {
            match records.get::<Calendar>(call.caller.organization, id).await {
                Ok(calendar) => calendars.push(calendar),
                Err(Error::NotFound { .. }) => {
                    errors.push(FieldError::new("calendars", format!("There is no calendar `{id}`.")));
                }
                Err(error) => return Err(error),
            }
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        answer(records, call.caller.organization, question.range, &calendars).await
    }
}

async fn answer(
    records: &Records,
    organization: OrganizationId,
    range: Interval,
    calendars: &[Stored<Calendar>],
) -> Result<Response<Body>, Error> {
    let ids: Vec<String> = calendars.iter().map(|calendar| calendar.id.to_string()).collect();
    let query = format!(
        "calendar__in={}&status__in=confirmed,tentative&starts__lte={}&ends__gte={}",
        ids.join(","),
        range.ends,
        range.starts
    );
    let appointments = records.select_all::<Appointment>(organization, &query, APPOINTMENTS_MAX).await?;
    let mut free = vec![range];
    let mut busy = Vec::new();
    let mut shown = Vec::new();
    for calendar in calendars {
        let own = appointments.iter().map(|stored| &stored.record).filter(|own| own.calendar == calendar.id);
        let taken = own.filter_map(|own| Interval::new(own.starts, own.ends)?.meet(range));
        let taken = interval::union(taken.collect());
        let Calendar { name, time_zone, working_hours, .. } = &calendar.record;
        let zone = local_time::find(time_zone).map_err(Error::Conflict)?;
        free = interval::intersection(&free, &working_hours::within(working_hours, &zone, range));
        shown.push(json!({"calendar": calendar.id, "name": name, "busy": show(&taken)}));
        busy.extend(taken);
    }
    let busy = interval::union(busy);
    let free = interval::difference(&free, &busy);
    let body = json!({
        "from": range.starts, "to": range.ends, "busy": show(&busy), "free": show(&free), "calendars": shown,
    });
    Ok(json(StatusCode::OK, &body))
}

fn show(intervals: &[Interval]) -> Vec<Value> {
    intervals.iter().map(|interval| json!({"starts": interval.starts, "ends": interval.ends})).collect()
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    range: Interval,
    calendars: Vec<Uuid>,
}

impl Question {
    /// Reads the query; every refused parameter at once.
    fn read(parameters: &[(String, String)], has_calendars: bool) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let (mut from, mut to, mut calendars) = (None, None, Vec::new());
        for (name, value) in parameters {
            let outcome = match name.as_str() {
                "from" => read_instant(value).map(|at| from = Some(at)),
                "to" => read_instant(value).map(|at| to = Some(at)),
                "calendars" if has_calendars => read_ids(value).map(|ids| calendars = ids),
                _ => Err("This parameter is unknown; the OpenAPI document says which there are.".to_owned()),
            };
            errors.extend(outcome.err().map(|message| FieldError::new(name.as_str(), message)));
        }
        let is_asked = |asked: &str| parameters.iter().any(|(name, _)| name == asked);
        for name in ["from", "to", "calendars"] {
            if !is_asked(name) && (has_calendars || name != "calendars") {
                errors.push(FieldError::new(name, "This parameter is required."));
            }
        }
        if let (Some(from), Some(to)) = (from, to) {
            match Interval::new(from, to) {
                None => errors.push(FieldError::new("to", "Expected an instant after `from`.")),
                Some(range) if to.since(from).as_secs() > DAYS_MAX * 24 * 60 * 60 => {
                    let days = range.ends.since(range.starts).as_secs().div_ceil(24 * 60 * 60);
                    let message = format!("Expected at most {DAYS_MAX} days after `from`; these are {days}.");
                    errors.push(FieldError::new("to", message));
                }
                Some(range) if errors.is_empty() => return Ok(Self { range, calendars }),
                Some(_) => {}
            }
        }
        Err(errors)
    }
}

fn read_instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        "Expected an instant such as `2026-11-23T18:30:00Z` (RFC 3339; a `+` is written `%2B` here)."
            .to_owned()
    })
}

fn read_ids(text: &str) -> Result<Vec<Uuid>, String> {
    let mut ids = Vec::new();
    for text in text.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let id = Uuid::parse_str(text)
            .map_err(|_| format!("Expected UUIDs with commas between; `{text}` is none."))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match ids.len() {
        1..=CALENDARS_MAX => Ok(ids),
        count => Err(format!("Expected 1 to {CALENDARS_MAX} calendars; these are {count}.")),
    }
}

pub(crate) fn document_of_one() -> OperationBuilder {
    let id = ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text(KnownFormat::Uuid)));
    document("calendar_free_busy", "When a calendar is busy, and when it is free.").parameter(id)
}

pub(crate) fn document_of_several() -> OperationBuilder {
    let calendars =
        query("calendars", &format!("Which calendars, comma-separated, at most {CALENDARS_MAX}."))
            .schema(Some(ArrayBuilder::new().items(text(KnownFormat::Uuid))))
            .style(Some(ParameterStyle::Form))
            .explode(Some(false));
    document("free_busy", "When any of several calendars is busy, and when all are free.")
        .parameter(calendars)
}

fn document(id: &str, summary: &str) -> OperationBuilder {
    let range = format!("at most {DAYS_MAX} days after `from`");
    OperationBuilder::new()
        .tag("free-busy")
        .operation_id(Some(id))
        .summary(Some(summary))
        .description(Some(
            "Cancelled appointments take no time. Free times are within the working hours of every calendar.",
        ))
        .parameter(instant("from", "From when: an instant."))
        .parameter(instant("to", &format!("Until when: an instant, {range}.")))
        .response("200", answer_of_free_busy())
}

fn instant(name: &str, description: &str) -> Parameter {
    query(name, description).schema(Some(text(KnownFormat::DateTime))).build()
}

fn query(name: &str, description: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .description(Some(description))
}

fn text(format: KnownFormat) -> Object {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format))).build()
}

fn answer_of_free_busy() -> ResponseBuilder {
    let at = || text(KnownFormat::DateTime);
    let interval = || ObjectBuilder::new().property("starts", at()).property("ends", at());
    let intervals = || ArrayBuilder::new().items(interval().required("starts").required("ends"));
    let calendar = ObjectBuilder::new()
        .property("calendar", text(KnownFormat::Uuid))
        .property("name", ObjectBuilder::new().schema_type(Type::String))
        .property("busy", intervals());
    let body = ObjectBuilder::new()
        .property("from", at())
        .property("to", at())
        .property("busy", intervals())
        .property("free", intervals())
        .property("calendars", ArrayBuilder::new().items(calendar));
    let content = Content::builder().schema(Some(body)).build();
    ResponseBuilder::new().description("Busy and free times, in order.").content("application/json", content)
}

#[cfg(test)]
mod tests;
