//! `/workflowlevel2/`: pieces of work in a level 1.

use std::collections::BTreeSet;

use buildly_core::Buildly;
use buildly_core::auth::{self, Auth};
use buildly_core::workflow::levels::{Level2, Level2Filter, Level2Update, Parent, Record};
use buildly_model::{LevelRowId, Principal, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::input::{groups, instant, key, query_instant, query_text, required_key, row};
use super::numbers::{Numbers, group_ids};
use super::window;
use crate::compat::organization_shape::clearable;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A level 2.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::compat) struct WorkflowLevel2 {
    level2_uuid: Uuid,
    /// The same.
    id: Uuid,
    name: String,
    description: Option<String>,
    notes: Option<String>,
    /// The UUID of the level 2 that it is a part of; 0 if there is none.
    #[schema(value_type = String)]
    parent_workflowlevel2: Value,
    short_name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    start_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end_date: Option<Timestamp>,
    workflowlevel1: i64,
    created_by: Option<i64>,
    r#type: Option<Uuid>,
    status: Option<Uuid>,
    /// If there are any, only these groups give rights on it; else those of its level 1.
    core_groups: Vec<i64>,
    /// The run that it started; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Uuid>,
    /// How that run stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_status: Option<&'static str>,
}

/// A level 2 as it is written.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
struct WorkflowLevel2Input {
    name: String,
    workflowlevel1: i64,
    description: Option<String>,
    notes: Option<String>,
    /// The UUID of a level 2 of the same level 1; 0 for none.
    parent_workflowlevel2: Option<String>,
    short_name: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    start_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end_date: Option<Timestamp>,
    r#type: Option<Uuid>,
    status: Option<Uuid>,
    core_groups: Option<Vec<i64>>,
}

impl WorkflowLevel2 {
    fn of(record: Record<Level2>, numbers: &Numbers) -> Self {
        let Record { id, created_at, edited_at, value, .. } = record;
        let Level2 { name, level1, groups, parent, kind, status, run, details } = value;
        let parent_workflowlevel2 = match parent {
            Some(parent) => parent.to_string().into(),
            None => details.parent_number.into(),
        };
        Self {
            level2_uuid: id.as_uuid(),
            id: id.as_uuid(),
            name,
            description: details.description,
            notes: details.notes,
            parent_workflowlevel2,
            short_name: details.short_name,
            create_date: created_at,
            edit_date: edited_at,
            start_date: details.start_date,
            end_date: details.end_date,
            workflowlevel1: level1.number,
            created_by: numbers.user(details.created_by),
            r#type: kind.map(|kind| kind.as_uuid()),
            status: status.map(|status| status.as_uuid()),
            core_groups: numbers.groups(&groups),
            run: run.map(|(run, _)| run.as_uuid()),
            run_status: run.map(|(_, status)| status.name()),
        }
    }
}

pub(in crate::compat) async fn render(
    auth: &Auth,
    principal: &Principal,
    records: Vec<Record<Level2>>,
) -> Result<Vec<WorkflowLevel2>, auth::Error> {
    let users: BTreeSet<_> = records.iter().filter_map(|record| record.value.details.created_by).collect();
    let groups: BTreeSet<_> = records.iter().flat_map(|record| record.value.groups.iter().copied()).collect();
    let numbers = Numbers::of(auth, principal, users, groups).await?;
    Ok(records.into_iter().map(|record| WorkflowLevel2::of(record, &numbers)).collect())
}

async fn one(auth: &Auth, principal: &Principal, record: Record<Level2>) -> Result<WorkflowLevel2, Problem> {
    let rendered = render(auth, principal, vec![record]).await?;
    rendered.into_iter().next().ok_or_else(|| Problem::not_found("Not found."))
}

/// The operations on levels 2.
pub(super) fn routes() -> Routes {
    Routes::compat("workflowlevel2", "Workflow levels 2: pieces of work in a level 1.")
        .add(
            get("/workflowlevel2/", list)
                .summary("Lists levels 2")
                .description(
                    "An object with `count`, `next`, `previous`, `results`; with `all`, a plain array, which \
                     says in `Link` where it goes on.",
                )
                .query("all", "`true`: a plain array")
                .query_integer("limit", "How many on a page: 50 if nobody says, at most 500")
                .query_integer("offset", "How many come before the page")
                .query("workflowlevel1__name", "Only in a level 1 of this name")
                .query_integer("workflowlevel1__id", "Only in the level 1 of this id")
                .query("create_date_gte", "Only created then or later")
                .query("create_date_lte", "Only created then or earlier")
                .query("status__short_name", "Only of the status of this short name")
                .query("status__uuid", "Only of the status of this UUID")
                .answers_page::<WorkflowLevel2>(200),
        )
        .add(
            post("/workflowlevel2/", create)
                .summary("Makes a level 2")
                .description("If its level 1 names a template, a run of that starts with it.")
                .takes_fields::<WorkflowLevel2Input>()
                .answers::<WorkflowLevel2>(201),
        )
        .add(
            get("/workflowlevel2/{level2_uuid}/", read)
                .summary("Reads a level 2")
                .answers::<WorkflowLevel2>(200),
        )
        .add(
            put("/workflowlevel2/{level2_uuid}/", replace)
                .summary("Changes a level 2; what does not come stays")
                .takes_fields::<WorkflowLevel2Input>()
                .answers::<WorkflowLevel2>(200),
        )
        .add(
            patch("/workflowlevel2/{level2_uuid}/", change)
                .summary("Changes what is named of a level 2")
                .takes_fields::<WorkflowLevel2Input>()
                .answers::<WorkflowLevel2>(200),
        )
        .add(
            delete("/workflowlevel2/{level2_uuid}/", remove)
                .summary("Removes a level 2; a run that it started goes on")
                .answers_nothing(204),
        )
}

