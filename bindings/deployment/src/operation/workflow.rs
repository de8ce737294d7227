//! Templates, runs, people's tasks, signals, events.

use std::time::Duration;

use buildly_core::Buildly;
use buildly_core::workflow::{
    ActivationId, Control, Finding, Phase, Reported, RunFilter, Signal, SignalTo, StartRun, Status,
    TaskFilter, TaskStatus, Template,
};
use buildly_model::{Principal, RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Caller;
use crate::failure::Failure;
use crate::shape::{RunEventShape, RunShape, RunSummaryShape, TaskShape, TemplateShape};

/// The most rows that are read at once.
const ROWS_MAX: u32 = 1000;

/// How many, where nobody says.
const fn rows() -> u32 {
    100
}

/// A template, as a tree of levels.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default)]
    caller: Caller,
    template: Value,
}

pub(super) async fn check_template(buildly: &Buildly, written: Written) -> Result<Vec<Finding>, Failure> {
    let principal = written.caller.principal(buildly).await?;
    let template = Template::from_value(&written.template)?;
    Ok(buildly.workflow().check(&principal, &template).await?)
}

pub(super) async fn publish_template(buildly: &Buildly, written: Written) -> Result<TemplateShape, Failure> {
    let principal = written.caller.principal(buildly).await?;
    let template = Template::from_value(&written.template)?;
    let draft = buildly.workflow().save_draft(&principal, &template).await?;
    Ok(buildly.workflow().publish(&principal, &draft.name, Some(draft.version)).await?.into())
}

/// A run to start.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    #[serde(default)]
    caller: Caller,
    template: String,
    version: Option<u32>,
    #[serde(default)]
    input: Value,
    business_key: Option<String>,
    idempotency_key: Option<String>,
}

pub(super) async fn start_run(buildly: &Buildly, start: Start) -> Result<RunShape, Failure> {
    let principal = start.caller.principal(buildly).await?;
    let start = StartRun {
        template: start.template,
        version: start.version,
        input: start.input,
        business_key: start.business_key,
        idempotency_key: start.idempotency_key,
    };
    Ok(buildly.workflow().start(&principal, start).await?.into())
}

/// A run to look at, or to wait for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    #[serde(default)]
    caller: Caller,
    run: Uuid,
    /// How long to wait until it has ended, in seconds.
    #[serde(default)]
    wait: f64,
    /// Wait until it has another version than this, instead.
    seen: Option<u64>,
}

pub(super) async fn run(buildly: &Buildly, look: Look) -> Result<RunShape, Failure> {
    let principal = look.caller.principal(buildly).await?;
    let run = RunId::from_uuid(look.run);
    let at_most = Duration::try_from_secs_f64(look.wait)
        .map_err(|_| Failure::field("wait", "expected a number of seconds, 0 or more"))?;
    // Far enough for any caller, and no overflow when it is added to the time.
    let at_most = at_most.min(Duration::from_secs(365 * 24 * 60 * 60));
    let workflow = buildly.workflow();
    Ok(match look.seen {
        _ if at_most.is_zero() => workflow.run(&principal, run).await?.into(),
        Some(seen) => workflow.changed(&principal, run, seen, at_most).await?.into(),
        None => workflow.wait(&principal, run, at_most).await?.into(),
    })
}

/// Which runs to list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichRuns {
    #[serde(default)]
    caller: Caller,
    template: Option<String>,
    status: Option<String>,
    is_ended: Option<bool>,
    business_key: Option<String>,
    after: Option<u64>,
    #[serde(default = "rows")]
    limit: u32,
}

/// A part of a list.
#[derive(Serialize)]
pub(super) struct Listed<T> {
    items: Vec<T>,
    next: Option<u64>,
}

pub(super) async fn runs(buildly: &Buildly, which: WhichRuns) -> Result<Listed<RunSummaryShape>, Failure> {
    let principal = which.caller.principal(buildly).await?;
    let status: Option<Status> = word("status", which.status.as_deref())?;
    let filter = RunFilter {
        template: which.template,
        status,
        is_ended: which.is_ended,
        business_key: which.business_key,
        parent: None,
    };
    let rows_max = which.limit.clamp(1, ROWS_MAX);
    let found = buildly.workflow().runs(&principal, &filter, which.after, rows_max).await?;
    Ok(Listed { items: found.rows.into_iter().map(Into::into).collect(), next: found.next })
}

fn word<T: std::str::FromStr<Err: ToString>>(field: &str, text: Option<&str>) -> Result<Option<T>, Failure> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|expected: T::Err| Failure::field(field, expected.to_string()))
}

/// Which events of a run to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryOf {
    #[serde(default)]
    caller: Caller,
    run: Uuid,
    #[serde(default)]
    after: u64,
    #[serde(default = "rows")]
    limit: u32,
}

pub(super) async fn run_history(buildly: &Buildly, of: HistoryOf) -> Result<Vec<RunEventShape>, Failure> {
    let principal = of.caller.principal(buildly).await?;
    let (run, rows_max) = (RunId::from_uuid(of.run), of.limit.clamp(1, ROWS_MAX));
    let events = buildly.workflow().history(&principal, run, of.after, rows_max).await?;
    Ok(events.into_iter().map(RunEventShape::from).collect())
}

/// How a run is steered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steer {
    #[serde(default)]
    caller: Caller,
    run: Uuid,
    control: Steering,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Steering {
    Cancel { reason: String },
    Pause {},
    Resume {},
    Retry { activation: Option<u64>, waive: bool },
    Skip { activation: Option<u64> },
    SetVariables { values: Map<String, Value> },
}

