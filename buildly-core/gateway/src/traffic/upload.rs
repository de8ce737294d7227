//! How slow an upload may be.
//!
//! An upload holds one of the service's places, so it must get on: each part renews the time
//! that the answer may take, but only as long as the whole is not slower than a very slow line.

use std::time::Duration;

/// The least that is sent on average: half of what a GPRS line carries.
pub const BYTES_PER_SECOND_MIN: u64 = 2 * 1024;
/// How long an upload may go below that.
pub const GRACE: Duration = Duration::from_secs(60);

/// When the head of the answer must be there, from the start of the call: `first_byte` after the
/// request `moved` last, if by then it has `sent` enough bytes.
#[must_use]
pub fn ends(first_byte: Duration, moved: Duration, sent: u64) -> Duration {
    let earned = Duration::from_millis(sent.saturating_mul(1000) / BYTES_PER_SECOND_MIN);
    (moved + first_byte).min(GRACE.max(first_byte).saturating_add(earned))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slow_upload_goes_on_and_a_trickle_does_not() {
        let seconds = Duration::from_secs;
        for (case, moved, sent, expected) in [
            ("nothing sent yet", 0, 0, 30),
            ("a byte now and then, at first", 20, 20, 50),
            ("a byte now and then, for ever", 1000, 500, 60),
            ("a slow line", 1000, 2048 * 1000, 1030),
            ("a slow line that stopped", 1000, 2048 * 900, 960),
        ] {
            let ends = ends(seconds(30), seconds(moved), sent);
            assert_eq!(ends.as_secs(), expected, "{case}");
        }
    }

    proptest! {
        #[test]
        fn who_keeps_the_rate_gets_the_whole_time_after_the_last_byte(
            first_byte in 0u64..600, moved in 0u64..100_000, more in 0u64..1_000_000,
        ) {
            let (first_byte, sent) = (Duration::from_secs(first_byte), moved * BYTES_PER_SECOND_MIN + more);
            let moved = Duration::from_secs(moved);
            prop_assert_eq!(ends(first_byte, moved, sent), moved + first_byte);
        }
    }
}
