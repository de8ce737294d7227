//! Since when the leases of others have been seen unrenewed, by this node's own steady clock.
//!
//! A node stops answering less than a lease after it last asked for a renewal. Whoever has seen
//! one and the same renewal for as long as a lease lives has therefore waited long enough,
//! whatever the clocks of the database or of anybody else say. Pure.

use std::collections::HashMap;
use std::time::Duration;

use buildly_journal::{LeaseId, SeenLease};
use tokio::time::Instant;

/// What was seen last of each lease, and since when.
#[derive(Debug, Default)]
pub(crate) struct Unrenewed(HashMap<LeaseId, (u64, Instant)>);

impl Unrenewed {
    /// Takes in what was seen, all of it by `now`, and gives the leases that nobody renewed for
    /// `lease` since.
    pub(crate) fn see(&mut self, seen: &[SeenLease], now: Instant, lease: Duration) -> Vec<SeenLease> {
        let mut overdue = Vec::new();
        for one in seen {
            let (renewal, since) = self.0.entry(one.lease).or_insert((one.renewal, now));
            if *renewal != one.renewal {
                (*renewal, *since) = (one.renewal, now);
            }
            if now.saturating_duration_since(*since) >= lease {
                overdue.push(*one);
            }
        }
        overdue
    }

    /// Forgets all leases but these.
    pub(crate) fn forget_all_but(&mut self, seen: &[SeenLease]) {
        self.0.retain(|known, _| seen.iter().any(|seen| seen.lease == *known));
    }
}

#[cfg(test)]
mod tests {
    use buildly_journal::LeaseId;
    use uuid::Uuid;

    use super::*;

    const LEASE: Duration = Duration::from_secs(2);

    fn seen(lease: u128, renewal: u64) -> SeenLease {
        SeenLease { lease: LeaseId(Uuid::from_u128(lease)), renewal }
    }

    #[test]
    fn a_lease_is_overdue_once_it_was_seen_unrenewed_for_its_length() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut unrenewed = Unrenewed::default();
        for (case, milliseconds, leases, expected) in [
            ("first seen", 0, vec![seen(1, 7), seen(2, 9)], vec![]),
            ("not long enough", 1999, vec![seen(1, 7), seen(2, 9)], vec![]),
            ("one was renewed", 2000, vec![seen(1, 7), seen(2, 10)], vec![seen(1, 7)]),
            ("ended, and a new one came", 3000, vec![seen(2, 10), seen(3, 1)], vec![]),
            ("the renewed one too", 4000, vec![seen(2, 10), seen(3, 1)], vec![seen(2, 10)]),
        ] {
            assert_eq!(unrenewed.see(&leases, at(milliseconds), LEASE), expected, "{case}");
        }
        // Only some were asked about: the others are still known.
        assert_eq!(unrenewed.see(&[seen(4, 1)], at(4500), LEASE), []);
        assert_eq!(unrenewed.see(&[seen(3, 1)], at(5000), LEASE), [seen(3, 1)]);
        unrenewed.forget_all_but(&[seen(2, 10)]);
        assert_eq!(unrenewed.0.len(), 1);
    }
}