/// `GET /workflowlevel2/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let is_plain = request.query_value("all")?.unwrap_or(false);
    let window = if is_plain { window::whole(&request)? } else { window::window(&request)? };
    let mut list = buildly.levels().level2s(&principal, &filter(&request)?, window).await?;
    let bodies = render(buildly.auth(), &principal, std::mem::take(&mut list.rows)).await?;
    if !is_plain {
        return Ok(window::counted(&request, window, &list, &bodies));
    }
    let end = window.offset.saturating_add(u64::from(window.rows_max));
    Ok(window::array(&request, (end < list.count).then(|| ("offset", end.to_string())), &bodies))
}

/// `POST /workflowlevel2/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    fields.required_text("name");
    required_key(&mut fields, "workflowlevel1");
    let update = written(buildly, &principal, fields).await?;
    let record = buildly.levels().create_level2(&principal, &update).await?;
    Ok(Response::created(&one(buildly.auth(), &principal, record).await?))
}

/// `GET /workflowlevel2/{level2_uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().level2(&principal, request.path("level2_uuid")?).await?;
    Ok(Response::ok(&one(buildly.auth(), &principal, record).await?))
}

/// `PUT /workflowlevel2/{level2_uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    fields.required_text("name");
    required_key(&mut fields, "workflowlevel1");
    update(buildly, &request, fields).await
}

/// `PATCH /workflowlevel2/{level2_uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let fields = request.fields().await?;
    update(buildly, &request, fields).await
}

async fn update(buildly: &Buildly, request: &Request, fields: Fields) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let id: LevelRowId = request.path("level2_uuid")?;
    let update = written(buildly, &principal, fields).await?;
    let record = buildly.levels().update_level2(&principal, id, &update).await?;
    Ok(Response::ok(&one(buildly.auth(), &principal, record).await?))
}

/// `DELETE /workflowlevel2/{level2_uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.levels().delete_level2(&principal, request.path("level2_uuid")?).await?;
    Ok(Response::no_content())
}

fn filter(request: &Request) -> Result<Level2Filter, Problem> {
    Ok(Level2Filter {
        level1_name: query_text(request, "workflowlevel1__name")?,
        level1_number: request.query_value("workflowlevel1__id")?,
        created_from: query_instant(request, "create_date_gte")?,
        created_to: query_instant(request, "create_date_lte")?,
        status_short_name: query_text(request, "status__short_name")?,
        status: request.query_value("status__uuid")?,
    })
}

async fn written(
    buildly: &Buildly,
    principal: &Principal,
    mut fields: Fields,
) -> Result<Level2Update, Problem> {
    let groups = groups(&mut fields, "core_groups");
    let mut update = Level2Update {
        name: fields.text("name"),
        level1: key(&mut fields, "workflowlevel1"),
        parent: parent(&mut fields),
        groups: None,
        kind: clearable(&mut fields, "type", row),
        status: clearable(&mut fields, "status", row),
        description: clearable(&mut fields, "description", Fields::text),
        notes: clearable(&mut fields, "notes", Fields::text),
        short_name: clearable(&mut fields, "short_name", Fields::text),
        start_date: clearable(&mut fields, "start_date", instant),
        end_date: clearable(&mut fields, "end_date", instant),
    };
    fields.finish()?;
    if let Some(keys) = groups {
        update.groups = Some(group_ids(buildly.auth(), principal, "core_groups", &keys).await?);
    }
    Ok(update)
}

/// Old clients write an integer here, which cannot name a level 2: it is kept, and means none.
fn parent(fields: &mut Fields) -> Option<Parent> {
    const NAME: &str = "parent_workflowlevel2";
    if !fields.has(NAME) {
        return None;
    }
    let text = fields.text(NAME).unwrap_or_default();
    if text.is_empty() {
        return Some(Parent::None(0));
    }
    let number = text.parse().ok().map(Parent::None);
    let parent = number.or_else(|| text.parse().ok().map(Parent::Level2));
    parent.or_else(|| fields.refuse(NAME, "Expected the UUID of a level 2, or 0 for none."))
}
