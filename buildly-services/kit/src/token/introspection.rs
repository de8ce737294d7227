//! Asks the issuer whether a token still holds (RFC 7662), and remembers it for 10 s.
//!
//! The token itself is the credential of the question. If the issuer does not answer, nothing
//! is granted. Remembered is the token's SHA-256, never the token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use buildly_model::{Body, Clock, Timestamp};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Uri};

use super::fetch::Fetch;
use crate::{Error, query};

const REMEMBERED: Duration = Duration::from_secs(10);
const REMEMBERED_TOKENS_MAX: usize = 10_000;
const ANSWER_BYTES_MAX: usize = 64 << 10;
const UNAVAILABLE: Error = Error::Unavailable("The issuer of the token cannot be asked now.");

pub(super) struct Introspection {
    address: Uri,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    answers: Mutex<HashMap<Vec<u8>, (bool, Timestamp)>>,
}

impl Introspection {
    pub(super) fn new(address: Uri, fetch: Fetch, clock: Arc<dyn Clock>) -> Self {
        Self { address, fetch, clock, answers: Mutex::new(HashMap::new()) }
    }

    pub(super) async fn is_active(&self, token: &str) -> Result<bool, Error> {
        let name = digest(&SHA256, token.as_bytes()).as_ref().to_vec();
        let now = self.clock.now();
        if let Some((is_active, until)) = self.lock().get(&name).copied()
            && now < until
        {
            return Ok(is_active);
        }
        let is_active = self.ask(token).await?;
        let mut answers = self.lock();
        if answers.len() >= REMEMBERED_TOKENS_MAX {
            answers.retain(|_, (_, until)| now < *until);
        }
        if answers.len() >= REMEMBERED_TOKENS_MAX {
            answers.clear();
        }
        answers.insert(name, (is_active, now.after(REMEMBERED)));
        Ok(is_active)
    }

    async fn ask(&self, token: &str) -> Result<bool, Error> {
        let request = Request::post(&self.address)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(Body::from(query::write([("token", token)])))
            .map_err(|_| UNAVAILABLE)?;
        let answer = self.fetch.send(request, ANSWER_BYTES_MAX).await.map_err(|reason| {
            tracing::warn!(reason, "issuer not asked about a token");
            UNAVAILABLE
        })?;
        let answer: serde_json::Value = serde_json::from_slice(&answer).map_err(|_| UNAVAILABLE)?;
        Ok(answer.get("active").and_then(serde_json::Value::as_bool) == Some(true))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, (bool, Timestamp)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
