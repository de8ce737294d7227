//! Time and randomness as ports, and the machine's own: the one file that reads the clock.
//!
//! Decisions take `now` and random numbers as arguments; only an async shell holds a
//! [`Clock`] and a [`Random`].

use crate::Timestamp;

/// Where a shell takes the time from.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Where a shell takes unpredictable bytes from.
pub trait Random: Send + Sync {
    /// Fills `bytes`; fit for keys and tokens.
    fn fill(&self, bytes: &mut [u8]);

    /// A number, each equally likely.
    fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// The clock and the random generator of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        let since_epoch = jiff::Timestamp::now().as_microsecond();
        Timestamp::from_microseconds(since_epoch)
    }
}

impl Random for System {
    /// # Panics
    /// Never in practice: the operating system's generator cannot fail on supported systems;
    /// going on without randomness would be worse than stopping.
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
