//! Templates of workflows come from anybody. `cargo +nightly fuzz run template`
#![no_main]

use buildly_workflow::{Template, compile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(template) = Template::from_json(bytes) {
        let _ = compile(&template);
    }
});
