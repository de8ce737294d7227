//! "May this user read that resource?", asked of ours and of the peers' packages: the same
//! people, roles and questions, everything in memory, one thread.

mod casbin;
mod cedar;
mod ours;

pub use self::casbin::{CachedCasbin, IndexedCasbin, PlainCasbin};
pub use self::cedar::{OnePolicyCedar, PolicyARoleCedar};
pub use self::ours::{FromToken, People, Resolved, TOKENS};

/// Who answers questions.
pub trait Judge {
    /// Whether the answer to the question of that number is right.
    fn is_right(&self, question: usize) -> bool;
}
