//! `/workflowlevel1/`: something like projects.

use std::collections::BTreeSet;

use buildly_core::Buildly;
use buildly_core::auth::{self, Auth};
use buildly_core::workflow::levels::{Key, Level1, Level1Filter, Level1Update, Record};
use buildly_model::{LevelRowId, Principal, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::input::{groups, instant, path_key, query_text, users};
use super::numbers::{Numbers, group_ids, user_ids};
use super::window;
use crate::compat::list;
use crate::compat::organization_shape::clearable;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A level 1.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::compat) struct WorkflowLevel1 {
    id: i64,
    level1_uuid: Uuid,
    unique_id: Option<String>,
    name: String,
    description: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    start_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end_date: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
    sort: i64,
    organization: Uuid,
    /// Who works with it; gives no rights.
    user_access: Vec<i64>,
    /// If there are any, only these groups give rights on it.
    core_groups: Vec<i64>,
    /// The template of which each new level 2 starts a run; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
}

/// A level 1 as it is written.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
struct WorkflowLevel1Input {
    name: String,
    unique_id: Option<String>,
    description: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    start_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end_date: Option<Timestamp>,
    sort: Option<i64>,
    /// The caller's own, save for administrators of the deployment.
    organization: Option<Uuid>,
    user_access: Option<Vec<i64>>,
    core_groups: Option<Vec<i64>>,
    /// The name of a published template: each new level 2 starts a run of it, which everybody
    /// sees who may look at runs.
    template: Option<String>,
}

impl WorkflowLevel1 {
    /// Whether it is the one of this id.
    pub(super) fn is(&self, id: LevelRowId) -> bool {
        self.level1_uuid == id.as_uuid()
    }

    fn of(record: Record<Level1>, numbers: &Numbers) -> Self {
        let Record { id, number, organization, created_at, edited_at, value, .. } = record;
        let Level1 { name, groups, details } = value;
        Self {
            id: number,
            level1_uuid: id.as_uuid(),
            unique_id: details.unique_id,
            name,
            description: details.description,
            start_date: details.start_date,
            end_date: details.end_date,
            create_date: created_at,
            edit_date: edited_at,
            sort: details.sort,
            organization: organization.as_uuid(),
            user_access: numbers.users(&details.user_access),
            core_groups: numbers.groups(&groups),
            template: details.template,
        }
    }
}

/// Renders levels 1.
pub(in crate::compat) async fn render(
    auth: &Auth,
    principal: &Principal,
    records: Vec<Record<Level1>>,
) -> Result<Vec<WorkflowLevel1>, auth::Error> {
    let users: BTreeSet<_> =
        records.iter().flat_map(|record| record.value.details.user_access.iter().copied()).collect();
    let groups: BTreeSet<_> = records.iter().flat_map(|record| record.value.groups.iter().copied()).collect();
    let numbers = Numbers::of(auth, principal, users, groups).await?;
    Ok(records.into_iter().map(|record| WorkflowLevel1::of(record, &numbers)).collect())
}

async fn one(auth: &Auth, principal: &Principal, record: Record<Level1>) -> Result<WorkflowLevel1, Problem> {
    let rendered = render(auth, principal, vec![record]).await?;
    rendered.into_iter().next().ok_or_else(|| Problem::not_found("Not found."))
}

