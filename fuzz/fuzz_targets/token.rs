//! Tokens come from anybody. `cargo +nightly fuzz run token`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| buildly_auth::token::fuzzing::check_token(bytes));
