//! The `buildly` command.
fn main() {}
