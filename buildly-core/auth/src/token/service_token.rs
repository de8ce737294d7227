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

/// Whether a token that ends then is handed out now. One that ends later than any that is made now
/// was made before the clock was set back: others may find that it has ended.
fn is_good(expires_at: Timestamp, now: Timestamp) -> bool {
    now.after(REMAINING_MIN) < expires_at && expires_at <= now.after(LIFETIME)
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
            && is_good(expires_at, now)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_handed_out_while_it_is_young_by_the_clock_of_now() {
        let end = |seconds: i64| Timestamp::from_seconds(1_000 + seconds);
        let now = Timestamp::from_seconds(1_000);
        for (case, expires_at, expected) in [
            ("made now", end(60), true),
            ("time enough for a call", end(36), true),
            ("too little left", end(35), false),
            ("over", end(-1), false),
            ("made before the clock was set back", end(3_600), false),
        ] {
            assert_eq!(is_good(expires_at, now), expected, "{case}");
        }
    }
}
