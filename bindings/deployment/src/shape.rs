//! People, rights and runs as bindings see them; the shapes are those of the HTTP API.

use buildly_core::auth::identity::{Group, UserView};
use buildly_core::auth::permission::Explanation;
use buildly_core::auth::token::Issued;
use buildly_core::gateway::Service;
use buildly_core::journal::StoredEvent;
use buildly_core::workflow::{
    End, Fault, Phase, Run, RunEvent, RunSummary, StoredTask, StoredTemplate, Task,
};
use buildly_model::{Action, Timestamp};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

/// A group.
#[derive(Serialize)]
pub(crate) struct GroupShape {
    id: Uuid,
    name: String,
    organization: Option<Uuid>,
    permissions: Vec<Action>,
}

impl From<&Group> for GroupShape {
    fn from(group: &Group) -> Self {
        let permissions =
            Action::ALL.into_iter().filter(|action| group.permissions.contains(*action)).collect();
        Self {
            id: group.id.as_uuid(),
            name: group.name.clone(),
            organization: group.organization.map(|organization| organization.as_uuid()),
            permissions,
        }
    }
}

/// A user.
#[derive(Serialize)]
pub(crate) struct UserShape {
    id: Uuid,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    organization: Option<String>,
    organization_id: Option<Uuid>,
    groups: Vec<GroupShape>,
    is_active: bool,
    is_superuser: bool,
}

impl From<UserView> for UserShape {
    fn from(UserView { user, organization, groups }: UserView) -> Self {
        Self {
            id: user.id.as_uuid(),
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            organization_id: user.organization.map(|organization| organization.as_uuid()),
            organization: organization.map(|organization| organization.name),
            groups: groups.iter().map(GroupShape::from).collect(),
            is_active: user.is_active,
            is_superuser: user.is_superuser,
        }
    }
}

/// What signing in gives.
#[derive(Serialize)]
pub(crate) struct SessionShape {
    token: String,
    refresh_token: Option<String>,
    expires_in: f64,
}

impl From<Issued> for SessionShape {
    fn from(issued: Issued) -> Self {
        Self {
            token: issued.access_token.expose().to_owned(),
            refresh_token: issued.refresh_token.map(|token| token.expose().to_owned()),
            expires_in: issued.expires_in.as_secs_f64(),
        }
    }
}

/// A decision, and why.
#[derive(Serialize)]
pub(crate) struct PermissionShape {
    is_allowed: bool,
    reason: String,
    considered: Vec<ConsideredShape>,
}

/// A group that was looked at.
#[derive(Serialize)]
struct ConsideredShape {
    group: String,
    is_member: bool,
    allows: bool,
}

impl From<Explanation> for PermissionShape {
    fn from(explanation: Explanation) -> Self {
        let considered = explanation.considered.iter().map(|looked| ConsideredShape {
            group: looked.group.name.clone(),
            is_member: looked.is_member,
            allows: looked.allows,
        });
        Self {
            is_allowed: explanation.decision.is_allowed(),
            reason: explanation.decision.reason().to_string(),
            considered: considered.collect(),
        }
    }
}

/// A service.
#[derive(Serialize)]
pub(crate) struct ServiceShape {
    id: Uuid,
    name: String,
    title: String,
    urls: Vec<String>,
    credential: String,
}

impl From<&Service> for ServiceShape {
    fn from(service: &Service) -> Self {
        Self {
            id: service.id.as_uuid(),
            name: service.name.to_string(),
            title: service.title.clone(),
            urls: service.instances.iter().map(|one| one.base_url.as_str().to_owned()).collect(),
            credential: service.credential.to_string(),
        }
    }
}

/// A version of a template.
#[derive(Serialize)]
pub(crate) struct TemplateShape {
    name: String,
    version: u32,
    status: &'static str,
    title: Option<String>,
    hash: String,
}

impl From<StoredTemplate> for TemplateShape {
    fn from(stored: StoredTemplate) -> Self {
        let (status, hash) = (stored.status.name(), stored.hash.to_string());
        Self { name: stored.name, version: stored.version, status, title: stored.title, hash }
    }
}

