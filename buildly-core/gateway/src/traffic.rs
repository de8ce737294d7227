//! Decisions about traffic to services, one a file.
//!
//! All are pure: the time, the turn and random numbers are arguments, and state is a value
//! that fits into one machine word, so that whoever performs calls can keep it in an atomic.
//! The one exception is [`limits`], a bounded table of such values behind sharded locks.

pub mod balance;
pub mod concurrency;
pub mod correlation;
pub mod cors;
pub mod ejection;
pub mod forwarded;
pub mod framing;
pub mod hop_by_hop;
pub mod limits;
pub mod rate_limit;
pub mod retry_budget;
pub mod upload;
