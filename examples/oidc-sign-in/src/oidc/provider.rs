//! The provider: what it says about itself, its keys, and who came back with a code.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildly_core::auth::security::Unproven;
use buildly_core::gateway_http::Outbound;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE};
use http::request::Builder;
use http::{HeaderValue, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Settings;
use super::id_token::{Keys, Person};
use super::text::query;

const TIMEOUT: Duration = Duration::from_secs(10);
/// What any answer of a provider may have.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What a provider says about itself (OpenID Connect Discovery 1.0 section 3).
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    /// RFC 9207 section 3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// A provider that has said who it is.
pub(super) struct Provider {
    pub(super) document: Document,
}

/// What a code is worth.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    access_token: String,
}

impl Provider {
    /// Asks the provider about itself.
    pub(super) async fn discover(network: &Outbound, settings: &Settings) -> Result<Self, Unproven> {
        let address = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
        let document: Document = ask(network, Request::get(address), Bytes::new()).await?;
        if document.issuer == settings.issuer {
            return Ok(Self { document });
        }
        let (asked, found) = (&settings.issuer, &document.issuer);
        Err(Unproven::Unavailable(format!("`{asked}` was asked, and the answer is that of `{found}`")))
    }

    /// The keys that the provider signs with, as they are now: so a key that it has withdrawn
    /// counts no longer, and one that is new counts at once.
    pub(super) async fn keys(&self, network: &Outbound) -> Result<Keys, Unproven> {
        let document: Value = ask(network, Request::get(&self.document.jwks_uri), Bytes::new()).await?;
        Ok(Keys::read(&document))
    }

    /// Trades a code for tokens (OpenID Connect Core 1.0 section 3.1.3).
    pub(super) async fn redeem(
        &self,
        network: &Outbound,
        settings: &Settings,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, Unproven> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &settings.redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = Request::post(&self.document.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        match &settings.client_secret {
            Some(secret) => {
                request = request.header(AUTHORIZATION, basic(&settings.client_id, secret.expose()))
            }
            None => form.push(("client_id", &settings.client_id)),
        }
        ask(network, request, Bytes::from(query(&form))).await
    }

    /// Adds what the provider tells at its UserInfo endpoint; providers put little into ID tokens.
    pub(super) async fn add_userinfo(
        &self,
        network: &Outbound,
        tokens: &Tokens,
        mut person: Person,
    ) -> Result<Person, Unproven> {
        let Some(endpoint) = &self.document.userinfo_endpoint else { return Ok(person) };
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", tokens.access_token))
            .map_err(|_| Unproven::Refused("the provider gave no access token".to_owned()))?;
        bearer.set_sensitive(true);
        let told: serde_json::Map<String, Value> =
            ask(network, Request::get(endpoint).header(AUTHORIZATION, bearer), Bytes::new()).await?;
        // Of somebody else it is worth nothing (OpenID Connect Core 1.0 section 5.3.2).
        if told.get("sub").and_then(Value::as_str) != Some(person.subject.as_str()) {
            return Err(Unproven::Refused("the provider's user information is of somebody else".to_owned()));
        }
        // What is signed counts more.
        for (claim, value) in told {
            person.claims.entry(claim).or_insert(value);
        }
        Ok(person)
    }
}

/// A client's name and secret (RFC 6749 section 2.3.1).
fn basic(client_id: &str, secret: &str) -> HeaderValue {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret)));
    // Base64 is always a value.
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Asks for JSON.
async fn ask<T: DeserializeOwned>(network: &Outbound, request: Builder, body: Bytes) -> Result<T, Unproven> {
    let unavailable =
        |reason: String| Unproven::Unavailable(format!("the provider cannot be asked: {reason}"));
    // A code counts once, so it must not meet a connection that the other end is about to close.
    let request = request.header(ACCEPT, "application/json").header(CONNECTION, "close").body(body);
    let request = request.map_err(|error| unavailable(error.to_string()))?;
    let answered = tokio::time::timeout(TIMEOUT, network.fetch(request, ANSWER_BYTES_MAX)).await;
    let answer = answered.map_err(|_| unavailable("it does not answer in time".to_owned()))?;
    let answer = answer.map_err(|error| unavailable(error.to_string()))?;
    match answer.status() {
        StatusCode::OK => serde_json::from_slice(answer.body())
            .map_err(|error| unavailable(format!("its answer cannot be read: {error}"))),
        status if status.is_client_error() => Err(Unproven::Refused(refusal(status, answer.body()))),
        status => Err(unavailable(format!("it answered {status}"))),
    }
}

/// What the provider says against it (RFC 6749 section 5.2).
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let told: Option<Value> = serde_json::from_slice(body).ok();
    let error = told.as_ref().and_then(|told| told.get("error")).and_then(Value::as_str);
    format!("the provider refused: {}", error.unwrap_or(status.as_str()))
}
