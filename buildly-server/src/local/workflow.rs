//! Tasks about workflows, in the name of a user and with that user's rights.

use std::collections::BTreeMap;
use std::time::Duration;

use buildly_core::workflow::{
    ActivationId, Control, LevelId, Phase, Run, RunEvent, RunFilter, Signal, SignalTo, StartRun, Status,
};
use buildly_core::{Buildly, auth};
use buildly_model::{Principal, RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Problem;
use crate::workflow::{RunBody, RunEventBody, RunSummaryBody, TemplateBody, all_events, template_of, tree};

/// The longest that an answer waits for a run to move; a server that stops waits for it.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// What a command asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Save a template and publish it.
    Publish {
        /// The template.
        template: Value,
    },
    /// Start a run.
    Start {
        /// The template's name.
        template: String,
        /// The version; the newest that is published if none is named.
        version: Option<u32>,
        /// What it is given.
        input: Value,
        /// Two starts with the same key are one.
        key: Option<String>,
        /// What people call it by.
        business_key: Option<String>,
    },
    /// The newest runs.
    List {
        /// Only runs of this template.
        template: Option<String>,
        /// Only runs that stand so.
        status: Option<Status>,
        /// How many.
        limit: u32,
    },
    /// A run and its tree.
    Show {
        /// Which.
        run: RunId,
        /// The version that is known: the answer waits for another.
        seen: Option<u64>,
        /// For so long, at most 2 s.
        wait_ms: u64,
    },
    /// What happened in a run.
    History {
        /// Which.
        run: RunId,
    },
    /// Send a signal.
    Signal {
        /// Its name.
        name: String,
        /// The run that it is for.
        run: Option<RunId>,
        /// Or the business key of the runs that it is for.
        business_key: Option<String>,
        /// Two signals of a run with the same key are one.
        key: Option<String>,
        /// What it carries.
        payload: Value,
    },
    /// Do a level anew that needs attention.
    Retry {
        /// Of which run.
        run: RunId,
        /// The level's name, or the number of one entry into it.
        level: String,
        /// That nobody knows what the last attempt did is accepted.
        waive: bool,
    },
}

/// Does it.
///
/// # Errors
/// [`Problem`] says why it was not done.
pub(super) async fn perform(buildly: &Buildly, acting_as: Option<&str>, ask: Ask) -> Result<Value, Problem> {
    let principal = principal(buildly, acting_as).await?;
    let workflow = buildly.workflow();
    match ask {
        Ask::Publish { template } => {
            let draft = workflow.save_draft(&principal, &template_of(&template)?).await?;
            let published = workflow.publish(&principal, &draft.name, Some(draft.version)).await?;
            Ok(json!(TemplateBody::summary(published)))
        }
        Ask::Start { template, version, input, key, business_key } => {
            let start = StartRun { template, version, input, business_key, idempotency_key: key };
            Ok(json!(RunBody::from(workflow.start(&principal, start).await?)))
        }
        Ask::List { template, status, limit } => {
            let filter = RunFilter { template, status, ..RunFilter::default() };
            let found = workflow.runs(&principal, &filter, None, limit).await?;
            let are_more = found.next.is_some();
            let runs: Vec<RunSummaryBody> = found.rows.into_iter().map(Into::into).collect();
            Ok(json!({"runs": runs, "are_more": are_more}))
        }
        Ask::Show { run, seen, wait_ms } => {
            let wait = Duration::from_millis(wait_ms).min(WAIT_MAX);
            let run = match seen {
                Some(seen) => workflow.changed(&principal, run, seen, wait).await?,
                None => workflow.run(&principal, run).await?,
            };
            let tree = tree(buildly, &principal, &run).await?;
            Ok(json!({"run": RunBody::from(run), "tree": tree}))
        }
        Ask::History { run } => {
            let run = workflow.run(&principal, run).await?;
            let events = all_events(buildly, &principal, run.summary.id).await?;
            Ok(json!({"events": named(events, &run)}))
        }
        Ask::Signal { name, run, business_key, key, payload } => {
            let to = match (run, business_key) {
                (Some(run), None) => SignalTo::Run(run),
                (None, Some(key)) => SignalTo::BusinessKey(key),
                _ => return Err(Problem::field("run", "Expected either a run or a business key.")),
            };
            let key = key.unwrap_or_else(|| Uuid::now_v7().to_string());
            let runs = workflow.signal(&principal, &to, Signal { name, key, payload }).await?;
            Ok(json!({"runs": runs}))
        }
        Ask::Retry { run, level, waive } => {
            let found = workflow.run(&principal, run).await?;
            let activation = stuck(&found, &level)?;
            let run = workflow.control(&principal, run, Control::Retry { activation, waive }).await?;
            Ok(json!(RunBody::from(run)))
        }
    }
}

