//! What is remembered of services and instances from call to call: atomics that survive a
//! change of the snapshot and go when the service or instance goes.

use std::sync::atomic::{AtomicU64, Ordering};

use buildly_gateway::traffic::ejection::{self, Record};
use buildly_gateway::traffic::retry_budget::{self, Budget};
use buildly_model::Timestamp;

use crate::gate::Gate;

/// Of a service.
pub(crate) struct ServiceState {
    pub(crate) gate: Gate,
    turn: AtomicU64,
    budget: AtomicU64,
}

impl ServiceState {
    pub(crate) fn new(in_flight_max: u32) -> Self {
        Self { gate: Gate::new(in_flight_max), turn: AtomicU64::new(0), budget: AtomicU64::new(0) }
    }

    /// The next turn of the round robin.
    pub(crate) fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Pays a call into the retry budget.
    pub(crate) fn pay_call(&self, policy: &retry_budget::Policy, now: Timestamp) {
        let _ = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
            Some(Budget::from_bits(bits).deposit(policy, now).to_bits())
        });
    }

    /// Takes a retry out of the budget; false if there is none left.
    pub(crate) fn take_retry(&self, policy: &retry_budget::Policy, now: Timestamp) -> bool {
        let taken = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
            Budget::from_bits(bits).withdraw(policy, now).map(Budget::to_bits)
        });
        taken.is_ok()
    }
}

/// Of an instance.
#[derive(Default)]
pub(crate) struct InstanceState(AtomicU64);

impl InstanceState {
    pub(crate) fn is_ejected(&self, policy: &ejection::Policy, now: Timestamp) -> bool {
        Record::from_bits(self.0.load(Ordering::Relaxed)).is_ejected(policy, now)
    }

    pub(crate) fn succeeded(&self, policy: &ejection::Policy, now: Timestamp) {
        let bits = self.0.load(Ordering::Relaxed);
        let next = Record::from_bits(bits).succeeded(policy, now).to_bits();
        if next != bits {
            // If another call was faster, its word counts as much as ours.
            let _ = self.0.compare_exchange(bits, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Notes a failure; true if it ejected the instance.
    pub(crate) fn failed(&self, others: usize, policy: &ejection::Policy, now: Timestamp) -> bool {
        let fail = |bits| Some(Record::from_bits(bits).failed(others, policy, now).to_bits());
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fail).unwrap_or_default();
        let after = fail(before).unwrap_or_default();
        let is_ejected = |bits| Record::from_bits(bits).is_ejected(policy, now);
        !is_ejected(before) && is_ejected(after)
    }
}
