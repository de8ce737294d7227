//! `GET /leads/summary/`: how many leads are in each stage, and what they may bring.

use async_trait::async_trait;
use buildly_kit::{Body, Call, Error, Operation, Records, json};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Content, Required, ResponseBuilder};

use crate::{Lead, Stage};

const STAGES_MAX: usize = 1000;

/// Counts the leads of every stage.
pub(crate) struct Summary;

#[async_trait]
impl Operation for Summary {
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error> {
        let organization = call.caller.organization;
        let query = call.query.as_deref().unwrap_or_default();
        let totals =
            records.totals::<Lead>(organization, query, &["stage", "currency"], "value_minor").await?;
        let stages = records.select_all::<Stage>(organization, "", STAGES_MAX).await?;
        let mut all = 0;
        let mut shown = Vec::with_capacity(stages.len());
        for stage in stages {
            let id = stage.id.to_string();
            let own = totals.iter().filter(|total| total.by.first().and_then(Value::as_str) == Some(&id));
            let (mut count, mut values) = (0, Vec::new());
            for total in own {
                count += total.count;
                let currency = total.by.get(1).filter(|currency| !currency.is_null());
                if let (Some(currency), Some(sum)) = (currency, total.sum) {
                    values
                        .push(json!({"currency": currency, "count": total.count_of_sum, "value_minor": sum}));
                }
            }
            all += count;
            let Stage { name, position, kind } = stage.record;
            shown.push(json!({
                "stage": id, "name": name, "kind": kind, "position": position, "count": count, "values": values,
            }));
        }
        Ok(json(StatusCode::OK, &json!({"count": all, "stages": shown})))
    }
}

pub(crate) fn document() -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .tag("leads")
        .operation_id(Some("summarize_leads"))
        .summary(Some("How many leads are in each stage, and what they may bring in each currency."))
        .description(Some("Takes the filters of the list of leads; stages without leads are shown too."));
    for (name, description) in [
        ("owner", "Only leads of this user."),
        ("company", "Only leads with this company."),
        ("contact", "Only leads with this contact."),
    ] {
        let uuid = ObjectBuilder::new().schema_type(Type::String).format(Some(format(KnownFormat::Uuid)));
        operation = operation.parameter(filter(name, description).schema(Some(uuid)));
    }
    for (name, description) in [
        ("expected_close__gte", "Only leads expected to be decided on this day or later."),
        ("expected_close__lte", "Only leads expected to be decided on this day or earlier."),
    ] {
        let date = ObjectBuilder::new().schema_type(Type::String).format(Some(format(KnownFormat::Date)));
        operation = operation.parameter(filter(name, description).schema(Some(date)));
    }
    operation.response("200", answer())
}

fn filter(name: &str, description: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
}

const fn format(known: KnownFormat) -> SchemaFormat {
    SchemaFormat::KnownFormat(known)
}

fn answer() -> ResponseBuilder {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let number = || ObjectBuilder::new().schema_type(Type::Integer);
    let value = ObjectBuilder::new()
        .property("currency", text())
        .property("count", number().description(Some("How many leads have a value in this currency.")))
        .property("value_minor", number().description(Some("Their values together.")));
    let stage = ObjectBuilder::new()
        .property("stage", text().format(Some(format(KnownFormat::Uuid))))
        .property("name", text())
        .property("kind", text())
        .property("position", number())
        .property("count", number())
        .property("values", ArrayBuilder::new().items(value));
    let body =
        ObjectBuilder::new().property("count", number()).property("stages", ArrayBuilder::new().items(stage));
    let content = Content::builder().schema(Some(body)).build();
    ResponseBuilder::new().description("The stages in order.").content("application/json", content)
}
