//! Our server, as a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use buildly_auth::identity::PasswordHash;
use buildly_auth::token;
use buildly_model::ServiceId;
use buildly_storage_sqlite::Sqlite;
use buildly_unit::Committer;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::load::{Ask, Client};
use crate::seed::Shape;
use crate::{Failure, cores, seed, settings};

/// What everybody signs in with.
pub const PASSWORD: &str = "correct horse battery staple 1";
/// Set in the child that is to be `buildly`.
const AS_BUILDLY: &str = "BENCH_AS_BUILDLY";

/// If this process is to be the server, it is: benches call this first.
#[must_use]
pub fn become_buildly() -> Option<ExitCode> {
    std::env::var_os(AS_BUILDLY).map(|_| buildly_server::command::run())
}

/// Which database is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in the data folder; `synchronous=FULL`.
    Sqlite,
    /// A schema of the machine's server.
    Postgres,
}

/// What a deployment begins with.
pub struct Beginning {
    /// Where it keeps its data.
    pub database: Database,
    /// People to be there already (on SQLite only), the hash of the password of all, and what of
    /// tokens is there.
    pub people: Option<(Shape, PasswordHash, Vec<token::Change>)>,
    /// Whether it has the core of what is measured, and no other.
    pub has_one_core: bool,
}

/// A data folder and its server.
pub struct Ours {
    folder: PathBuf,
    schema: Option<String>,
    has_one_core: bool,
    child: Child,
    /// Where it listens.
    pub url: String,
    /// Signed in as a superuser.
    pub client: Client,
}

impl Ours {
    /// Starts one on new data, with a superuser, and the stub as its service `stub`.
    ///
    /// # Errors
    /// If it does not start, or an answer is not as it should be.
    pub async fn start(database: Database, stub_port: u16) -> Result<Self, Failure> {
        let ours = Self::begin(Beginning { database, people: None, has_one_core: false }).await?;
        ours.register("stub", stub_port, "docs").await?;
        Ok(ours)
    }

