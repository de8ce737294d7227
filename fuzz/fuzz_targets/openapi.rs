//! API documents come from services and may be anything. `cargo +nightly fuzz run openapi`
#![no_main]

use buildly_gateway::openapi::{Api, Document};
use buildly_gateway::{Included, merged_document};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(api) = Api::read(text) {
        for operation in api.operations() {
            let _ = api.find(&operation.method, &operation.path);
        }
    }
    if let Ok(document) = Document::read(text) {
        let _ = merged_document(&Value::Null, [Included { path: "a", prefix: "a", document }]);
    }
});
