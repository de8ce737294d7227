//! Puts joined records into an answer: bytes between bytes, nothing is parsed again.

use bytes::Bytes;

use crate::document::{Document, Layout, rewrite};
use crate::fault::{self, Fault, MESH_FIELD};

/// The records that one field of the answer shows: a list for each record of the document.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// The name of the field.
    pub(crate) name: String,
    /// The lists, in the order of the document's records.
    pub(crate) lists: Vec<Vec<Bytes>>,
}

/// The document with `fields` in each of its records. Faults are named in `_mesh` where the
/// answer is an object; an array has no place for them.
pub(crate) fn splice(document: &Document, fields: &[Field], faults: &[Fault]) -> Bytes {
    let names: Vec<String> = fields.iter().map(|field| member_name(&field.name)).collect();
    let dropped: Vec<&str> = fields.iter().map(|field| field.name.as_str()).chain([MESH_FIELD]).collect();
    let mesh = format!("\"{MESH_FIELD}\":{}", fault::to_json(faults));
    let mesh = (!faults.is_empty()).then_some(mesh);
    // Records that cannot be copied as they are; their bytes live as long as the slices.
    let rewritten: Vec<Option<Vec<u8>>> = document
        .records
        .iter()
        .map(|record| {
            (!record.is_verbatim).then(|| rewrite(&document.slice(record), &dropped).unwrap_or_default())
        })
        .collect();
    let mut slices = Slices::default();
    let mut at = 0;
    for (number, (record, rewritten)) in document.records.iter().zip(&rewritten).enumerate() {
        slices.push(document.part(at, record.start));
        let mut is_empty = match rewritten {
            Some(bytes) => {
                slices.push(bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default());
                bytes.len() <= 2
            }
            None => {
                slices.push(document.part(record.start, record.end.saturating_sub(1)));
                record.is_empty
            }
        };
        for (field, name) in fields.iter().zip(&names) {
            slices.separate(&mut is_empty);
            slices.push(name.as_bytes());
            slices.list(field.lists.get(number).map(Vec::as_slice).unwrap_or_default());
        }
        if let (Layout::Record, Some(mesh)) = (&document.layout, &mesh) {
            slices.separate(&mut is_empty);
            slices.push(mesh.as_bytes());
        }
        slices.push(b"}");
        at = record.end;
    }
    if let (Layout::Page { end, has_reserved: false, .. }, Some(mesh)) = (&document.layout, &mesh) {
        slices.push(document.part(at, *end));
        slices.push(b",");
        slices.push(mesh.as_bytes());
        at = *end;
    }
    slices.push(document.part(at, document.bytes.len()));
    slices.into_bytes()
}

fn member_name(name: &str) -> String {
    format!("{}:", serde_json::Value::from(name))
}

/// What is to be written, in order; copied once, into a buffer of the right size.
#[derive(Default)]
struct Slices<'a> {
    slices: Vec<&'a [u8]>,
}

impl<'a> Slices<'a> {
    fn push(&mut self, slice: &'a [u8]) {
        self.slices.push(slice);
    }

    /// A comma before every member but the first.
    fn separate(&mut self, is_empty: &mut bool) {
        if !std::mem::replace(is_empty, false) {
            self.push(b",");
        }
    }

    fn list(&mut self, records: &'a [Bytes]) {
        self.push(b"[");
        for (number, record) in records.iter().enumerate() {
            if number > 0 {
                self.push(b",");
            }
            self.push(record);
        }
        self.push(b"]");
    }

    fn into_bytes(self) -> Bytes {
        self.slices.concat().into()
    }
}

#[cfg(test)]
mod tests;