/// A run, as lists show it.
#[derive(Serialize)]
pub(crate) struct RunSummaryShape {
    id: Uuid,
    template: String,
    template_version: u32,
    status: &'static str,
    business_key: Option<String>,
    starter: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl From<RunSummary> for RunSummaryShape {
    fn from(summary: RunSummary) -> Self {
        Self {
            id: summary.id.as_uuid(),
            template: summary.template,
            template_version: summary.template_version,
            status: summary.status.name(),
            business_key: summary.business_key,
            starter: summary.starter,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
            ended_at: summary.ended_at,
        }
    }
}

/// A run.
#[derive(Serialize)]
pub(crate) struct RunShape {
    #[serde(flatten)]
    summary: RunSummaryShape,
    is_ended: bool,
    version: u64,
    input: Value,
    variables: Value,
    result: Option<Value>,
    fault: Option<Fault>,
    reason: Option<String>,
    live: Vec<LiveShape>,
}

/// A level that is being worked on.
#[derive(Serialize)]
struct LiveShape {
    activation: u64,
    level: String,
    phase: &'static str,
    attempt: u32,
    deadline: Option<Timestamp>,
    fault: Option<Fault>,
}

impl From<Run> for RunShape {
    fn from(run: Run) -> Self {
        let is_ended = run.is_ended();
        let shown = run.state.activations.values().filter_map(|live| {
            let fault = if let Phase::Stuck { fault } = &live.phase { Some(fault.clone()) } else { None };
            Some(LiveShape {
                activation: live.id.0,
                level: run.template.node(live.level)?.name.clone(),
                phase: live.phase.name(),
                attempt: live.attempt,
                deadline: live.deadline,
                fault,
            })
        });
        let live = shown.collect();
        let (mut result, mut fault, mut reason) = (None, None, None);
        match run.state.end {
            Some(End::Completed { result: value }) => result = Some(value),
            Some(End::Failed { fault: why }) => fault = Some(why),
            Some(End::Cancelled { reason: why }) => reason = Some(why),
            None => {}
        }
        Self {
            summary: run.summary.into(),
            is_ended,
            version: run.version,
            input: run.state.input,
            variables: Value::Object(run.state.variables),
            result,
            fault,
            reason,
            live,
        }
    }
}

/// One event of a run.
#[derive(Serialize)]
pub(crate) struct RunEventShape {
    number: u64,
    at: Timestamp,
    kind: &'static str,
    event: Value,
}

impl From<RunEvent> for RunEventShape {
    fn from(event: RunEvent) -> Self {
        Self {
            number: event.number,
            at: event.at,
            kind: event.event.kind(),
            event: serde_json::to_value(&event.event).unwrap_or_default(),
        }
    }
}

/// A person's work.
#[derive(Serialize)]
pub(crate) struct TaskShape {
    id: String,
    run: Uuid,
    template: String,
    level: String,
    title: Option<String>,
    description: Option<String>,
    group: Option<String>,
    user: Option<String>,
    claimed_by: Option<String>,
    show: Value,
    due: Option<Timestamp>,
    status: &'static str,
    created_at: Timestamp,
    form: Option<Value>,
}

impl From<StoredTask> for TaskShape {
    fn from(stored: StoredTask) -> Self {
        Self {
            id: format!("{}.{}", stored.run, stored.activation),
            run: stored.run.as_uuid(),
            template: stored.template,
            level: stored.level,
            title: None,
            description: None,
            group: stored.group,
            user: stored.user,
            claimed_by: stored.claimed_by,
            show: stored.show,
            due: stored.due,
            status: stored.status.name(),
            created_at: stored.created_at,
            form: None,
        }
    }
}

impl From<Task> for TaskShape {
    fn from(task: Task) -> Self {
        let (title, description, form) = (task.title, task.description, task.form);
        Self { title, description, form, ..task.stored.into() }
    }
}

/// An event of the journal.
#[derive(Serialize)]
pub(crate) struct EventShape {
    sequence: u64,
    id: String,
    kind: String,
    subject: String,
    actor: String,
    at: Timestamp,
    payload: Option<Box<RawValue>>,
    hash: String,
}

impl From<StoredEvent> for EventShape {
    fn from(event: StoredEvent) -> Self {
        Self {
            sequence: event.sequence,
            id: event.id.to_string(),
            kind: event.kind,
            subject: event.subject,
            actor: event.actor,
            at: event.at,
            payload: event.payload.and_then(|text| RawValue::from_string(text).ok()),
            hash: event.hash.to_string(),
        }
    }
}
