//! Tokens of applications on one core, beside npm's oidc-provider: ours are remembered durably and
//! written to the journal, its are kept in memory.

use std::process::ExitCode;

use benches::ours::{Beginning, Database, Ours};
use benches::peers::Oidc;
use benches::report::{Figure, Report};
use benches::wire::{self, Questions, Right, Until};
use benches::{Failure, disk, settings, start};
use http::StatusCode;
use serde_json::{Value, json};

/// Callers at a time.
const AT_ONCE: usize = 16;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    start::run_beside_one_core(bench())
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    report.alone("fdatasync of 4 KiB on this disk", &disk::sync_latency(&std::env::temp_dir())?.to_string());
    let ours =
        Ours::begin(Beginning { database: Database::Sqlite, people: None, has_one_core: true }).await?;
    let client = application(&ours).await?;
    let token_request = wire::post_form("/oauth/token/", Some(&client), "grant_type=client_credentials");
    let introspection_request = {
        let (_, body) = wire::ask(ours.address()?, &token_request).await?;
        let answer: Value = serde_json::from_slice(&body).map_err(Failure::http)?;
        let token = answer.get("access_token").and_then(Value::as_str).unwrap_or_default();
        wire::post_form("/oauth/introspect/", Some(&client), &format!("token={token}"))
    };
    let questions = |request, answer| {
        Ok::<_, Failure>(Questions {
            address: ours.address()?,
            requests: vec![request],
            answer,
            process: ours.process(),
        })
    };
    let ours_issued = taken(questions(token_request, ISSUED)?).await?;
    let ours_introspected = taken(questions(introspection_request, ACTIVE)?).await?;
    for (name, figure) in [(ISSUE, &ours_issued), (INTROSPECT, &ours_introspected)] {
        report.alone(name, &figure.to_string());
    }
    if settings::wants("oidc-provider") {
        // It does not introspect its own JWTs, so there it has opaque tokens.
        for is_jwt in [true, false] {
            let oidc = match Oidc::start(is_jwt).await {
                Ok(oidc) => oidc,
                Err(error) => {
                    report.left_out(Oidc::VERSION, &error);
                    continue;
                }
            };
            let (name, ours, request, answer) = if is_jwt {
                (ISSUE, &ours_issued, Oidc::token_request(), ISSUED)
            } else {
                (INTROSPECT, &ours_introspected, oidc.introspection_request().await?, ACTIVE)
            };
            let questions =
                Questions { address: oidc.address, requests: vec![request], answer, process: oidc.process() };
            report.beside(name, ours, Oidc::VERSION, &taken(questions).await?);
        }
    }
    ours.stop().await?;
    report.end();
    Ok(())
}

const ISSUE: &str = "access tokens (JWT, ES256) by client credentials, 16 at once";
const INTROSPECT: &str = "introspections (ours: of a JWT; theirs: of an opaque token), 16 at once";
const ISSUED: Right = Right::Holds("\"access_token\":");
const ACTIVE: Right = Right::Holds("\"active\":true");

async fn taken(questions: Questions) -> Result<Figure, Failure> {
    let figure = wire::measure(questions, AT_ONCE, Until::Time(settings::seconds_each())).await?;
    if figure.bad > 0 || figure.rate == 0.0 {
        return Err(Failure::Wrong { expected: "right answers only", got: figure.to_string() });
    }
    Ok(figure)
}

/// Registers an application that acts for itself; the value of its `Authorization`.
async fn application(ours: &Ours) -> Result<String, Failure> {
    ours.put("/gateway/rate-limits/", &json!({"principal": null})).await?;
    let application = json!({
        "name": "bench", "client_type": "confidential", "authorization_grant_type": "client-credentials",
    });
    let made = ours.post("/oauth/applications/", &application, StatusCode::CREATED).await?;
    let text = |field: &str| made.get(field).and_then(Value::as_str).unwrap_or_default();
    Ok(wire::basic(&format!("{}:{}", text("client_id"), text("client_secret"))))
}
