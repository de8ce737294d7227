//! How new an answer is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in the deployment's feed of changes: an answer at revision `R` has seen every
/// change acknowledged with a revision of at most `R`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// Before the first change.
    pub const ZERO: Self = Self(0);

    /// Takes a number that a storage gave.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
