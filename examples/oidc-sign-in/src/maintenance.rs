//! Says no: while there is maintenance, nobody changes anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use buildly_core::auth::security::{Question, Security};
use buildly_core::model::Action;

/// A switch that keeps everybody from changing anything; its clones are one switch.
///
/// Decisions ask it on their way, so it answers from an atomic: no lock, no I/O.
#[derive(Debug, Clone, Default)]
pub struct Maintenance(Arc<AtomicBool>);

impl Maintenance {
    /// Begins or ends it.
    pub fn set(&self, is_on: bool) {
        self.0.store(is_on, Ordering::Relaxed);
    }
}

impl Security for Maintenance {
    fn name(&self) -> &str {
        "maintenance"
    }

    fn refusal(&self, question: &Question<'_>) -> Option<String> {
        let is_refused = self.0.load(Ordering::Relaxed) && question.action != Action::Read;
        is_refused.then(|| "nothing is changed during maintenance; try again later".to_owned())
    }
}
