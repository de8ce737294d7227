//! `buildly demo`: a whole deployment with real data, and a story told over real HTTP.

mod client;
pub mod ground;
mod invitation;
mod journal_copy;
mod killed;
mod narrator;
mod onboarding;
mod people;
mod proof;
mod records;
mod rights;
pub mod sample;
mod services;
mod stage;
mod story;

pub use invitation::Invitation;
pub use narrator::{Narrator, Voice};
pub use stage::{Stage, StageError};
pub use story::{Failure, Story};
