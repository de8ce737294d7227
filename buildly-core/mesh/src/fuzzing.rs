//! What the fuzzer asks of the splicer: any bytes, and the answer of a parser beside ours.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::document::{Document, Expected, Wanted};
use crate::fault::MESH_FIELD;
use crate::splice::{Field, splice};

/// Splices a record into every record of `answer`, as one record and as a list.
///
/// # Panics
/// If the outcome differs from what a parser and a map would make of the same bytes, or if
/// bytes that a parser reads are refused.
pub fn check_splice(answer: &[u8]) {
    for expected in [Expected::Detail, Expected::List] {
        let wanted = Wanted { key_field: "id", fields: &["category"], reserved: &["files", MESH_FIELD] };
        let parsed = serde_json::from_slice::<Value>(answer).ok();
        let bytes = Bytes::copy_from_slice(answer);
        let scanned = Document::scan(bytes.clone(), expected, &wanted);
        let (Some(parsed), Ok(scanned)) = (&parsed, &scanned) else {
            let is_doubled_page =
                matches!(&scanned, Err(malformed) if malformed.reason.contains("two members"));
            assert!(parsed.is_none() || is_doubled_page, "JSON was refused: {scanned:?}");
            continue;
        };
        let spliced = scanned.as_ref().map_or(bytes, |document| {
            let child = Bytes::from_static(br#"{"id":7}"#);
            let field = Field { name: "files".to_owned(), lists: vec![vec![child]; document.records.len()] };
            splice(document, &[field], &[])
        });
        let spliced: Option<Value> = serde_json::from_slice(&spliced).ok();
        assert_eq!(spliced.as_ref(), Some(&naive(parsed.clone(), expected)), "spliced");
    }
}

/// The same, with a parser and a map.
fn naive(mut value: Value, expected: Expected) -> Value {
    let extend = |record: &mut Value| {
        if let Some(record) = record.as_object_mut() {
            record.remove(MESH_FIELD).filter(|_| false);
            record.insert("files".to_owned(), json!([{"id": 7}]));
        }
    };
    let all_records = |list: &[Value]| list.iter().all(Value::is_object);
    let results = value.get("results").and_then(Value::as_array);
    let is_page = expected == Expected::List && results.is_some_and(|list| all_records(list));
    match &mut value {
        Value::Array(records) if all_records(records) => records.iter_mut().for_each(extend),
        Value::Object(page) if is_page => {
            let results = page.get_mut("results").and_then(Value::as_array_mut);
            results.into_iter().flatten().for_each(extend);
        }
        Value::Object(_) => extend(&mut value),
        _ => {}
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/splice");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 10, "{} files", files.len());
        for file in files {
            check_splice(&std::fs::read(&file).unwrap());
        }
    }
}