async fn principal(buildly: &Buildly, acting_as: Option<&str>) -> Result<Principal, Problem> {
    let Some(username) = acting_as else { return Ok(buildly.auth().operator().await?) };
    buildly.auth().acting_as(username).await.map_err(|error| match error {
        auth::Error::NotFound { .. } => Problem::not_found(format!("There is no user `{username}`.")),
        other => other.into(),
    })
}

/// Events with the names of the levels that they are about.
fn named(events: Vec<RunEvent>, run: &Run) -> Vec<Value> {
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let of_event = |event: RunEvent| {
        let mut body = json!(RunEventBody::from(event));
        let facts = body.get("event").and_then(Value::as_object).and_then(|event| event.values().next());
        let number = |field: &str| facts.and_then(|facts| facts.get(field)).and_then(Value::as_u64);
        let (activation, level) = (number("activation"), number("level"));
        let level = level.and_then(|level| run.template.node(LevelId(u16::try_from(level).ok()?)));
        let name = match (activation, level) {
            (Some(activation), Some(level)) => {
                names.insert(activation, level.name.clone());
                Some(level.name.clone())
            }
            (_, Some(level)) => Some(level.name.clone()),
            (Some(activation), None) => names.get(&activation).cloned(),
            (None, None) => None,
        };
        if let (Some(name), Value::Object(fields)) = (name, &mut body) {
            fields.insert("level".to_owned(), Value::String(name));
        }
        body
    };
    events.into_iter().map(of_event).collect()
}

/// The entry into a level that needs attention, by the level's name or by its own number.
fn stuck(run: &Run, named: &str) -> Result<ActivationId, Problem> {
    let name_of = |level| run.template.node(level).map_or("?", |node| node.name.as_str());
    let waiting: Vec<(ActivationId, &str)> = run
        .state
        .activations
        .values()
        .filter(|live| matches!(live.phase, Phase::Stuck { .. }))
        .map(|live| (live.id, name_of(live.level)))
        .collect();
    let is_meant = |(id, name): &(ActivationId, &str)| *name == named || id.to_string() == named;
    let meant: Vec<ActivationId> = waiting.iter().filter(|one| is_meant(one)).map(|(id, _)| *id).collect();
    match meant.as_slice() {
        [only] => Ok(*only),
        [_, ..] => Err(Problem::conflict(format!(
            "Level `{named}` needs attention {} times: name one of them by its number, {}.",
            meant.len(),
            meant.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ))),
        [] if run.template.find(named).is_none() && named.parse::<u64>().is_err() => {
            let (template, version) = (&run.summary.template, run.summary.template_version);
            Err(Problem::not_found(format!(
                "There is no level `{named}` in version {version} of `{template}`; \
                 `buildly workflow show {}` shows its levels.",
                run.summary.id
            )))
        }
        [] => {
            let others: Vec<String> = waiting.iter().map(|(_, name)| format!("`{name}`")).collect();
            let others = if others.is_empty() {
                "no level of this run does".to_owned()
            } else {
                format!("these do: {}", others.join(", "))
            };
            Err(Problem::conflict(format!("Level `{named}` does not need attention; {others}.")))
        }
    }
}
