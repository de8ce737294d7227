//! Tokens in place of API keys: an API key never leaves the core, and services check tokens.

use std::time::Duration;

use buildly_model::{Secret, SessionId, Timestamp, TokenId};
use moka::sync::Cache;

use super::api_key;
use super::issue::Bearer;
use crate::{Auth, Error};

/// How long a token lives that is made for calls to services.
const LIFETIME: Duration = Duration::from_secs(60);
/// One with less time left is not handed out any more; a call may take 30 s to be answered.
const REMAINING_MIN: Duration = Duration::from_secs(35);
/// How many are kept at once.
const KEPT_MAX: u64 = 10_000;

/// The tokens that were made lately, by API key.
pub(super) struct ServiceTokens(Cache<TokenId, (Timestamp, Secret)>);

impl Default for ServiceTokens {
    fn default() -> Self {
        Self(Cache::new(KEPT_MAX))
    }
}

impl Auth {
    /// The token that travels to services when a caller came with this API key; `None` if
    /// the text is no API key. It lives for a minute, and not longer than the key.
    ///
    /// # Errors
    /// [`Error::Token`] if the key is not good, [`Error::Signing`] if nothing can be signed.
    pub async fn token_for_services(&self, presented: &str) -> Result<Option<Secret>, Error> {
        if !api_key::is_api_key(presented) {
            return Ok(None);
        }
        let now = self.parts.clock.now();
        let snapshot = self.ready_to_sign().await?;
        let (account, key) = api_key::find(&snapshot.token, presented)?;
        let kept = &self.parts.signing.service_tokens.0;
        if let Some((expires_at, token)) = kept.get(&key.id)
            && now.after(REMAINING_MIN) < expires_at
        {
            return Ok(Some(token));
        }
        let bearer = Bearer::of_account(account, key);
        let session = SessionId::generate(now, &*self.parts.random);
        let (access, token) =
            self.sign_access_until(now.after(LIFETIME), &snapshot, &bearer, session, now)?;
        kept.insert(key.id, (access.expires_at, token.clone()));
        Ok(Some(token))
    }
}
