//! Templates, runs and tasks as the wire shows them.

use buildly_core::workflow::{
    Activation, Compiled, End, Fault, Phase, Run, RunEvent, RunSummary, StoredTask, StoredTemplate, Task,
};
use buildly_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A version of a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowTemplate)]
pub(crate) struct TemplateBody {
    name: String,
    version: u32,
    /// `draft`, `published` or `retired`.
    status: &'static str,
    title: Option<String>,
    /// The SHA-256 of what it does; titles and descriptions do not count.
    hash: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// The template itself; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    template: Option<Value>,
}

impl TemplateBody {
    pub(crate) fn summary(stored: StoredTemplate) -> Self {
        Self {
            name: stored.name,
            version: stored.version,
            status: stored.status.name(),
            title: stored.title,
            hash: stored.hash.to_string(),
            updated_at: stored.updated_at,
            template: None,
        }
    }

    pub(super) fn whole(stored: StoredTemplate) -> Self {
        let template = serde_json::from_str(&stored.document).ok();
        Self { template, ..Self::summary(stored) }
    }
}

/// A run, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowRunSummary)]
pub(crate) struct RunSummaryBody {
    id: Uuid,
    template: String,
    template_version: u32,
    /// `new`, `running`, `paused`, `needs_attention`, `undoing`, `completed`, `failed`,
    /// `compensated` or `cancelled`.
    status: &'static str,
    business_key: Option<String>,
    /// Who started it: `user:…`, `service_account:…`.
    starter: String,
    /// The run that waits for it.
    parent: Option<Uuid>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl From<RunSummary> for RunSummaryBody {
    fn from(summary: RunSummary) -> Self {
        Self {
            id: summary.id.as_uuid(),
            template: summary.template,
            template_version: summary.template_version,
            status: summary.status.name(),
            business_key: summary.business_key,
            starter: summary.starter,
            parent: summary.parent.map(|(run, _)| run.as_uuid()),
            created_at: summary.created_at,
            updated_at: summary.updated_at,
            ended_at: summary.ended_at,
        }
    }
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowRun)]
pub(crate) struct RunBody {
    #[serde(flatten)]
    summary: RunSummaryBody,
    /// Goes up with every step.
    version: u64,
    /// What it was given.
    #[schema(value_type = Object)]
    input: Value,
    /// What people set.
    #[schema(value_type = Object)]
    variables: Value,
    /// What it came to, once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    fault: Option<Fault>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it does just now.
    live: Vec<LiveBody>,
}

/// A level that is being worked on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowLiveLevel)]
pub(super) struct LiveBody {
    /// The number of this entry into the level.
    activation: u64,
    level: String,
    /// What it waits for, in a word.
    phase: &'static str,
    /// The attempts made.
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline: Option<Timestamp>,
    /// Why a person must decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    fault: Option<Fault>,
}

impl From<Run> for RunBody {
    fn from(run: Run) -> Self {
        let live =
            run.state.activations.values().filter_map(|live| LiveBody::of(live, &run.template)).collect();
        let (mut result, mut fault, mut reason) = (None, None, None);
        match run.state.end {
            Some(End::Completed { result: value }) => result = Some(value),
            Some(End::Failed { fault: why }) => fault = Some(why),
            Some(End::Cancelled { reason: why }) => reason = Some(why),
            None => {}
        }
        Self {
            summary: run.summary.into(),
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

impl LiveBody {
    fn of(live: &Activation, template: &Compiled) -> Option<Self> {
        let fault = if let Phase::Stuck { fault } = &live.phase { Some(fault.clone()) } else { None };
        Some(Self {
            activation: live.id.0,
            level: template.node(live.level)?.name.clone(),
            phase: live.phase.name(),
            attempt: live.attempt,
            deadline: live.deadline,
            fault,
        })
    }
}

/// One event of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowRunEvent)]
pub(crate) struct RunEventBody {
    /// Its number in the run, from 1 without gaps.
    number: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    kind: &'static str,
    /// The facts.
    #[schema(value_type = Object)]
    event: Value,
}

impl From<RunEvent> for RunEventBody {
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
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowTask)]
pub(super) struct TaskBody {
    /// The run's id, a dot, the number of the entry into the level.
    id: String,
    run: Uuid,
    template: String,
    template_version: u32,
    level: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The group that may do it.
    group: Option<String>,
    /// The user who shall do it.
    user: Option<String>,
    /// Who has taken it.
    claimed_by: Option<String>,
    /// What the person is shown.
    #[schema(value_type = Object)]
    show: Value,
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    /// `open`, `claimed` or `closed`.
    status: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The JSON Schema of what is filled in; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    form: Option<Value>,
}

impl From<StoredTask> for TaskBody {
    fn from(stored: StoredTask) -> Self {
        Self {
            id: format!("{}.{}", stored.run, stored.activation),
            run: stored.run.as_uuid(),
            template: stored.template,
            template_version: stored.template_version,
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

impl From<Task> for TaskBody {
    fn from(task: Task) -> Self {
        let (title, description, form) = (task.title, task.description, task.form);
        Self { title, description, form, ..task.stored.into() }
    }
}
