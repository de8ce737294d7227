//! Pages of our own resources: `next`, `previous`, `results`, by cursor.

use buildly_model::{Cursor, PageSize};
use serde::Serialize;
use serde_json::json;

use crate::{Problem, Request, Response};

impl Request {
    /// How many rows the caller wants on a page, `?limit=`, within the settings.
    ///
    /// # Errors
    /// 400 if it is no number.
    pub fn page_size(&self) -> Result<PageSize, Problem> {
        let wanted: Option<u32> = self.query_value("limit")?;
        let rows_max = self.configuration().limits.page_rows_max;
        Ok(PageSize::clamped(wanted.unwrap_or(PageSize::DEFAULT.rows()).min(rows_max)))
    }

    /// Where the page begins, `?cursor=`; `None` for the first.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.query().first("cursor").filter(|text| !text.is_empty()).map(|text| Cursor(text.to_owned()))
    }

    /// The URL of the same list from another place on.
    pub(crate) fn url_of_page(&self, cursor: &Cursor) -> String {
        self.url_from("cursor", &cursor.0)
    }

    /// The URL of the same list with another value of the parameter that says where it begins.
    pub(crate) fn url_from(&self, parameter: &str, place: &str) -> String {
        let mut url = format!("{}{}?", self.context().public_url, self.uri().path());
        for (name, value) in self.query().pairs().filter(|(name, _)| *name != parameter) {
            url.push_str(&format!("{}={}&", encode(name), encode(value)));
        }
        url.push_str(&format!("{parameter}={}", encode(place)));
        url
    }

    /// The value of a `Link` header to where the same list goes on (RFC 8288).
    pub(crate) fn link_to_next(&self, parameter: &str, place: &str) -> String {
        format!("<{}>; rel=\"next\"", self.url_from(parameter, place))
    }
}

impl Response {
    /// 200 with one page of a list.
    pub fn page<T: Serialize>(request: &Request, rows: &[T], next: Option<&Cursor>) -> Self {
        let next = next.map(|cursor| request.url_of_page(cursor));
        Self::ok(&json!({"next": next, "previous": null, "results": rows}))
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
