//! Forms: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578).

use crate::Problem;

use super::Query;

/// The most parts of a multipart form.
const PARTS_MAX: usize = 1000;

/// Reads a URL-encoded form.
pub(crate) fn url_encoded(bytes: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::invalid("The form is not valid UTF-8."))?;
    let query = Query::parse(text.trim_end_matches(['\r', '\n']))
        .map_err(|_| Problem::invalid("The form is not valid percent-encoded UTF-8."))?;
    Ok(query.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Reads a multipart form of text fields; parts that are files are left out.
pub(crate) fn multipart(content_type: &str, bytes: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    let boundary = parameter(content_type, "boundary")
        .filter(|boundary| (1..=70).contains(&boundary.len()))
        .ok_or_else(|| Problem::invalid("The multipart form names no boundary."))?;
    let delimiter = format!("--{boundary}");
    let mut fields = Vec::new();
    let mut sections = split(bytes, delimiter.as_bytes()).into_iter().skip(1);
    loop {
        let section = sections.next().ok_or_else(|| malformed("its last boundary is missing"))?;
        if section.starts_with(b"--") {
            return Ok(fields);
        }
        if fields.len() >= PARTS_MAX {
            return Err(malformed("it has too many parts"));
        }
        if let Some(field) = part(section)? {
            fields.push(field);
        }
    }
}

fn part(section: &[u8]) -> Result<Option<(String, String)>, Problem> {
    let section = section.strip_prefix(b"\r\n").ok_or_else(|| malformed("a boundary ends oddly"))?;
    let section = section.strip_suffix(b"\r\n").unwrap_or(section);
    let mut halves = split(section, b"\r\n\r\n").into_iter();
    let head = halves.next().unwrap_or_default();
    let start = head.len().saturating_add(4);
    let value = section.get(start..).ok_or_else(|| malformed("a part has no value"))?;
    let head = std::str::from_utf8(head).map_err(|_| malformed("a part's head is not UTF-8"))?;
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))
        .map(|(_, value)| value)
        .ok_or_else(|| malformed("a part has no name"))?;
    if parameter(disposition, "filename").is_some() {
        return Ok(None);
    }
    let name = parameter(disposition, "name").ok_or_else(|| malformed("a part has no name"))?;
    let value = std::str::from_utf8(value).map_err(|_| malformed("a part is not valid UTF-8"))?;
    Ok(Some((name, value.to_owned())))
}

/// A parameter of a header value, such as `boundary` (RFC 9110 section 5.6.6).
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn malformed(reason: &str) -> Problem {
    Problem::invalid(format!("The multipart form cannot be read: {reason}."))
}

/// Splits at every occurrence of `separator`.
fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= separator.len()) {
        if rest.starts_with(separator) {
            pieces.push(bytes.get(start..at).unwrap_or_default());
            at += separator.len();
            start = at;
        } else {
            at += 1;
        }
    }
    pieces.push(bytes.get(start..).unwrap_or_default());
    pieces
}
