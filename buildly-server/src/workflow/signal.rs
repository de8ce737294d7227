//! `/workflow/signals/`: news for runs.

use buildly_core::Buildly;
use buildly_core::workflow::{Signal, SignalTo};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::run::run_id;
use crate::route::post;
use crate::{Problem, Request, Response, Routes};

/// A signal to send, to one run or to those of a business key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkflowSignal)]
struct NewSignal {
    /// The run that it is for.
    run: Option<Uuid>,
    /// Or the business key of the runs that it is for.
    business_key: Option<String>,
    /// Its name.
    name: String,
    /// Two signals of a run with the same key are one; a new key is made if it is left out.
    key: Option<String>,
    /// What it carries.
    #[serde(default)]
    #[schema(value_type = Object)]
    payload: Value,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(
        post("/workflow/signals/", send)
            .summary("Sends a signal")
            .description(
                "It is kept when this answers, whether somebody waits for it yet or not: `runs` are those \
                 that it is kept for.",
            )
            .takes::<NewSignal>()
            .answers_object(202),
    )
}

/// `POST /workflow/signals/`
async fn send(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let new: NewSignal = request.json().await?;
    let to = match (new.run, new.business_key) {
        (Some(run), None) => SignalTo::Run(run_id(run)),
        (None, Some(key)) => SignalTo::BusinessKey(key),
        _ => return Err(Problem::field("run", "Expected either `run` or `business_key`.")),
    };
    let key = new.key.unwrap_or_else(|| Uuid::now_v7().to_string());
    let signal = Signal { name: new.name, key, payload: new.payload };
    let runs = buildly.workflow().signal(&principal, &to, signal).await?;
    Ok(Response::json(StatusCode::ACCEPTED, &json!({"runs": runs})))
}
