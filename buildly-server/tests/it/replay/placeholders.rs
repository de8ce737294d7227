//! What the recordings leave open: ids, tokens, times, addresses. Bound from the answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::deployment;
use super::exchange::Exchange;
use crate::harness::TestServer;
use crate::recorded::RecordedService;

/// The values bound so far, as text; `{{id:n}}` without quotes on the wire.
#[derive(Clone)]
pub(super) struct Placeholders {
    bound: BTreeMap<String, String>,
}

impl Placeholders {
    pub(super) fn new(server: &TestServer, services: &[RecordedService; 2]) -> Self {
        let address = server.running().address();
        let bound = [
            ("base", format!("http://{address}")),
            ("host", address.to_string()),
            ("service:a", services[0].address.to_string()),
            ("service:b", services[1].address.to_string()),
            ("service:down", "127.0.0.1:9".to_owned()),
        ];
        Self { bound: bound.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    /// Binds what comes from outside the answers, just before it is needed.
    pub(super) async fn prepare(&mut self, server: &TestServer, exchange: &Exchange) {
        let text = format!("{} {:?} {:?}", exchange.path, exchange.request_json, exchange.request_headers);
        if text.contains("{{basic:1}}") {
            self.bind_basic();
        }
        if text.contains("{{uid:1}}") && !self.bound.contains_key("uid:1") {
            let (uid, token) = deployment::password_reset_from_mail(server, "bob@example.org").await;
            self.bound.insert("uid:1".to_owned(), uid);
            self.bound.insert("reset-token:1".to_owned(), token);
        }
        if text.contains("{{expired-invitation:1}}") && !self.bound.contains_key("expired-invitation:1") {
            let token = deployment::expired_invitation(server).await;
            self.bound.insert("expired-invitation:1".to_owned(), token);
        }
    }

    /// HTTP Basic (RFC 7617) of the last application that was made: its id is the token that
    /// was bound just before its secret.
    fn bind_basic(&mut self) {
        use base64::Engine as _;
        let Some((id, secret)) = self.bound.get("client_id").zip(self.bound.get("client_secret")) else {
            return;
        };
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        self.bound.insert("basic:1".to_owned(), basic);
    }

    /// Text with every placeholder replaced.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or("a placeholder without an end")?;
            filled.push_str(before);
            filled
                .push_str(self.bound.get(name).ok_or_else(|| format!("nothing is bound to {{{{{name}}}}}"))?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// JSON with every placeholder replaced; a whole string `{{id:n}}` becomes a number.
    pub(super) fn fill_json(&self, json: &Value) -> Result<Value, String> {
        match json {
            Value::String(text) => {
                let filled = self.fill(text)?;
                let is_number = text.starts_with("{{id:") || text.starts_with("{{epoch:");
                match filled.parse::<u64>() {
                    Ok(number) if is_number => Ok(number.into()),
                    _ => Ok(filled.into()),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.fill_json(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| Ok((self.fill(name)?, self.fill_json(value)?))).collect()
            }
            other => Ok(other.clone()),
        }
    }

    /// Whether `actual` may stand where the recording has `expected` text; binds what is new.
    pub(super) fn matches(&mut self, field: &str, expected: &str, actual: &Value) -> bool {
        let actual_text = actual.as_str().map_or_else(|| actual.to_string(), str::to_owned);
        if let Some(name) = expected.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"))
            && !name.contains("{{")
        {
            return self.binds(field, name, actual, actual_text);
        }
        if expected.contains("{{") {
            return self
                .fill(expected)
                .map_or_else(|_| self.bind_inside(expected, &actual_text), |text| text == actual_text);
        }
        self.fill(expected).is_ok_and(|filled| filled == actual_text)
    }

    fn binds(&mut self, field: &str, name: &str, actual: &Value, text: String) -> bool {
        if matches!(field, "client_id" | "client_secret") {
            self.bound.insert(field.to_owned(), text.clone());
        }
        let kind = name.split(':').next().unwrap_or(name);
        let fits = match kind {
            "id" | "epoch" => actual.is_u64(),
            "uuid" => uuid::Uuid::parse_str(&text).is_ok(),
            "time" => text.parse::<buildly_model::Timestamp>().is_ok(),
            "jwt" => text.split('.').count() == 3,
            _ => actual.is_string() && !text.is_empty(),
        };
        if !fits {
            return false;
        }
        match self.bound.get(name) {
            // Equal numbers mean equal instants in one answer; a later one may have moved on.
            Some(_) if matches!(kind, "time" | "epoch" | "jwt") => true,
            Some(bound) => *bound == text,
            None => {
                self.bound.insert(name.to_owned(), text);
                true
            }
        }
    }

    /// How many placeholders of `expected` are not bound yet.
    pub(super) fn open_count(&self, expected: &Value) -> usize {
        let text = expected.to_string();
        let names = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
        names.filter(|(name, _)| !self.bound.contains_key(*name)).count()
    }

    /// Binds the one open placeholder inside a longer text, such as a link with a token.
    fn bind_inside(&mut self, expected: &str, actual: &str) -> bool {
        let Some((before, rest)) = expected.rsplit_once("{{") else { return false };
        let Some((name, after)) = rest.split_once("}}") else { return false };
        let Ok(before) = self.fill(before) else { return false };
        let value = actual.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after));
        value.is_some_and(|value| {
            self.bound.insert(name.to_owned(), value.to_owned());
            !value.is_empty()
        })
    }
}
