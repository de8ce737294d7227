//! Our server, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::load::{Ask, Client};
use crate::{Failure, settings};

const PASSWORD: &str = "correct horse battery staple 1";
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

/// A data folder and its server.
pub struct Ours {
    folder: PathBuf,
    schema: Option<String>,
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
        let folder = std::env::temp_dir().join(format!("buildly-bench-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder)?;
        let schema =
            (database == Database::Postgres).then(|| format!("bench_{}", uuid::Uuid::now_v7().simple()));
        create_root(&folder, schema.as_deref()).await?;
        let (child, url) = serve(&folder, schema.as_deref()).await?;
        let mut ours = Self { folder, schema, child, url, client: Client::default() };
        let sign_in = json!({"username": "root", "password": PASSWORD});
        let token = ours.post("/token/", &sign_in, StatusCode::OK).await?;
        let token = token.get("access").and_then(Value::as_str).unwrap_or_default();
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(Failure::http)?;
        value.set_sensitive(true);
        ours.client = ours.client.clone().with(header::AUTHORIZATION, value);
        let service = json!({
            "endpoint": format!("http://127.0.0.1:{stub_port}"), "endpoint_name": "stub", "name": "Stub",
            "docs_endpoint": "docs",
        });
        ours.post("/logicmodule/", &service, StatusCode::CREATED).await?;
        Ok(ours)
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
        (self.child, self.url) = serve(&self.folder, self.schema.as_deref()).await?;
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

fn command(folder: &Path, schema: Option<&str>, arguments: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(AS_BUILDLY, "1").env("BUILDLY_TOKENS_ALGORITHM", "ES256");
    command.current_dir(folder).args(arguments).arg("--data-dir").arg(folder.join("data"));
    if let Some(schema) = schema {
        command.env("BUILDLY_DATABASE_URL", settings::postgres_url());
        command.env("BUILDLY_DATABASE_SCHEMA", schema);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

async fn create_root(folder: &Path, schema: Option<&str>) -> Result<(), Failure> {
    let person = ["--username", "root", "--email", "root@example.org", "--organization", "Acme"];
    let arguments = [&["admin", "create", "--password-stdin"][..], &person].concat();
    let mut child = command(folder, schema, &arguments)?.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(PASSWORD.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err(Failure::Wrong { expected: "a superuser", got: output.status.to_string() });
    }
    Ok(())
}

async fn serve(folder: &Path, schema: Option<&str>) -> Result<(Child, String), Failure> {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-level", "error"];
    let mut child = command(folder, schema, &arguments)?.spawn()?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line).await?;
    }
    let url = line.trim().strip_prefix("listening on ");
    let url = url.ok_or_else(|| Failure::Wrong { expected: "an address", got: line.clone() })?;
    Ok((child, url.to_owned()))
}
