//! What `buildly demo` shows.

pub mod sample;
