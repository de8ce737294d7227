//! Answers of services may be anything. `cargo +nightly fuzz run splice`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| buildly_mesh::fuzzing::check_splice(bytes));
