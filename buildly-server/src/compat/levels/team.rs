//! `/workflowteam/`: who belongs to a level 1, as front ends keep it.

use std::collections::BTreeSet;

use buildly_core::Buildly;
use buildly_core::auth::identity::{GroupKey, UserKey};
use buildly_core::auth::{self, Auth};
use buildly_core::workflow::levels::{Key, Record, TeamPlace, TeamUpdate};
use buildly_model::{Principal, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::input::{group, instant, key, path_key, required_key, user};
use super::numbers::{Numbers, group_ids, user_ids};
use super::{level1, window};
use crate::compat::CoreGroup;
use crate::compat::coreuser::CoreUser;
use crate::compat::organization_shape::clearable;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// Somebody's place in the team of a level 1; gives no rights.
#[derive(Debug, Serialize, ToSchema)]
struct WorkflowTeam {
    id: i64,
    team_uuid: Uuid,
    /// The id of a user; with `nested_models`, the user.
    workflow_user: Option<i64>,
    /// The id of a level 1; with `nested_models`, the level 1.
    workflowlevel1: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    start_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end_date: Option<Timestamp>,
    status: Option<String>,
    /// The id of a group; with `nested_models`, the group.
    role: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
}

/// A place in a team as it is written.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
struct WorkflowTeamInput {
    workflowlevel1: i64,
    workflow_user: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    start_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end_date: Option<Timestamp>,
    status: Option<String>,
    role: Option<i64>,
}

impl WorkflowTeam {
    fn of(record: &Record<TeamPlace>, numbers: &Numbers) -> Self {
        let TeamPlace { level1, details } = &record.value;
        Self {
            id: record.number,
            team_uuid: record.id.as_uuid(),
            workflow_user: numbers.user(details.user),
            workflowlevel1: level1.number,
            start_date: details.start_date,
            end_date: details.end_date,
            status: details.status.clone(),
            role: numbers.group(details.role),
            create_date: record.created_at,
            edit_date: record.edited_at,
        }
    }
}

async fn render(
    auth: &Auth,
    principal: &Principal,
    records: &[Record<TeamPlace>],
) -> Result<Vec<WorkflowTeam>, auth::Error> {
    let users = records.iter().filter_map(|record| record.value.details.user).collect();
    let groups = records.iter().filter_map(|record| record.value.details.role).collect();
    let numbers = Numbers::of(auth, principal, users, groups).await?;
    Ok(records.iter().map(|record| WorkflowTeam::of(record, &numbers)).collect())
}

/// Renders with user, level 1 and group in place of their ids, if the request wants that.
async fn bodies(
    buildly: &Buildly,
    request: &Request,
    principal: &Principal,
    records: &[Record<TeamPlace>],
) -> Result<Vec<Value>, Problem> {
    let plain = render(buildly.auth(), principal, records).await?;
    let mut bodies: Vec<Value> = plain.iter().map(|body| json!(body)).collect();
    if !request.query_value("nested_models")?.unwrap_or(false) {
        return Ok(bodies);
    }
    let users: BTreeSet<_> = records.iter().filter_map(|record| record.value.details.user).collect();
    let users: Vec<UserKey> = users.into_iter().map(UserKey::Id).collect();
    let users = buildly.auth().users_by_key(principal, &users).await?;
    let groups: BTreeSet<_> = records.iter().filter_map(|record| record.value.details.role).collect();
    let groups: Vec<_> = groups.into_iter().collect();
    let groups = buildly.auth().groups_by_id(principal, &groups).await?;
    let ids: BTreeSet<_> = records.iter().map(|record| record.value.level1.id).collect();
    let mut levels = Vec::with_capacity(ids.len());
    for id in ids {
        levels.push(buildly.levels().level1(principal, Key::Id(id)).await?);
    }
    let levels = level1::render(buildly.auth(), principal, levels).await?;
    for (record, body) in records.iter().zip(&mut bodies) {
        let TeamPlace { level1, details } = &record.value;
        let user = users.iter().find(|view| Some(view.user.id) == details.user).cloned();
        let role = groups.iter().find(|group| Some(group.id) == details.role).cloned();
        let over = levels.iter().find(|level| level.is(level1.id));
        let nested = [
            ("workflow_user", json!(user.map(CoreUser::of))),
            ("workflowlevel1", json!(over)),
            ("role", json!(role.map(CoreGroup::from))),
        ];
        for (name, value) in nested {
            if let Some(field) = body.get_mut(name) {
                *field = value;
            }
        }
    }
    Ok(bodies)
}

async fn one(
    buildly: &Buildly,
    request: &Request,
    principal: &Principal,
    record: Record<TeamPlace>,
) -> Result<Value, Problem> {
    let bodies = bodies(buildly, request, principal, &[record]).await?;
    bodies.into_iter().next().ok_or_else(|| Problem::not_found("Not found."))
}

/// The operations on teams.
pub(super) fn routes() -> Routes {
    Routes::compat("workflowteam", "Who belongs to a workflow level 1, as front ends keep it.")
        .add(
            get("/workflowteam/", list)
                .summary("Lists places in teams")
                .query("nested_models", "`true`: user, level 1 and group in place of their ids")
                .query_integer("after", "Where to go on, from `Link`")
                .answers_list::<WorkflowTeam>(200),
        )
        .add(
            post("/workflowteam/", create)
                .summary("Puts somebody into a team")
                .takes_fields::<WorkflowTeamInput>()
                .answers::<WorkflowTeam>(201),
        )
        .add(
            get("/workflowteam/{id}/", read)
                .summary("Reads a place in a team")
                .query("nested_models", "`true`: user, level 1 and group in place of their ids")
                .answers::<WorkflowTeam>(200),
        )
        .add(
            put("/workflowteam/{id}/", replace)
                .summary("Changes a place in a team; what does not come stays")
                .takes_fields::<WorkflowTeamInput>()
                .answers::<WorkflowTeam>(200),
        )
        .add(
            patch("/workflowteam/{id}/", change)
                .summary("Changes what is named of a place in a team")
                .takes_fields::<WorkflowTeamInput>()
                .answers::<WorkflowTeam>(200),
        )
        .add(
            delete("/workflowteam/{id}/", remove)
                .summary("Takes somebody out of a team")
                .answers_nothing(204),
        )
}

/// `GET /workflowteam/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let rows_max = request.configuration().limits.list_rows_max;
    let listed = buildly.levels().team_places(&principal, request.query_value("after")?, rows_max).await?;
    let bodies = bodies(buildly, &request, &principal, &listed.rows).await?;
    Ok(window::array(&request, listed.next.map(|next| ("after", next.number.to_string())), &bodies))
}

