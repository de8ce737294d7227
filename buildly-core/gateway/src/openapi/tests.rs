//! The fuzz target's corpus, replayed: what once was a finding stays fixed.

use std::path::Path;

use super::*;

#[test]
fn the_corpus_of_the_fuzz_target_makes_nothing_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/openapi");
    let mut read = 0;
    for entry in std::fs::read_dir(&corpus).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let _ = Api::read(&text);
        if let Ok(document) = Document::read(&text) {
            let _ = crate::merged_document(
                &serde_json::Value::Null,
                [crate::Included { path: "a", prefix: "a", document }],
            );
        }
        read += 1;
    }
    assert!(read >= 10, "only {read} files in {}", corpus.display());
}
