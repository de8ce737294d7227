//! A third run, in a process of its own that is killed in the middle of it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::client::{Client, Question};
use super::onboarding::{Customer, Made, approve, calendar, expect_status, open_task};
use super::story::{ADMIN, Failure, MANAGER, PASSWORD, POST, Story, ask, rows, text};
use crate::configuration::Configuration;

/// The folder of that process below the demo's, and the end of its schemas' names.
pub(super) const NODE: &str = "node";
/// How long it may take to start.
const START_PATIENCE: Duration = Duration::from_secs(60);

impl Story<'_> {
    pub(super) async fn killed(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut node = Node::start(&self.stage.configuration).await?;
        let (admin, manager) = (node.sign_in(ADMIN).await?, node.sign_in(MANAGER).await?);
        let calendar = calendar(&node.client, &admin).await?;
        let customer = Customer::new("Kim Survivor", "kim");
        let start = customer.start(&calendar);
        let run =
            ask(&node.client, Question::json(POST, "/workflow/runs/", Some(&admin), &start), &[201]).await?;
        let run = text(&run, "id")?;
        let task = open_task(&node.client, &manager, &run).await?;
        let seen = approve(&node.client, &manager, &task).await?;
        node.kill().await?;
        let live = seen.get("live").map_or(&[][..], rows);
        let doing: Vec<String> = live
            .iter()
            .filter(|live| live.get("phase").is_some_and(|phase| phase == "calling"))
            .filter_map(|live| Some(live.get("level")?.as_str()?.to_owned()))
            .collect();
        let facts = json!({"run": run, "process": node.process, "at work on": doing});
        let title = "A third run, with services of its own in a process of their own, is killed (kill -9) in the middle";
        self.narrator.fact(title, &facts, began.elapsed())?;

        let began = Instant::now();
        let node = Node::start(&self.stage.configuration).await?;
        let admin = node.sign_in(ADMIN).await?;
        let path = format!("/workflow/runs/{run}/?wait=60");
        let ended = ask(&node.client, Question::get(&path, &admin), &[200]).await?;
        expect_status(&ended, "completed")?;
        let made = customer.made(&node.client, &admin, &run).await?;
        node.stop().await?;
        let facts = json!({
            "run": run, "status": "completed",
            "contacts": made.contacts, "letters": made.letters, "calls": made.calls,
        });
        let title =
            "The process starts again and completes the run; each of its effects is there exactly once";
        self.narrator.fact(title, &facts, began.elapsed())?;
        if made != (Made { contacts: 1, letters: 1, calls: 1 }) {
            return Err(Failure::new(format!("expected each effect exactly once, got {made:?}")));
        }
        Ok(())
    }
}

/// A deployment of the demo in a process of its own: `buildly demo --node`. It ends with this
/// process, however that ends: when its standard input does.
struct Node {
    child: Child,
    process: u32,
    client: Client,
}

impl Node {
    async fn start(configuration: &Configuration) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        command.args(["demo", "--node", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(configuration.data_dir.join(NODE));
        if let Some(url) = &configuration.database_url {
            // No argument: those can be seen by everybody on the machine.
            command.env("BUILDLY_DATABASE_URL", url.expose());
            command.env("BUILDLY_DATABASE_SCHEMA", format!("{}_{NODE}", configuration.database_schema));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let out = child.stdout.take().ok_or_else(|| Failure::new("the process has no output"))?;
        let mut line = String::new();
        let mut out = BufReader::new(out);
        let read = tokio::time::timeout(START_PATIENCE, out.read_line(&mut line)).await;
        read.map_err(|_| Failure::new(format!("the process is not up within {START_PATIENCE:?}")))??;
        let told: Value = serde_json::from_str(&line)
            .map_err(|_| Failure::new("the process has not started; it says why above"))?;
        let process = child.id().unwrap_or_default();
        Ok(Self { child, process, client: Client::new(text(&told, "address")?) })
    }

    async fn sign_in(&self, username: &str) -> Result<String, Failure> {
        let question = Question::form("/token/", &[("username", username), ("password", PASSWORD)]);
        text(&ask(&self.client, question, &[200]).await?, "access")
    }

    /// `kill -9`.
    async fn kill(&mut self) -> Result<(), Failure> {
        Ok(self.child.kill().await?)
    }

    /// In order: its input ends.
    async fn stop(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
        self.child.wait().await?;
        Ok(())
    }
}
