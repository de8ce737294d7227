//! Names what could not be joined: in `_mesh` of an object, or in the header `Buildly-Mesh`.

use buildly_model::CallError;
use http::HeaderValue;
use serde_json::json;

/// The field of an answer that names faults.
pub(crate) const MESH_FIELD: &str = "_mesh";
/// The header that names faults where the body is a bare array or no JSON object.
pub(crate) const MESH_HEADER: http::HeaderName = http::HeaderName::from_static("buildly-mesh");
/// The most bytes of that header; what does not fit is counted.
const HEADER_BYTES_MAX: usize = 4096;
/// Room for the member that counts.
const COUNT_BYTES: usize = 32;
/// The most bytes that are told of what a service said.
const DETAIL_BYTES_MAX: usize = 500;

/// Why records are missing from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The caller may not do this with the service.
    Forbidden,
    /// No service of that name is registered.
    UnknownService,
    /// The service's document does not have the path of these records.
    UnknownPath,
    /// The service cannot be reached, or broke off.
    Unreachable,
    /// The service takes no more calls now.
    Busy,
    /// The service did not answer in time.
    DeadlineExceeded,
    /// The service answered with an error of its own.
    Status(u16),
    /// The service's answer cannot be read.
    Unreadable,
    /// There are more records than were read.
    Incomplete,
    /// Records came without the field that should hold their key.
    KeyMissing,
    /// The records were written, but could not be linked.
    NotLinked,
}

impl Reason {
    /// The word for it on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::UnknownService => "unknown_service",
            Self::UnknownPath => "unknown_path",
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Status(_) => "status",
            Self::Unreadable => "unreadable",
            Self::Incomplete => "incomplete",
            Self::KeyMissing => "key_missing",
            Self::NotLinked => "not_linked",
        }
    }

    const fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }
}

impl From<&CallError> for Reason {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::UnknownService => Self::UnknownService,
            CallError::Busy { .. } => Self::Busy,
            CallError::DeadlineExceeded { .. } => Self::DeadlineExceeded,
            _ => Self::Unreachable,
        }
    }
}

/// Something that could not be joined or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field of the answer that is not complete.
    pub relationship: String,
    /// The service.
    pub service: String,
    /// What happened.
    pub reason: Reason,
    /// How many records are concerned.
    pub records: usize,
    /// What the service or the mesh says to it.
    pub detail: Option<String>,
}

impl Fault {
    /// As a member of `_mesh`.
    fn to_value(&self) -> serde_json::Value {
        let mut value = json!({
            "relationship": self.relationship,
            "service": self.service,
            "reason": self.reason.name(),
            "records": self.records,
        });
        if let Some(object) = value.as_object_mut() {
            object.extend(self.reason.status().map(|status| ("status".to_owned(), json!(status))));
            object.extend(self.detail.as_ref().map(|detail| ("detail".to_owned(), json!(detail))));
        }
        value
    }

    /// As a member of the header.
    fn to_item(&self) -> String {
        let status = self.reason.status().map(|status| format!(";status={status}")).unwrap_or_default();
        format!(
            "{};service={};reason={}{status};records={}",
            item(&self.relationship),
            item(&self.service),
            self.reason.name(),
            self.records,
        )
    }
}

/// Faults of one branch with the same reason are one fault.
pub(crate) fn merge(faults: Vec<Fault>) -> Vec<Fault> {
    let mut merged: Vec<Fault> = Vec::with_capacity(faults.len());
    for fault in faults {
        let same = |other: &&mut Fault| {
            (&other.relationship, &other.service, other.reason)
                == (&fault.relationship, &fault.service, fault.reason)
        };
        match merged.iter_mut().find(same) {
            Some(known) => {
                known.records += fault.records;
                known.detail = known.detail.take().or(fault.detail);
            }
            None => merged.push(fault),
        }
    }
    merged
}

/// The value of `_mesh`.
pub(crate) fn to_json(faults: &[Fault]) -> String {
    json!({ "faults": faults.iter().map(Fault::to_value).collect::<Vec<_>>() }).to_string()
}

/// The value of the header: an RFC 9651 list, at most 4 kB; what does not fit is counted.
pub(crate) fn to_header(faults: &[Fault]) -> Option<HeaderValue> {
    let mut text = String::new();
    let mut left_out = 0;
    for member in faults.iter().map(Fault::to_item) {
        if text.len() + member.len() + COUNT_BYTES > HEADER_BYTES_MAX {
            left_out += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&member);
    }
    if left_out > 0 {
        let separator = if text.is_empty() { "" } else { ", " };
        text.push_str(&format!("{separator}more;count={left_out}"));
    }
    (!text.is_empty()).then_some(text).and_then(|text| HeaderValue::try_from(text).ok())
}

/// A string, or a display string where it is not plain ASCII (RFC 9651 sections 3.3.3, 3.3.8).
fn item(text: &str) -> String {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let mut out = String::from("%\"");
    for byte in text.bytes() {
        match byte {
            b'%' | b'"' | 0..0x20 | 0x7f.. => out.push_str(&format!("%{byte:02x}")),
            _ => out.push(char::from(byte)),
        }
    }
    out.push('"');
    out
}

/// A short text of what a service said, fit to be shown.
pub(crate) fn detail_of(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => value
            .get("detail")
            .and_then(|detail| detail.as_str().map(str::to_owned))
            .unwrap_or_else(|| value.to_string()),
        Err(_) => return None,
    };
    let end = text
        .char_indices()
        .map(|(at, one)| at + one.len_utf8())
        .take_while(|end| *end <= DETAIL_BYTES_MAX)
        .last()?;
    text.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests;
