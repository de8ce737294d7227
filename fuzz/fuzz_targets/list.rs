//! Queries of lists come from anybody. `cargo +nightly fuzz run list`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| buildly_kit::fuzzing::check_list(bytes));
