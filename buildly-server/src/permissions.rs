//! `/permissions/`: what the caller may do, why, and who else can.

use std::str::FromStr;

use buildly_core::Buildly;
use buildly_core::auth::identity::{Group, UserKey};
use buildly_core::auth::permission::Explanation;
use buildly_model::{Action, Actions, Cursor, FieldError, GroupId, ServiceId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::route::get;
use crate::{Problem, Request, Response, Routes};

/// The questions about rights.
pub(crate) fn routes() -> Routes {
    Routes::of("permissions", "What somebody may do, and why; answered by what decides.")
        .add(
            get("/permissions/", own)
                .summary("What the caller may do on which service")
                .description("A service without groups is open to every signed-in user.")
                .answers_list::<ServicePermissions>(200),
        )
        .add(
            get("/permissions/explain/", explain)
                .summary("Why somebody may or may not do something")
                .description("About another user: for administrators of the organization.")
                .query("service", "The service, by its name")
                .query("action", "`create`, `read`, `update` or `delete`; `read` when absent")
                .query("user", "About this user, by UUID or number; the caller when absent")
                .answers::<Explained>(200),
        )
        .add(
            get("/permissions/who_can/", who_can)
                .summary("Who of the own organization may do something")
                .description("A page of users. For administrators of the organization.")
                .query("service", "The service, by its name")
                .query("action", "`create`, `read`, `update` or `delete`; `read` when absent")
                .query_integer("limit", "How many users on a page")
                .query("cursor", "Where the page begins, as `next` says it")
                .answers::<WhoCanPage>(200),
        )
}

/// What the caller may do on a service.
#[derive(Debug, Serialize, ToSchema)]
struct ServicePermissions {
    /// The service's name.
    service: String,
    /// What is allowed.
    #[schema(value_type = Vec<String>)]
    actions: Vec<Action>,
}

/// A decision and what was looked at.
#[derive(Debug, Serialize, ToSchema)]
struct Explained {
    /// Whether it is allowed.
    allowed: bool,
    /// The rule or group that decided, as a sentence.
    reason: String,
    /// The groups attached to the service.
    considered: Vec<ConsideredGroup>,
}

/// A group that was looked at.
#[derive(Debug, Serialize, ToSchema)]
struct ConsideredGroup {
    /// The group.
    group: GroupName,
    /// Whether the user is a member.
    is_member: bool,
    /// Whether it allows the action.
    allows: bool,
}

/// A group, named.
#[derive(Debug, Serialize, ToSchema)]
struct GroupName {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    uuid: GroupId,
    /// What people call it.
    name: String,
}

/// Who may.
#[derive(Debug, Serialize, ToSchema)]
struct WhoCanPage {
    /// Whether no group is attached to the service, so that every signed-in user may.
    is_open: bool,
    /// The groups whose members may.
    groups: Vec<GroupName>,
    /// The next page of users.
    next: Option<String>,
    /// Always null.
    previous: Option<String>,
    /// The ids of the active users who may, one way or another.
    #[schema(value_type = Vec<String>)]
    results: Vec<UserId>,
}

/// `GET /permissions/`
async fn own(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let can = buildly.auth().what_can(&principal).await?;
    let listed =
        |actions: Actions| Action::ALL.into_iter().filter(|action| actions.contains(*action)).collect();
    let snapshot = buildly.snapshot();
    let answer: Vec<ServicePermissions> = snapshot
        .gateway
        .services()
        .map(|registered| {
            let service = &registered.service;
            let found = can.services.binary_search_by_key(&service.id, |(id, _)| *id);
            let actions =
                found.ok().and_then(|place| can.services.get(place)).map_or(can.elsewhere, |(_, own)| *own);
            ServicePermissions { service: service.name.as_str().to_owned(), actions: listed(actions) }
        })
        .collect();
    Ok(Response::ok(&answer))
}

/// `GET /permissions/explain/`
async fn explain(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (service, action) = (service(buildly, &request)?, action(&request)?);
    let about = request.query_value::<AboutUser>("user")?.map(|user| user.0);
    let explained = buildly.auth().explain(&principal, about, action, service).await?;
    Ok(Response::ok(&Explained::of(explained)))
}

/// `GET /permissions/who_can/`
async fn who_can(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (service, action) = (service(buildly, &request)?, action(&request)?);
    let after: Option<UserId> = request.query_value("cursor")?;
    let rows = request.page_size()?.rows() as usize;
    let can = buildly.auth().who_can(&principal, action, service).await?;
    let mut rest = can.users.into_iter().filter(|user| after.is_none_or(|after| *user > after));
    let results: Vec<UserId> = rest.by_ref().take(rows).collect();
    let next = rest.next().and(results.last()).map(|last| request.url_of_page(&Cursor(last.to_string())));
    let groups = can.groups.iter().map(|group| GroupName::of(group)).collect();
    Ok(Response::ok(&WhoCanPage { is_open: can.is_open, groups, next, previous: None, results }))
}

fn service(buildly: &Buildly, request: &Request) -> Result<ServiceId, Problem> {
    let name = request.query().first("service").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| FieldError::new("service", "Name the service, such as `service=crm`."))?;
    let snapshot = buildly.snapshot();
    let found = snapshot.gateway.find_by_name(name);
    found
        .map(|registered| registered.service.id)
        .ok_or_else(|| Problem::not_found(format!("Service \"{name}\" not found.")))
}

fn action(request: &Request) -> Result<Action, Problem> {
    let name = request.query().first("action").filter(|name| !name.is_empty()).unwrap_or("read");
    let known = Action::ALL.into_iter().find(|action| action.name() == name);
    Ok(known.ok_or_else(|| FieldError::new("action", "Expected `create`, `read`, `update` or `delete`."))?)
}

/// A user in the query, by UUID or number.
struct AboutUser(UserKey);

impl FromStr for AboutUser {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().filter(|number: &i64| *number > 0).map(UserKey::Number);
        number.or_else(|| text.parse().ok().map(UserKey::Id)).map(Self).ok_or(())
    }
}

impl GroupName {
    fn of(group: &Group) -> Self {
        Self { uuid: group.id, name: group.name.clone() }
    }
}

impl Explained {
    fn of(explanation: Explanation) -> Self {
        let considered = explanation.considered.iter().map(|looked| ConsideredGroup {
            group: GroupName::of(&looked.group),
            is_member: looked.is_member,
            allows: looked.allows,
        });
        Self {
            allowed: explanation.decision.is_allowed(),
            reason: explanation.decision.reason().to_string(),
            considered: considered.collect(),
        }
    }
}
