//! A program that keeps the CRM's contacts like those of an address book elsewhere.
//!
//! ```sh
//! export ADMIN_PASSWORD=…
//! cargo run -p example-contact-import -- ./book-data 127.0.0.1:8080 https://book.example.org/all.vcf
//! ```
//!
//! `EVERY=600` imports every ten minutes instead of every hour; `REACH_PRIVATE=true` is for an
//! address book on this machine or in a private network.
#![expect(clippy::print_stdout, reason = "it says where it listens and what it starts")]

mod address_book;
mod cards;
mod crm;
mod schedule;

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use address_book::AddressBook;
use axum::Router;
use axum::body::Body as AxumBody;
use axum::extract::{ConnectInfo, Form, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use buildly_core::auth::identity::NewSuperuser;
use buildly_core::auth::token::NewServiceAccount;
use buildly_core::gateway::Registration;
use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_core::gateway_http::Outbound;
use buildly_core::model::{Body, Principal, Secret};
use buildly_core::workflow::template::Template;
use buildly_core::workflow::{End, Run};
use buildly_core::{Buildly, gateway};
use schedule::Schedule;
use serde::Deserialize;
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

/// What is done at each import.
const TEMPLATE: &str = include_str!("import_contacts.json");
/// As whom it writes.
const ACCOUNT: &str = "importer";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "./book-data".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let feed = arguments.next().ok_or("name the address of the feed")?;
    let every = env::var("EVERY").map_or(Ok(3600), |seconds| seconds.parse())?;
    let network = Outbound::new(env::var("REACH_PRIVATE").is_ok_and(|value| value == "true"))?;
    let book = AddressBook { address: feed.parse()?, network };
    let buildly = Buildly::builder().folder(&folder).partner(book).build().await?;
    let crm = crm::attach(&buildly, Path::new(&folder)).await?;
    prepare(&buildly).await?;
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let router = Router::new().route("/sign-in", post(sign_in)).fallback(pass).with_state(buildly.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let schedule = Schedule { template: "import_contacts", every: Duration::from_secs(every) };
    let operator = buildly.auth().operator().await?;
    let importing = schedule.keep(&buildly, &operator, |imported| match imported {
        Ok(run) => println!("import {}: {}", run.summary.status, outcome(&run)),
        Err(error) => println!("no import: {error}"),
    });
    tokio::select! {
        served = axum::serve(listener, service).with_graceful_shutdown(told_to_end()) => served?,
        () = importing => {}
    }
    buildly.close().await;
    crm.close().await;
    Ok(())
}

/// What a run has come to, in one line.
fn outcome(run: &Run) -> String {
    match &run.state.end {
        Some(End::Completed { result }) => result.to_string(),
        Some(End::Failed { fault }) => fault.message.clone(),
        Some(End::Cancelled { reason }) => reason.clone(),
        None => "it goes on".to_owned(),
    }
}

/// The first start makes an administrator, the account that writes, and two services; a template
/// that has changed is published anew.
async fn prepare(buildly: &Buildly) -> Result<(), Failure> {
    if buildly.auth().operator().await.is_err() {
        let admin = NewSuperuser {
            username: "admin".to_owned(),
            email: "admin@example.org".to_owned(),
            password: Secret::new(env::var("ADMIN_PASSWORD").map_err(|_| "ADMIN_PASSWORD is not set")?),
            organization_name: "Acme".to_owned(),
        };
        buildly.auth().create_superuser(&admin).await?;
    }
    let operator = buildly.auth().operator().await?;
    let accounts = buildly.auth().service_accounts(&operator).await?;
    if !accounts.iter().any(|account| account.name == ACCOUNT) {
        let account = NewServiceAccount { name: ACCOUNT.to_owned(), ..NewServiceAccount::default() };
        buildly.auth().create_service_account(&operator, account).await?;
    }
    register(buildly, &operator, "crm", "http://crm.localhost").await?;
    register(buildly, &operator, "cards", "http://cards.partner.localhost").await?;
    publish(buildly, &operator).await
}

async fn register(
    buildly: &Buildly,
    operator: &Principal,
    name: &str,
    endpoint: &str,
) -> Result<(), gateway::Error> {
    if buildly.snapshot().gateway.find_by_name(name).is_none() {
        let (name, endpoint) = (Some(name.to_owned()), Some(endpoint.to_owned()));
        let registration = Registration { name, endpoint, ..Registration::default() };
        buildly.gateway().register(operator, registration).await?;
    }
    Ok(())
}

async fn publish(buildly: &Buildly, operator: &Principal) -> Result<(), Failure> {
    let template = Template::from_json(TEMPLATE.as_bytes())?;
    let workflow = buildly.workflow();
    let is_there = match workflow.template(operator, &template.name, None).await {
        Ok(stored) => stored.hash == template.hash(),
        Err(_) => false,
    };
    if !is_there {
        workflow.save_draft(operator, &template).await?;
        workflow.publish(operator, &template.name, None).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

/// A password for an access token.
async fn sign_in(State(buildly): State<Buildly>, Form(credentials): Form<Credentials>) -> Response {
    let password = Secret::new(credentials.password);
    match buildly.auth().open_session(&credentials.username, &password, None).await {
        Ok(issued) => issued.access_token.expose().to_owned().into_response(),
        Err(error) => (StatusCode::UNAUTHORIZED, error.to_string()).into_response(),
    }
}

/// Whatever else is asked for is behind Buildly's gateway.
async fn pass(
    State(buildly): State<Buildly>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let mut request = request.map(Body::stream);
    request.extensions_mut().insert(Peer { address, is_secure: false });
    buildly.handle(request).await.map(AxumBody::new)
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
