//! Tells the steps: to a person, to a program, or hardly at all.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Invitation;

/// How the story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// To a person.
    Person,
    /// One JSON object a step.
    Json,
    /// Only how it ended, and where the server stays up.
    Quiet,
}

/// The most characters of an answer that are shown.
const SHOWN_MAX: usize = 360;
/// What is hidden but for its beginning.
const SECRETS: [&str; 5] = ["access_token", "access_token_jwt", "refresh_token", "access", "refresh"];

/// Tells the steps.
pub struct Narrator {
    voice: Voice,
    step: u32,
    out: Box<dyn Write + Send>,
}

/// One request and its answer, as they are told.
pub(super) struct Told<'a> {
    pub(super) title: &'a str,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) status: StatusCode,
    pub(super) answer: &'a Value,
    pub(super) took: Duration,
}

impl Narrator {
    /// Tells to `out`.
    #[must_use]
    pub fn new(voice: Voice, out: Box<dyn Write + Send>) -> Self {
        Self { voice, step: 0, out }
    }

    /// Tells one request and its answer.
    pub(super) fn request(&mut self, told: &Told<'_>) -> io::Result<()> {
        self.step += 1;
        let Told { title, method, path, status, answer, took } = told;
        let answer = hidden(answer);
        match self.voice {
            Voice::Quiet => Ok(()),
            Voice::Json => {
                let object = json!({
                    "step": self.step, "title": title, "method": method.as_str(), "path": path,
                    "status": status.as_u16(), "milliseconds": milliseconds(*took), "answer": answer,
                });
                self.line(&object.to_string())
            }
            Voice::Person => {
                self.line(&format!("\n{:>2}  {title}", self.step))?;
                self.line(&format!(
                    "    {method} {path}  {}  {:.1} ms",
                    status.as_u16(),
                    milliseconds(*took)
                ))?;
                self.line(&format!("    {}", shortened(&answer.to_string())))
            }
        }
    }

    /// Tells something that is no request.
    pub(super) fn fact(&mut self, title: &str, facts: &Value, took: Duration) -> io::Result<()> {
        self.step += 1;
        match self.voice {
            Voice::Quiet => Ok(()),
            Voice::Json => {
                let object = json!({ "step": self.step, "title": title, "milliseconds": milliseconds(took), "facts": facts });
                self.line(&object.to_string())
            }
            Voice::Person => {
                self.line(&format!("\n{:>2}  {title}  {:.1} ms", self.step, milliseconds(took)))?;
                for (name, value) in facts.as_object().into_iter().flatten() {
                    if let Some(lines) = value.as_array().filter(|lines| lines.iter().all(Value::is_string)) {
                        let lines = lines.iter().filter_map(Value::as_str);
                        lines.map(|line| format!("    {line}")).try_for_each(|line| self.line(&line))?;
                        continue;
                    }
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    self.line(&format!("    {name}: {}", shortened(&value)))?;
                }
                Ok(())
            }
        }
    }

    /// Says where the server stays up, to everybody: to a program as one last object.
    ///
    /// # Errors
    /// If nobody listens any more.
    pub fn invite(&mut self, invitation: &Invitation) -> io::Result<()> {
        let note = if io::stdout().is_terminal() { " (Ctrl-C ends it)" } else { "" };
        match self.voice {
            Voice::Person => self.line(&invitation.text(note)),
            Voice::Json => self.line(&invitation.json().to_string()),
            Voice::Quiet => self.line(&format!("listening on {}", invitation.url())),
        }
    }

    /// Says how it ended, to everybody.
    ///
    /// # Errors
    /// If nobody listens any more.
    pub fn end(&mut self, outcome: &str, is_good: bool) -> io::Result<()> {
        match self.voice {
            Voice::Json => {
                let object = json!({ "outcome": outcome, "is_good": is_good, "steps": self.step });
                self.line(&object.to_string())
            }
            Voice::Person => self.line(&format!("\n{outcome}")),
            Voice::Quiet => self.line(outcome),
        }
    }

    /// Shows how far a long work has come, on a terminal only.
    pub(super) fn progress(&self, what: &str, done: usize, of: usize) {
        let mut terminal = io::stderr();
        if self.voice != Voice::Person || !terminal.is_terminal() {
            return;
        }
        let width = 30;
        let filled = done * width / of.max(1);
        let bar = format!("\r    {what} [{}{}] {done}/{of}", "#".repeat(filled), " ".repeat(width - filled));
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(terminal, "{bar}")
            .and_then(|()| if done == of { writeln!(terminal) } else { terminal.flush() });
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    let shown: String = text.chars().take(SHOWN_MAX).collect();
    format!("{shown} …")
}

/// The same answer with tokens cut short.
fn hidden(answer: &Value) -> Value {
    match answer {
        Value::Object(fields) => {
            let hide = |(name, value): (&String, &Value)| {
                let value = match value.as_str() {
                    Some(text) if SECRETS.contains(&name.as_str()) => {
                        Value::from(text.chars().take(8).chain("…".chars()).collect::<String>())
                    }
                    _ => hidden(value),
                };
                (name.clone(), value)
            };
            fields.iter().map(hide).collect()
        }
        Value::Array(items) => items.iter().map(hidden).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_told() {
        let answer =
            json!({ "access_token": "eyJhbGciOiJSUzI1NiJ9.secret", "list": [{ "refresh": "abcdefghijkl" }] });
        let told = hidden(&answer).to_string();
        assert!(!told.contains("secret") && !told.contains("ijkl"), "{told}");
    }

    #[test]
    fn a_long_answer_is_shortened_between_characters() {
        assert_eq!(shortened("kürz"), "kürz");
        assert_eq!(shortened(&"ü".repeat(SHOWN_MAX + 1)).chars().count(), SHOWN_MAX + 2);
    }
}
