//! What is given to commands: templates and values, in files, on standard input or as they are.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use buildly_core::workflow::template::TEMPLATE_BYTES_MAX;
use serde_json::Value;

use super::Failure;
use crate::request::body::read_document;

/// A document in JSON or YAML, from a file or, for `-`, from standard input.
pub(super) fn document(file: &str) -> Result<Value, Failure> {
    let failed = |error: io::Error| format!("cannot be read: {error}");
    let text = if file == "-" { read(io::stdin().lock()) } else { read(File::open(file).map_err(failed)?) };
    read_document(&text.map_err(failed)?)
}

/// A value: JSON as it stands, or the document of a file or of standard input.
pub(super) fn value(given: &str) -> Result<Value, Failure> {
    if given == "-" || Path::new(given).is_file() {
        return document(given).map_err(|reason| format!("`{given}`: {reason}"));
    }
    serde_json::from_str(given).map_err(|error| {
        format!(
            "expected JSON, a file or `-` for standard input, got `{given}`: no file has that name, and as JSON: \
             {error}"
        )
    })
}

/// The same, where it may be left out.
pub(super) fn value_or_null(given: Option<&str>) -> Result<Value, Failure> {
    given.map_or(Ok(Value::Null), value)
}

fn read(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let limit = TEMPLATE_BYTES_MAX as u64;
    if source.take(limit + 1).read_to_string(&mut text)? as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than the {limit} bytes that are taken"),
        ));
    }
    Ok(text)
}
