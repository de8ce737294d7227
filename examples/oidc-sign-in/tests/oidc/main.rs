//! Sign-in by an OpenID Connect provider: by one that others wrote, and by hostile ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests report by panicking"
)]

mod browser;
mod foreign;
mod hostile;
mod maintenance;
mod site;
