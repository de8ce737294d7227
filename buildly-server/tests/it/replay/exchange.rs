//! The recordings' own format, and the request that an exchange asks.

use std::collections::BTreeMap;

use buildly_model::Body;
use http::Request;
use serde::Deserialize;
use serde_json::Value;

use super::placeholders::Placeholders;
use crate::client::Client;

#[derive(Deserialize)]
pub(super) struct Recording {
    pub(super) exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
pub(super) struct Exchange {
    pub(super) id: String,
    pub(super) step: String,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) request_headers: BTreeMap<String, String>,
    pub(super) request_json: Option<Value>,
    pub(super) request_form: Option<BTreeMap<String, Value>>,
    pub(super) request_text: Option<String>,
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) closed: Option<String>,
    pub(super) abridged: Option<String>,
    #[serde(default)]
    pub(super) unordered: bool,
    pub(super) decoded_jwt: Option<Value>,
}

impl Exchange {
    pub(super) fn line(&self) -> String {
        format!("{} {} -> {}", self.method, self.path, self.status)
    }

    pub(super) fn request(
        &self,
        client: &Client,
        placeholders: &Placeholders,
    ) -> Result<Request<Body>, String> {
        let path = placeholders.fill(&self.path)?;
        let mut request = Request::builder().method(self.method.as_str()).uri(client.url(&path));
        let asks_for = self.request_headers.keys().any(|name| name.eq_ignore_ascii_case("accept"));
        if !asks_for {
            request = request.header("accept", "application/json");
        }
        for (name, value) in &self.request_headers {
            request = request.header(name, placeholders.fill(value)?);
        }
        let body = if let Some(json) = &self.request_json {
            placeholders.fill_json(json)?.to_string()
        } else if let Some(form) = &self.request_form {
            form_encoded(form, placeholders)?
        } else {
            placeholders.fill(self.request_text.as_deref().unwrap_or(""))?
        };
        request.body(Body::from(body)).map_err(|error| error.to_string())
    }
}

fn form_encoded(form: &BTreeMap<String, Value>, placeholders: &Placeholders) -> Result<String, String> {
    let mut pairs = Vec::new();
    for (name, value) in form {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            pairs.push(format!("{}={}", percent_encoded(name), percent_encoded(&placeholders.fill(&text)?)));
        }
    }
    Ok(pairs.join("&"))
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