/// The operations on levels 1.
pub(super) fn routes() -> Routes {
    Routes::compat("workflowlevel1", "Workflow levels 1: something like projects.")
        .add(
            get("/workflowlevel1/", list)
                .summary("Lists levels 1")
                .description(
                    "A plain array, which says in `Link` where it goes on; with `paginate`, an object with \
                     `next`, `previous`, `results`.",
                )
                .query("name", "Only of this name")
                .query("level1_uuid", "Only the one of this UUID")
                .query("paginate", "`true`: pages")
                .query_integer("page_size", "How many on a page: 30 if nobody says, at most 100")
                .query("cursor", "Where the page begins, from `next`")
                .query("after", "Where to go on, from `Link`")
                .answers_list::<WorkflowLevel1>(200),
        )
        .add(
            post("/workflowlevel1/", create)
                .summary("Makes a level 1")
                .takes_fields::<WorkflowLevel1Input>()
                .answers::<WorkflowLevel1>(201),
        )
        .add(get("/workflowlevel1/{id}/", read).summary("Reads a level 1").answers::<WorkflowLevel1>(200))
        .add(
            put("/workflowlevel1/{id}/", replace)
                .summary("Changes a level 1; what does not come stays")
                .takes_fields::<WorkflowLevel1Input>()
                .answers::<WorkflowLevel1>(200),
        )
        .add(
            patch("/workflowlevel1/{id}/", change)
                .summary("Changes what is named of a level 1")
                .takes_fields::<WorkflowLevel1Input>()
                .answers::<WorkflowLevel1>(200),
        )
        .add(
            delete("/workflowlevel1/{id}/", remove)
                .summary("Removes a level 1 with its levels 2, orders and team")
                .answers_nothing(204),
        )
}

/// `GET /workflowlevel1/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let filter =
        Level1Filter { name: query_text(&request, "name")?, id: request.query_value("level1_uuid")? };
    let is_paged = request.query_value("paginate")?.unwrap_or(false);
    let (after, rows_max) = if is_paged {
        (window::cursor(&request)?, window::page_rows(&request)?)
    } else {
        (list::after(&request)?, request.configuration().limits.list_rows_max)
    };
    let mut listed = buildly.levels().level1s(&principal, &filter, after.as_ref(), rows_max).await?;
    let bodies = render(buildly.auth(), &principal, std::mem::take(&mut listed.rows)).await?;
    if is_paged {
        return Ok(window::page(&request, &listed, &bodies));
    }
    Ok(window::array(&request, listed.next.map(|next| ("after", next.to_string())), &bodies))
}

/// `POST /workflowlevel1/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let name = fields.required_text("name");
    let update = Level1Update { name: Some(name), ..written(buildly, &principal, fields).await? };
    let record = buildly.levels().create_level1(&principal, &update).await?;
    Ok(Response::created(&one(buildly.auth(), &principal, record).await?))
}

/// `GET /workflowlevel1/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().level1(&principal, path_key(&request)?).await?;
    Ok(Response::ok(&one(buildly.auth(), &principal, record).await?))
}

/// `PUT /workflowlevel1/{id}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    fields.required_text("name");
    update(buildly, &request, fields).await
}

/// `PATCH /workflowlevel1/{id}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let fields = request.fields().await?;
    update(buildly, &request, fields).await
}

async fn update(buildly: &Buildly, request: &Request, fields: Fields) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let key: Key = path_key(request)?;
    let update = written(buildly, &principal, fields).await?;
    let record = buildly.levels().update_level1(&principal, key, &update).await?;
    Ok(Response::ok(&one(buildly.auth(), &principal, record).await?))
}

/// `DELETE /workflowlevel1/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.levels().delete_level1(&principal, path_key(&request)?).await?;
    Ok(Response::no_content())
}

async fn written(
    buildly: &Buildly,
    principal: &Principal,
    mut fields: Fields,
) -> Result<Level1Update, Problem> {
    let (users, groups) = (users(&mut fields, "user_access"), groups(&mut fields, "core_groups"));
    let mut update = Level1Update {
        name: fields.text("name"),
        organization: fields.parsed("organization"),
        unique_id: clearable(&mut fields, "unique_id", Fields::text),
        description: clearable(&mut fields, "description", Fields::text),
        start_date: clearable(&mut fields, "start_date", instant),
        end_date: clearable(&mut fields, "end_date", instant),
        sort: fields.integer("sort"),
        user_access: None,
        groups: None,
        template: clearable(&mut fields, "template", Fields::text)
            .map(|template| template.filter(|name| !name.is_empty())),
    };
    fields.finish()?;
    if let Some(keys) = users {
        update.user_access = Some(user_ids(buildly.auth(), principal, "user_access", &keys).await?);
    }
    if let Some(keys) = groups {
        update.groups = Some(group_ids(buildly.auth(), principal, "core_groups", &keys).await?);
    }
    Ok(update)
}
