//! Forms come from anybody. `cargo +nightly fuzz run form`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| buildly_server::fuzzing::check_form(bytes));
