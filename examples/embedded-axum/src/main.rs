//! Buildly in a program's own axum router: routes of the program beside services behind the
//! gateway, one port, one process, one SQLite file.
//!
//! ```sh
//! cargo run -p example-embedded-axum -- ./shop-data 127.0.0.1:8080
//! curl -s http://127.0.0.1:8080/
//! TOKEN=$(curl -s http://127.0.0.1:8080/sign-in -d username=ada -d password=Correct-horse-9-battery)
//! curl -s -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/stock/items/
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

mod signed_in;
mod stock;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body as AxumBody;
use axum::extract::{ConnectInfo, Form, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use buildly_core::auth::Resource;
use buildly_core::auth::identity::NewSuperuser;
use buildly_core::gateway::Registration;
use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_core::model::{Action, Body, ErrorKind, Secret};
use buildly_core::{Buildly, auth};
use serde::Deserialize;
use serde_json::{Value, json};
use signed_in::SignedIn;
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "./shop-data".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let buildly = Buildly::open(&folder).await?;
    buildly.attach_service("stock.localhost", Arc::new(stock::answer));
    prepare(&buildly).await?;
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let service = router(buildly.clone()).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(told_to_end()).await?;
    buildly.close().await;
    Ok(())
}

/// The program's own routes; whatever else is asked for is behind Buildly's gateway.
fn router(buildly: Buildly) -> Router {
    Router::new()
        .route("/", get(async || "A shop, with Buildly inside.\n"))
        .route("/sign-in", post(sign_in))
        .route("/me", get(me))
        .fallback(gateway)
        .with_state(buildly)
}

/// Passes a request on to the services, under the rights of whoever asks; both bodies stream.
async fn gateway(
    State(buildly): State<Buildly>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let mut request = request.map(Body::stream);
    // For limits by address, and for what services are told of the client.
    request.extensions_mut().insert(Peer { address, is_secure: false });
    buildly.handle(request).await.map(AxumBody::new)
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

/// A route of the program: a password for an access token.
async fn sign_in(State(buildly): State<Buildly>, Form(credentials): Form<Credentials>) -> Response {
    let password = Secret::new(credentials.password);
    match buildly.auth().open_session(&credentials.username, &password, None).await {
        Ok(issued) => issued.access_token.expose().to_owned().into_response(),
        Err(error) => problem(&error),
    }
}

/// A route of the program for whoever is signed in: what they may do to the stock, and why.
async fn me(State(buildly): State<Buildly>, SignedIn(principal): SignedIn) -> Json<Value> {
    let snapshot = buildly.snapshot();
    let Some(stock) = snapshot.gateway.find_by_name("stock") else { return Json(Value::Null) };
    let decision = snapshot.auth.check(&principal, Action::Delete, Resource::Service(stock.service.id));
    Json(json!({
        "i_am": principal.identity.to_string(),
        "may_delete_stock": decision.is_allowed(),
        "because": decision.reason().to_string(),
    }))
}

/// An error of an area as an answer: its kind says the status, its sentence what to do.
fn problem(error: &auth::Error) -> Response {
    let status = match error.kind() {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Limited => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({"detail": error.to_string()}))).into_response()
}

/// The first start makes an administrator and registers the service; later ones find both.
async fn prepare(buildly: &Buildly) -> Result<(), Failure> {
    if buildly.snapshot().gateway.find_by_name("stock").is_some() {
        return Ok(());
    }
    let ada = NewSuperuser {
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        password: Secret::new("Correct-horse-9-battery"),
        organization_name: "Shop".to_owned(),
    };
    buildly.auth().create_superuser(&ada).await?;
    let operator = buildly.auth().operator().await?;
    let stock = Registration {
        name: Some("stock".to_owned()),
        endpoint: Some("http://stock.localhost".to_owned()),
        ..Registration::default()
    };
    buildly.gateway().register(&operator, stock).await?;
    Ok(())
}

/// Ends once the process is told to, by Ctrl-C or `SIGTERM`.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _told_or_never = tokio::signal::ctrl_c().await;
}
