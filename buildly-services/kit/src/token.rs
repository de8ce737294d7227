//! Access tokens, checked without asking anybody: signature by the issuer's published keys
//! (JWKS, RFC 7517), then the claims (RFC 7519, RFC 8725).
//!
//! A token is accepted only with the algorithm of its key, so `none`, HMAC with a public key
//! and every other swap of algorithms fail. What cannot be told offline, that a session has
//! ended before its token, is asked of the issuer when introspection is configured.

mod claims;
mod fetch;
mod introspection;
mod keys;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use buildly_model::Clock;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Validation, decode, decode_header};

use crate::{Authenticate, Caller, Error};
use claims::Claims;
use fetch::Fetch;
use introspection::Introspection;
use keys::Keys;

/// Whom tokens for the services of a deployment are meant for (RFC 8725 section 3.9).
const AUDIENCE: &str = "buildly";
/// A longer token is none of ours.
const TOKEN_BYTES_MAX: usize = 16 << 10;
const REFUSED: Error = Error::Unauthenticated("The token is not valid.");

/// Where the issuer's public keys come from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// An address that answers with a JWKS, such as `https://…/.well-known/jwks.json`.
    Url(http::Uri),
    /// A file with a JWKS; read again when a key is unknown.
    File(PathBuf),
    /// The keys themselves.
    Set(JwkSet),
}

impl KeySource {
    /// Takes what begins with `http://` or `https://` for an address, anything else for a file.
    ///
    /// # Errors
    /// A sentence if the address cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("http://") || text.starts_with("https://") {
            let uri = text.parse().map_err(|error| format!("`{text}` is no web address: {error}"))?;
            return Ok(Self::Url(uri));
        }
        Ok(Self::File(PathBuf::from(text)))
    }
}

/// How tokens are checked.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// Where the keys come from.
    pub keys: KeySource,
    /// The only `iss` that is accepted; `None` accepts any that signs with these keys.
    pub issuer: Option<String>,
    /// Where to ask whether a token still holds (RFC 7662); asked at most every 10 s a token.
    pub introspection: Option<http::Uri>,
}

/// Checks access tokens.
pub struct Tokens {
    keys: Keys,
    issuer: Option<String>,
    introspection: Option<Introspection>,
    clock: Arc<dyn Clock>,
}

impl Tokens {
    /// A check that has fetched no keys yet: the first token fetches them.
    #[must_use]
    pub fn new(settings: TokenSettings, clock: Arc<dyn Clock>) -> Self {
        let fetch = Fetch::new();
        Self {
            keys: Keys::new(settings.keys, fetch.clone(), Arc::clone(&clock)),
            issuer: settings.issuer,
            introspection: settings
                .introspection
                .map(|address| Introspection::new(address, fetch, Arc::clone(&clock))),
            clock,
        }
    }
}

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let token = token_of(headers)?;
        let header = decode_header(token).map_err(|_| REFUSED)?;
        let key = self.keys.find(header.kid.as_deref()).await?.ok_or(REFUSED)?;
        let mut validation = Validation::new(key.algorithm);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["aud"]);
        // The other claims are ours to check: by the clock that we are given, and all of them.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &key.key, &validation).map_err(|_| REFUSED)?.claims;
        let caller = claims::check(&claims, self.issuer.as_deref(), self.clock.now())?;
        if let Some(introspection) = &self.introspection
            && !introspection.is_active(token).await?
        {
            return Err(REFUSED);
        }
        Ok(caller)
    }
}

/// The token of `Authorization: Bearer …` or, as old clients send it, `JWT …`.
fn token_of(headers: &HeaderMap) -> Result<&str, Error> {
    const MISSING: Error = Error::Unauthenticated("Expected `Authorization: Bearer TOKEN`.");
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(MISSING) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(MISSING)?;
    let token = token.trim();
    let is_ours = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("jwt");
    if is_ours && !token.is_empty() && token.len() <= TOKEN_BYTES_MAX { Ok(token) } else { Err(MISSING) }
}

#[cfg(test)]
mod tests;
