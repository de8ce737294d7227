//! Looks after keys and ended tokens.

use std::sync::Arc;
use std::time::Duration;

use buildly_auth::Auth;
use buildly_model::{Clock, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

/// How often keys and ended tokens are looked after.
const TOKENS_INTERVAL: Duration = Duration::from_secs(300);

/// Does it until told to stop.
pub(crate) async fn keep_tokens(auth: Auth, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
    let (began, steady) = (clock.now(), Instant::now());
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(TOKENS_INTERVAL) => {}
        }
        if let Err(error) = auth.keep_keys().await {
            tracing::error!(%error, "signing keys could not be looked after");
        }
        if let Err(error) = auth.tidy_tokens(surely_past(clock.now(), began, steady.elapsed())).await {
            tracing::warn!(%error, "ended tokens could not be forgotten");
        }
    }
}

/// The time now, but not later than what has passed since the start: a clock that was set forward
/// must not have revocations forgotten of tokens that live.
fn surely_past(now: Timestamp, began: Timestamp, passed: Duration) -> Timestamp {
    now.min(began.after(passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_makes_nothing_past_that_is_not() {
        let at = Timestamp::from_seconds;
        for (case, now, expected) in [
            ("a clock that goes right", 1_600, 1_600),
            ("one that was set forward", 90_000, 1_600),
            ("one that was set back", 900, 900),
        ] {
            assert_eq!(surely_past(at(now), at(1_000), Duration::from_secs(600)), at(expected), "{case}");
        }
    }
}
