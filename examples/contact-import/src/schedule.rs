//! Starts a run of a template again and again.
//!
//! The workflow engine has no start by the clock. A run that loops for ever and waits in between
//! would do, but its history would grow without end and it would keep to the version of the
//! template that it was started with. So whoever is here when an import is due starts a run, under
//! a key that names the due time: however many nodes are here, and however often one of them is
//! killed and started again, the run of one due time is started once. What was due while nobody
//! was here is not caught up with: the next import brings what it would have brought.

use std::time::Duration;

use buildly_core::Buildly;
use buildly_core::model::system::{Clock as _, System};
use buildly_core::model::{Principal, Timestamp};
use buildly_core::workflow::{Error, Run, StartRun};

/// Which runs are started, and when.
pub(crate) struct Schedule {
    pub(crate) template: &'static str,
    pub(crate) every: Duration,
}

impl Schedule {
    /// The number of the period that `now` is in, and how long it lasts yet.
    fn period(&self, now: Timestamp) -> (i64, Duration) {
        let every = i64::try_from(self.every.as_micros()).unwrap_or(i64::MAX).max(1);
        let (number, gone) =
            (now.as_microseconds().div_euclid(every), now.as_microseconds().rem_euclid(every));
        (number, Duration::from_micros(u64::try_from(every - gone).unwrap_or(0)))
    }

    /// Starts the run that is due at `now`, if nobody has.
    pub(crate) async fn start(
        &self,
        buildly: &Buildly,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Run, Error> {
        let (number, _) = self.period(now);
        let (template, seconds) = (self.template, self.every.as_secs());
        let start = StartRun {
            template: template.to_owned(),
            // With another interval the periods are others.
            idempotency_key: Some(format!("{template} every {seconds} s, {number}")),
            ..StartRun::default()
        };
        buildly.workflow().start(principal, start).await
    }

    /// Starts what is due, from now on, until it is dropped; tells of each run once it has ended,
    /// or once the next one is due.
    pub(crate) async fn keep(
        &self,
        buildly: &Buildly,
        operator: &Principal,
        told: impl Fn(Result<Run, Error>),
    ) {
        loop {
            let now = System.now();
            let due = now.after(self.period(now).1);
            let run = async {
                let run = self.start(buildly, operator, now).await?.summary.id;
                buildly.workflow().wait(operator, run, due.since(System.now())).await
            };
            told(run.await);
            tokio::time::sleep(due.since(System.now())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_one_number_and_an_end() {
        let schedule = Schedule { template: "x", every: Duration::from_secs(60) };
        let at = |seconds| schedule.period(Timestamp::from_seconds(seconds));
        assert_eq!(at(120), (2, Duration::from_secs(60)));
        assert_eq!(at(179), (2, Duration::from_secs(1)));
        assert_eq!(at(180), (3, Duration::from_secs(60)));
        assert_eq!(at(-1), (-1, Duration::from_secs(1)));
    }
}