    /// Starts one, with a superuser who is signed in.
    ///
    /// # Errors
    /// If it does not start, or an answer is not as it should be.
    pub async fn begin(beginning: Beginning) -> Result<Self, Failure> {
        let Beginning { database, people, has_one_core } = beginning;
        let folder = std::env::temp_dir().join(format!("buildly-bench-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder)?;
        let schema =
            (database == Database::Postgres).then(|| format!("bench_{}", uuid::Uuid::now_v7().simple()));
        if let Some((shape, password, tokens)) = people {
            let (storage, committer) = open(&folder).await?;
            seed::people(&committer, shape, &password).await?;
            seed::deployment(&committer, tokens).await?;
            storage.close().await;
        }
        create_root(&folder, schema.as_deref()).await?;
        let (child, url) = serve(&folder, schema.as_deref(), has_one_core).await?;
        let mut ours = Self { folder, schema, has_one_core, child, url, client: Client::default() };
        let token = ours.sign_in("root").await?;
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(Failure::http)?;
        value.set_sensitive(true);
        ours.client = ours.client.clone().with(header::AUTHORIZATION, value);
        Ok(ours)
    }

    /// Starts one on the data that `buildly demo` leaves; and how long it took until it answered.
    ///
    /// # Errors
    /// If the demo fails, or it does not start.
    pub async fn with_demo_data() -> Result<(Self, Duration), Failure> {
        let folder = std::env::temp_dir().join(format!("buildly-bench-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder)?;
        let program = cores::on_all(std::env::current_exe()?);
        let arguments = ["demo", "--once", "--quiet", "--listen", "127.0.0.1:0"];
        let told = command(program, &folder, None, &arguments).output().await?;
        if !told.status.success() {
            let got = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
            return Err(Failure::Wrong { expected: "the demo's data", got });
        }
        let began = Instant::now();
        let (child, url) = serve(&folder, None, true).await?;
        let client = Client::default();
        let ours = Self { folder, schema: None, has_one_core: true, child, url, client };
        let (status, _) =
            ours.client.send(Method::GET, &format!("{}/readyz/", ours.url), Bytes::new()).await?;
        if status != StatusCode::OK {
            return Err(Failure::Wrong { expected: "200 OK", got: status.to_string() });
        }
        Ok((ours, began.elapsed()))
    }

    /// Signs somebody in; the access token.
    ///
    /// # Errors
    /// If the answer is not as it should be.
    pub async fn sign_in(&self, username: &str) -> Result<String, Failure> {
        let sign_in = json!({"username": username, "password": PASSWORD});
        let token = self.post("/token/", &sign_in, StatusCode::OK).await?;
        Ok(token.get("access").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Puts a service behind the gateway.
    ///
    /// # Errors
    /// If the answer is not as it should be.
    pub async fn register(&self, name: &str, port: u16, docs: &str) -> Result<ServiceId, Failure> {
        let service = json!({
            "endpoint": format!("http://127.0.0.1:{port}"), "endpoint_name": name, "name": name,
            "docs_endpoint": docs,
        });
        let made = self.post("/logicmodule/", &service, StatusCode::CREATED).await?;
        let id = made.get("module_uuid").and_then(Value::as_str).unwrap_or_default();
        id.parse().map_err(|_| Failure::Wrong { expected: "a service", got: made.to_string() })
    }

    /// Sends JSON by `PUT`.
    ///
    /// # Errors
    /// If the answer is not as it should be.
    pub async fn put(&self, path: &str, body: &Value) -> Result<(), Failure> {
        let (url, body) = (format!("{}{path}", self.url), Bytes::from(body.to_string()));
        let (status, body) = self.client.send(Method::PUT, &url, body).await?;
        if status == StatusCode::OK {
            return Ok(());
        }
        let got = format!("{status} for {path}: {}", String::from_utf8_lossy(&body));
        Err(Failure::Wrong { expected: "200 OK", got })
    }

    /// Runs a service that comes with Buildly, puts it behind the gateway, and gives its process,
    /// which ends when dropped.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn run_service(&self, name: &str) -> Result<Child, Failure> {
        let keys = format!("{}/.well-known/jwks.json", self.url);
        let arguments = ["service", "run", name, "--jwks", &keys];
        let program = Command::new(std::env::current_exe()?);
        let (child, url) =
            listening(command(program, &self.folder, self.schema.as_deref(), &arguments)).await?;
        let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.ok_or_else(|| Failure::Wrong { expected: "a port", got: url.clone() })?;
        self.register(name, port, "docs").await?;
        Ok(child)
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If it said no address.
    pub fn address(&self) -> Result<SocketAddr, Failure> {
        let address = self.url.strip_prefix("http://").unwrap_or_default();
        address.parse().map_err(|_| Failure::Wrong { expected: "an address", got: self.url.clone() })
    }

    /// Stops it, attaches roles of the seed to a service, and starts it again.
    ///
    /// # Errors
    /// If the storage refuses, or it does not start again.
    pub async fn attach(&mut self, service: ServiceId, roles: &[u32]) -> Result<(), Failure> {
        self.child.kill().await?;
        let (storage, committer) = open(&self.folder).await?;
        seed::attach(&committer, service, roles).await?;
        storage.close().await;
        (self.child, self.url) = serve(&self.folder, self.schema.as_deref(), self.has_one_core).await?;
        Ok(())
    }

    /// Sends JSON; the answer's, whose status must be as given.
    ///
    /// # Errors
    /// If there is no answer, or another.
    pub async fn post(&self, path: &str, body: &Value, expected: StatusCode) -> Result<Value, Failure> {
        let (url, body) = (format!("{}{path}", self.url), Bytes::from(body.to_string()));
        let (status, body) = self.client.send(Method::POST, &url, body).await?;
        if status != expected {
            let got = format!("{status} for {path}: {}", String::from_utf8_lossy(&body));
            return Err(Failure::Wrong { expected: "another status", got });
        }
        serde_json::from_slice(&body).map_err(Failure::http)
    }

    /// Publishes a template.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn publish(&self, template: &Value) -> Result<(), Failure> {
        self.post("/workflow/templates/?publish=true", template, StatusCode::CREATED).await.map(drop)
    }

    /// Kills it and starts it again; how long it took until it answered.
    ///
    /// # Errors
    /// If it does not start again.
    pub async fn kill_and_start(&mut self) -> Result<Duration, Failure> {
        self.child.kill().await?;
        let began = Instant::now();
        (self.child, self.url) = serve(&self.folder, self.schema.as_deref(), self.has_one_core).await?;
        let (status, _) = self
            .client
            .send(Method::GET, &format!("{}/workflow/runs/?limit=1", self.url), Bytes::new())
            .await?;
        if status != StatusCode::OK {
            return Err(Failure::Wrong { expected: "200 OK", got: status.to_string() });
        }
        Ok(began.elapsed())
    }

    /// Stops it and takes its data away.
    ///
    /// # Errors
    /// If something of it cannot be removed.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.child.kill().await?;
        std::fs::remove_dir_all(&self.folder)?;
        if let Some(schema) = &self.schema {
            let pool = sqlx::PgPool::connect(&settings::postgres_url()).await.map_err(Failure::http)?;
            let drop = format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE");
            sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&pool).await.map_err(Failure::http)?;
        }
        Ok(())
    }
}

/// Three steps, each a call of the stub.
#[must_use]
pub fn three_steps() -> Value {
    let level = |name| json!({"name": name, "do": {"call": {"operation": "stub.work", "body": "{}"}}});
    json!({"name": "three", "levels": [level("reserve"), level("charge"), level("notify")]})
}

/// Starts a run and waits until it has completed.
pub struct CompleteRun {
    url: String,
    body: Bytes,
}

impl CompleteRun {
    /// Of the template of this name.
    #[must_use]
    pub fn of(ours: &Ours, template: &str) -> Self {
        let body = Bytes::from(json!({"template": template, "input": {}}).to_string());
        Self { url: format!("{}/workflow/runs/?wait=30", ours.url), body }
    }
}

impl Ask for CompleteRun {
    fn request(&self, _: u64) -> (String, Bytes) {
        (self.url.clone(), self.body.clone())
    }

    fn is_right(&self, status: StatusCode, body: &[u8]) -> bool {
        let run: Value = serde_json::from_slice(body).unwrap_or_default();
        status == StatusCode::CREATED && run.get("status").is_some_and(|status| status == "completed")
    }
}

async fn open(folder: &Path) -> Result<(Sqlite, Arc<dyn Committer>), Failure> {
    let storage = Sqlite::open(folder.join("data")).await.map_err(Failure::http)?;
    Ok((storage.clone(), Arc::new(storage)))
}

fn command(mut command: Command, folder: &Path, schema: Option<&str>, arguments: &[&str]) -> Command {
    command.env(AS_BUILDLY, "1").env("BUILDLY_TOKENS_ALGORITHM", "ES256");
    command.current_dir(folder).args(arguments).arg("--data-dir").arg(folder.join("data"));
    if let Some(schema) = schema {
        command.env("BUILDLY_DATABASE_URL", settings::postgres_url());
        command.env("BUILDLY_DATABASE_SCHEMA", schema);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}

async fn create_root(folder: &Path, schema: Option<&str>) -> Result<(), Failure> {
    let person = ["--username", "root", "--email", "root@example.org", "--organization", "Acme"];
    let arguments = [&["admin", "create", "--password-stdin"][..], &person].concat();
    let program = Command::new(std::env::current_exe()?);
    let mut child = command(program, folder, schema, &arguments).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(PASSWORD.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err(Failure::Wrong { expected: "a superuser", got: output.status.to_string() });
    }
    Ok(())
}

async fn serve(folder: &Path, schema: Option<&str>, has_one_core: bool) -> Result<(Child, String), Failure> {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-level", "error"];
    let program = std::env::current_exe()?;
    let program = if has_one_core { cores::on_the_measured(program) } else { Command::new(program) };
    listening(command(program, folder, schema, &arguments)).await
}

/// Starts it; it, and where it listens.
async fn listening(mut command: Command) -> Result<(Child, String), Failure> {
    let mut child = command.spawn()?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line).await?;
    }
    let url = line.trim().strip_prefix("listening on ");
    let url = url.ok_or_else(|| Failure::Wrong { expected: "an address", got: line.clone() })?;
    Ok((child, url.to_owned()))
}