/// `POST /workflowteam/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    required_key(&mut fields, "workflowlevel1");
    let update = written(buildly, &principal, fields).await?;
    let record = buildly.levels().create_team_place(&principal, &update).await?;
    Ok(Response::created(&one(buildly, &request, &principal, record).await?))
}

/// `GET /workflowteam/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().team_place(&principal, path_key(&request)?).await?;
    Ok(Response::ok(&one(buildly, &request, &principal, record).await?))
}

/// `PUT /workflowteam/{id}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    required_key(&mut fields, "workflowlevel1");
    update(buildly, &request, fields).await
}

/// `PATCH /workflowteam/{id}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let fields = request.fields().await?;
    update(buildly, &request, fields).await
}

async fn update(buildly: &Buildly, request: &Request, fields: Fields) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let key = path_key(request)?;
    let update = written(buildly, &principal, fields).await?;
    let record = buildly.levels().update_team_place(&principal, key, &update).await?;
    Ok(Response::ok(&one(buildly, request, &principal, record).await?))
}

/// `DELETE /workflowteam/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.levels().delete_team_place(&principal, path_key(&request)?).await?;
    Ok(Response::no_content())
}

async fn written(
    buildly: &Buildly,
    principal: &Principal,
    mut fields: Fields,
) -> Result<TeamUpdate, Problem> {
    let user: Option<Option<UserKey>> = clearable(&mut fields, "workflow_user", user);
    let role: Option<Option<GroupKey>> = clearable(&mut fields, "role", group);
    let mut update = TeamUpdate {
        level1: key(&mut fields, "workflowlevel1"),
        user: user.map(|_| None),
        role: role.map(|_| None),
        start_date: clearable(&mut fields, "start_date", instant),
        end_date: clearable(&mut fields, "end_date", instant),
        status: clearable(&mut fields, "status", Fields::text),
    };
    fields.finish()?;
    if let Some(Some(key)) = user {
        update.user =
            Some(user_ids(buildly.auth(), principal, "workflow_user", &[key]).await?.first().copied());
    }
    if let Some(Some(key)) = role {
        update.role = Some(group_ids(buildly.auth(), principal, "role", &[key]).await?.first().copied());
    }
    Ok(update)
}
