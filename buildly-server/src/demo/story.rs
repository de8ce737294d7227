//! The story: every step is a real request whose outcome is checked.

use std::fmt;

use buildly_core::Buildly;
use buildly_model::OrganizationId;
use http::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::client::{Answer, Client, Question};
use super::narrator::{Narrator, Told};
use super::stage::Stage;

/// A step that came out otherwise than it should.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(format!("the story cannot be told on: {error}"))
    }
}

/// Who can sign in, once the story is told.
pub(super) const PASSWORD: &str = "Demo-horse-9-battery";
pub(super) const SUPERUSER: &str = "root";
pub(super) const ADMIN: &str = "ada";
pub(super) const VIEWER: &str = "vic";
pub(super) const MANAGER: &str = "grace";
pub(super) const ORGANIZATION: &str = "Chinook";

/// The story under way.
pub struct Story<'a> {
    pub(super) stage: &'a Stage,
    pub(super) buildly: Buildly,
    pub(super) client: Client,
    pub(super) narrator: &'a mut Narrator,
    /// The access tokens of who has signed in.
    pub(super) root: String,
    pub(super) admin: String,
    pub(super) viewer: String,
    pub(super) manager: String,
    pub(super) organization: Option<OrganizationId>,
    /// The groups that every organization begins with, by their stable numbers.
    pub(super) admins: u64,
    pub(super) users: u64,
}

impl<'a> Story<'a> {
    /// Prepares the story on a running stage.
    #[must_use]
    pub fn new(stage: &'a Stage, narrator: &'a mut Narrator) -> Self {
        Self {
            buildly: stage.running.server().buildly().clone(),
            client: Client::new(stage.url()),
            stage,
            narrator,
            root: String::new(),
            admin: String::new(),
            viewer: String::new(),
            manager: String::new(),
            organization: None,
            admins: 0,
            users: 0,
        }
    }

    /// Tells it from the first step to the last.
    ///
    /// # Errors
    /// [`Failure`] names the first step that came out otherwise than it should.
    pub async fn tell(mut self) -> Result<(), Failure> {
        self.people().await?;
        self.services().await?;
        self.records().await?;
        self.processes().await?;
        self.rights().await?;
        self.proof().await
    }

    /// Only what a process through the services needs.
    ///
    /// # Errors
    /// As [`Story::tell`].
    pub async fn prepare(mut self) -> Result<(), Failure> {
        self.people().await?;
        self.services().await?;
        self.prepare_onboarding().await
    }

    /// One step: asks, tells, and checks the status.
    pub(super) async fn step(
        &mut self,
        title: &str,
        question: Question<'_>,
        expected: &[u16],
    ) -> Result<Value, Failure> {
        let began = Instant::now();
        let answer = self
            .client
            .ask(&question)
            .await
            .map_err(|failure| Failure::new(format!("{title}: {failure}")))?;
        let told = answer.json();
        self.narrator.request(&Told {
            title,
            method: &question.method,
            path: question.path,
            status: answer.status,
            answer: &told,
            took: began.elapsed(),
        })?;
        check(title, &answer, expected)?;
        Ok(told)
    }

    /// Asks without telling: what only prepares a step.
    pub(super) async fn quietly(&self, question: Question<'_>, expected: &[u16]) -> Result<Value, Failure> {
        ask(&self.client, question, expected).await
    }

    /// Signs in and gives the access token.
    pub(super) async fn sign_in(&mut self, title: Option<&str>, username: &str) -> Result<String, Failure> {
        let question = Question::form("/token/", &[("username", username), ("password", PASSWORD)]);
        let answer = match title {
            Some(title) => self.step(title, question, &[200]).await?,
            None => self.quietly(question, &[200]).await?,
        };
        text(&answer, "access")
    }
}

/// Asks, and checks the status.
pub(super) async fn ask(client: &Client, question: Question<'_>, expected: &[u16]) -> Result<Value, Failure> {
    let answer = client.ask(&question).await?;
    let what = format!("{} {}", question.method, question.path);
    check(&what, &answer, expected)?;
    Ok(answer.json())
}

fn check(what: &str, answer: &Answer, expected: &[u16]) -> Result<(), Failure> {
    if expected.contains(&answer.status.as_u16()) {
        return Ok(());
    }
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    Err(Failure::new(format!(
        "{what}: expected {}, got {}: {}",
        expected.join(" or "),
        answer.status.as_u16(),
        String::from_utf8_lossy(&answer.body).chars().take(400).collect::<String>(),
    )))
}

pub(super) fn text(answer: &Value, name: &str) -> Result<String, Failure> {
    let value = answer.get(name).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| Failure::new(format!("the answer has no text `{name}`: {answer}")))
}

pub(super) fn number(answer: &Value, name: &str) -> Result<u64, Failure> {
    let value = answer.get(name).and_then(Value::as_u64);
    value.ok_or_else(|| Failure::new(format!("the answer has no number `{name}`: {answer}")))
}

/// The rows of a plain list or of a page.
pub(super) fn rows(answer: &Value) -> &[Value] {
    let rows = answer.as_array().or_else(|| answer.get("results")?.as_array());
    rows.map_or(&[], Vec::as_slice)
}

pub(super) const POST: Method = Method::POST;
pub(super) const PATCH: Method = Method::PATCH;
