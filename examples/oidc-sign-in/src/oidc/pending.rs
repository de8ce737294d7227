//! Sign-ins that have begun: each can be ended once, soon, and by the browser that began it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use buildly_core::model::Timestamp;

/// How long somebody may take at the provider.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);
/// How many sign-ins are remembered; the oldest make room.
const ATTEMPTS_MAX: usize = 10_000;

/// One sign-in that has begun.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// What the browser's cookie holds.
    pub(super) browser: String,
    /// What the ID token has to repeat.
    pub(super) nonce: String,
    /// What the code's challenge was made of.
    pub(super) verifier: String,
}

/// The sign-ins that have begun, by their `state`.
#[derive(Debug, Default)]
pub(super) struct Pending {
    attempts: HashMap<String, (Attempt, Timestamp)>,
    /// In the order in which they began.
    order: VecDeque<String>,
}

impl Pending {
    pub(super) fn put(&mut self, state: String, attempt: Attempt, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let is_over = self.attempts.get(oldest).is_none_or(|(_, until)| *until <= now);
            if !is_over && self.order.len() < ATTEMPTS_MAX {
                break;
            }
            if let Some(oldest) = self.order.pop_front() {
                self.attempts.remove(&oldest);
            }
        }
        self.order.push_back(state.clone());
        self.attempts.insert(state, (attempt, now.after(LIFETIME)));
    }

    /// Ends a sign-in: a second answer under the same `state` finds nothing.
    pub(super) fn take(&mut self, state: &str, now: Timestamp) -> Option<Attempt> {
        let (attempt, until) = self.attempts.remove(state)?;
        (now < until).then_some(attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(verifier: &str) -> Attempt {
        Attempt { browser: String::new(), nonce: String::new(), verifier: verifier.to_owned() }
    }

    #[test]
    fn a_sign_in_ends_once_and_in_time() {
        let (mut pending, now) = (Pending::default(), Timestamp::from_seconds(1_800_000_000));
        pending.put("a".to_owned(), attempt("1"), now);
        pending.put("b".to_owned(), attempt("2"), now);
        assert_eq!(pending.take("a", now).map(|found| found.verifier).as_deref(), Some("1"));
        assert!(pending.take("a", now).is_none(), "it was used");
        assert!(pending.take("b", now.after(LIFETIME)).is_none(), "it took too long");
    }

    #[test]
    fn whoever_begins_many_fills_no_memory() {
        let (mut pending, now) = (Pending::default(), Timestamp::from_seconds(1_800_000_000));
        for number in 0..ATTEMPTS_MAX + 5 {
            pending.put(number.to_string(), attempt(""), now);
        }
        assert_eq!((pending.attempts.len(), pending.order.len()), (ATTEMPTS_MAX, ATTEMPTS_MAX));
        assert!(pending.take("0", now).is_none() && pending.take("5", now).is_some());
    }
}
