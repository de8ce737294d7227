//! What the fuzzer asks of the readers of forms: any bytes.

use crate::request::form;

/// Reads `bytes` as a URL-encoded form, and as a multipart form whose content type is the
/// first line.
///
/// # Panics
/// If a URL-encoded form reads otherwise once it is written again, or if a multipart form has
/// a value that stands nowhere in it.
pub fn check_form(bytes: &[u8]) {
    if let Ok(fields) = form::url_encoded(bytes) {
        let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        assert_eq!(form::url_encoded(written.as_bytes()).ok(), Some(fields), "{written}");
    }
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (content_type, body) = bytes.split_at(end);
    let Ok(content_type) = std::str::from_utf8(content_type) else { return };
    if let Ok(fields) = form::multipart(content_type, body) {
        let body = String::from_utf8_lossy(body);
        for (name, value) in &fields {
            assert!(body.contains(name) && body.contains(value), "{name}: {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/form");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 10, "{} files", files.len());
        for file in files {
            check_form(&std::fs::read(&file).unwrap());
        }
    }
}
