//! Forwarding headers come from anybody. `cargo +nightly fuzz run forwarded`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| buildly_gateway::traffic::forwarded::fuzzing::check_forwarded(bytes));
