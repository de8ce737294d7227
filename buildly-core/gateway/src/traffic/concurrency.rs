//! How many calls a service gets at once, and how many may wait for their turn.
//!
//! A slow service holds at most `in_flight_max` calls and `queue_length_max` waiting ones;
//! whoever comes then is told to come back, at once, so that it fails alone.

use std::time::Duration;

/// The bounds of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Calls under way at once, until the last byte of their answers.
    pub in_flight_max: u32,
    /// Calls that wait.
    pub queue_length_max: u32,
    /// How long one waits at most.
    pub queue_wait_max: Duration,
    /// Long streams (WebSocket, server-sent events), which are counted apart from calls.
    pub streams_max: u32,
}

/// A caller may take one part in so many of a service's places, and at least one.
const CALLER_SHARES: u32 = 4;
/// How long a call waits at most.
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(5);
/// So many long streams a service may have.
const STREAMS_MAX: u32 = 10_000;

impl From<&crate::Policy> for Policy {
    fn from(policy: &crate::Policy) -> Self {
        Self {
            in_flight_max: policy.in_flight_max,
            queue_length_max: policy.queue_length_max,
            queue_wait_max: QUEUE_WAIT_MAX,
            streams_max: STREAMS_MAX,
        }
    }
}

impl Policy {
    /// The bounds of one caller: a quarter of the service's, and at least one, so that nobody takes
    /// a service from the others by being slow.
    #[must_use]
    pub fn of_one_caller(&self) -> Self {
        let share = |whole: u32| (whole / CALLER_SHARES).max(whole.min(1));
        Self {
            in_flight_max: share(self.in_flight_max),
            queue_length_max: share(self.queue_length_max),
            streams_max: share(self.streams_max),
            ..*self
        }
    }
}

/// What happens with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// It starts.
    Start,
    /// It waits for its turn, at most so long.
    Wait(Duration),
    /// It is refused.
    Busy {
        /// When to come back.
        retry_after_seconds: u32,
    },
}

/// Decides about a call that finds `in_flight` calls under way and `waiting` before it.
pub fn admit(in_flight: u32, waiting: u32, policy: &Policy) -> Admission {
    if in_flight < policy.in_flight_max && waiting == 0 {
        Admission::Start
    } else if waiting < policy.queue_length_max {
        Admission::Wait(policy.queue_wait_max)
    } else {
        Admission::Busy { retry_after_seconds: retry_after_seconds(policy) }
    }
}

/// When a refused call should come back: a full queue is gone after the longest wait.
#[must_use]
pub fn retry_after_seconds(policy: &Policy) -> u32 {
    u32::try_from(policy.queue_wait_max.as_secs()).unwrap_or(u32::MAX).clamp(1, 30)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_caller_has_a_quarter_and_at_least_one() {
        for (whole, share) in [(0, 0), (1, 1), (3, 1), (4, 1), (8, 2), (256, 64)] {
            let policy =
                crate::Policy { in_flight_max: whole, queue_length_max: whole, ..Default::default() };
            let own = Policy::from(&policy).of_one_caller();
            assert_eq!((own.in_flight_max, own.queue_length_max), (share, share), "{whole}");
        }
    }

    proptest! {
        #[test]
        fn nobody_overtakes_and_both_bounds_hold(
            in_flight in 0u32..12, waiting in 0u32..12, in_flight_max in 0u32..10, queue_length_max in 0u32..10,
        ) {
            let policy = crate::Policy { in_flight_max, queue_length_max, ..crate::Policy::default() };
            let policy = Policy::from(&policy);
            match admit(in_flight, waiting, &policy) {
                Admission::Start => prop_assert!(in_flight < in_flight_max && waiting == 0),
                Admission::Wait(_) => prop_assert!(waiting < queue_length_max),
                Admission::Busy { retry_after_seconds } => {
                    prop_assert!(waiting >= queue_length_max && retry_after_seconds >= 1);
                    prop_assert!(in_flight >= in_flight_max || waiting > 0);
                }
            }
        }
    }
}
