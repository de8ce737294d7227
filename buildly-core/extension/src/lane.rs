//! A lane: one order of events on its way out, and how far it has come.

use std::time::Duration;

use buildly_journal::LeaseId;
use buildly_model::{OrganizationId, Timestamp};

/// The pause after a first failure; each further one doubles it.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// No pause is longer, so that a receiver that is back is found soon.
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Which lane: events of one chain, through one transport, to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey {
    /// The transport's name.
    pub transport: String,
    /// Whose events; `None` is the deployment's own chain.
    pub organization: Option<OrganizationId>,
    /// Which of the transport's lanes for that organization; empty where it has one each.
    pub lane: String,
}

/// A lane as the storage has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    /// The number of the last event that is out.
    pub sequence: u64,
    /// Whether this caller holds it now; nobody else moves it meanwhile.
    pub is_taken: bool,
    /// Whether there are later events in the chain.
    pub is_behind: bool,
    /// Whether somebody has paused it.
    pub is_paused: bool,
    /// What is wrong, if the last attempt failed.
    pub trouble: Option<Trouble>,
}

/// Why a lane does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// How many attempts have failed, one after another.
    pub failures: u32,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub retry_at: Timestamp,
    /// What went wrong last.
    pub fault: String,
}

/// How far a lane has come; whoever moves it lets it go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which lane.
    pub key: LaneKey,
    /// Who holds it; if that is somebody else by now, nothing is written.
    pub owner: LeaseId,
    /// The number of the last event that is out.
    pub sequence: u64,
    /// What went wrong with the next one.
    pub trouble: Option<Trouble>,
}

/// How long to wait after so many failures, one after another: 1 s, 2 s, 4 s … 1 h, and up to
/// an eighth more by `random`, so that not all come back at once.
#[must_use]
pub fn pause_after(failures: u32, random: u64) -> Duration {
    let doubled = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(20)));
    let pause = doubled.min(PAUSE_MAX);
    let eighth = u64::try_from(pause.as_millis() / 8).unwrap_or(0).max(1);
    pause + Duration::from_millis(random % eighth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_an_hour_and_differ_a_little() {
        let seconds = |failures| pause_after(failures, 0).as_secs();
        assert_eq!([1, 2, 3, 4].map(seconds), [1, 2, 4, 8]);
        assert_eq!([13, 50, u32::MAX].map(seconds), [3600; 3]);
        assert_eq!(seconds(0), 1);
        for random in [0, 1, 99, u64::MAX] {
            let pause = pause_after(4, random);
            assert!((8000..9000).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