pub(super) async fn control_run(buildly: &Buildly, steer: Steer) -> Result<RunShape, Failure> {
    let principal = steer.caller.principal(buildly).await?;
    let run = RunId::from_uuid(steer.run);
    let control = match steer.control {
        Steering::Cancel { reason } => Control::Cancel { reason },
        Steering::Pause {} => Control::Pause,
        Steering::Resume {} => Control::Resume,
        Steering::Retry { activation, waive } => {
            Control::Retry { activation: stuck(buildly, &principal, run, activation).await?, waive }
        }
        Steering::Skip { activation } => {
            Control::Skip { activation: stuck(buildly, &principal, run, activation).await? }
        }
        Steering::SetVariables { values } => Control::SetVariables { values },
    };
    Ok(buildly.workflow().control(&principal, run, control).await?.into())
}

/// The entry into a level that was named, or the only one that needs attention.
async fn stuck(
    buildly: &Buildly,
    principal: &Principal,
    run: RunId,
    activation: Option<u64>,
) -> Result<ActivationId, Failure> {
    if let Some(activation) = activation {
        return Ok(ActivationId(activation));
    }
    let run = buildly.workflow().run(principal, run).await?;
    let mut stuck = run.state.activations.values().filter(|live| matches!(live.phase, Phase::Stuck { .. }));
    match (stuck.next(), stuck.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => Err(Failure::field("activation", "no level of this run needs attention")),
        (Some(_), Some(_)) => Err(Failure::field("activation", "several levels need attention: name one")),
    }
}

/// A signal to send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSignal {
    #[serde(default)]
    caller: Caller,
    run: Option<Uuid>,
    business_key: Option<String>,
    name: String,
    key: String,
    #[serde(default)]
    payload: Value,
}

pub(super) async fn send_signal(buildly: &Buildly, new: NewSignal) -> Result<Vec<Uuid>, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let to = match (new.run, new.business_key) {
        (Some(run), None) => SignalTo::Run(RunId::from_uuid(run)),
        (None, Some(key)) => SignalTo::BusinessKey(key),
        _ => return Err(Failure::field("run", "name either the run or a business key")),
    };
    let signal = Signal { name: new.name, key: new.key, payload: new.payload };
    let runs = buildly.workflow().signal(&principal, &to, signal).await?;
    Ok(runs.iter().map(RunId::as_uuid).collect())
}

/// An event to report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEvent {
    #[serde(default)]
    caller: Caller,
    event: String,
    key: String,
    #[serde(default)]
    payload: Value,
}

/// What came of an event.
#[derive(Serialize)]
pub(super) struct Came {
    runs: Vec<Uuid>,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    template: String,
    reason: String,
}

pub(super) async fn report_event(buildly: &Buildly, new: NewEvent) -> Result<Came, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let reported = Reported { event: new.event, key: new.key, payload: new.payload };
    let heard = buildly.workflow().report(&principal, reported).await?;
    let refused = heard.refused.into_iter();
    Ok(Came {
        runs: heard.runs.iter().map(RunId::as_uuid).collect(),
        refused: refused.map(|one| Refused { template: one.template, reason: one.reason }).collect(),
    })
}

/// Which tasks to list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichTasks {
    #[serde(default)]
    caller: Caller,
    run: Option<Uuid>,
    status: Option<String>,
    #[serde(default)]
    is_mine: bool,
    after: Option<u64>,
    #[serde(default = "rows")]
    limit: u32,
}

pub(super) async fn tasks(buildly: &Buildly, which: WhichTasks) -> Result<Listed<TaskShape>, Failure> {
    let principal = which.caller.principal(buildly).await?;
    let status: Option<TaskStatus> = word("status", which.status.as_deref())?;
    let filter = TaskFilter { run: which.run.map(RunId::from_uuid), status, doer: None };
    let rows_max = which.limit.clamp(1, ROWS_MAX);
    let found = buildly.workflow().tasks(&principal, &filter, which.is_mine, which.after, rows_max).await?;
    Ok(Listed { items: found.rows.into_iter().map(Into::into).collect(), next: found.next })
}

/// A task, by the run's id, a dot and a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneTask {
    #[serde(default)]
    caller: Caller,
    task: String,
}

impl OneTask {
    async fn read(&self, buildly: &Buildly) -> Result<(Principal, RunId, ActivationId), Failure> {
        let (run, activation) = task_of(&self.task)?;
        Ok((self.caller.principal(buildly).await?, run, activation))
    }
}

fn task_of(text: &str) -> Result<(RunId, ActivationId), Failure> {
    let parsed = text
        .split_once('.')
        .and_then(|(run, number)| Some((run.parse().ok()?, ActivationId(number.parse().ok()?))));
    parsed.ok_or_else(|| Failure::not_found(format!("there is no task `{text}`")))
}

pub(super) async fn task(buildly: &Buildly, one: OneTask) -> Result<TaskShape, Failure> {
    let (principal, run, activation) = one.read(buildly).await?;
    Ok(buildly.workflow().task(&principal, run, activation).await?.into())
}

pub(super) async fn claim_task(buildly: &Buildly, one: OneTask) -> Result<TaskShape, Failure> {
    let (principal, run, activation) = one.read(buildly).await?;
    buildly.workflow().claim_task(&principal, run, activation).await?;
    Ok(buildly.workflow().task(&principal, run, activation).await?.into())
}

/// What was filled in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilledIn {
    #[serde(default)]
    caller: Caller,
    task: String,
    #[serde(default)]
    data: Value,
}

pub(super) async fn complete_task(buildly: &Buildly, filled: FilledIn) -> Result<RunShape, Failure> {
    let principal = filled.caller.principal(buildly).await?;
    let (run, activation) = task_of(&filled.task)?;
    Ok(buildly.workflow().complete_task(&principal, run, activation, filled.data).await?.into())
}
