//! Whether a request says clearly whose it is and where it ends (RFC 9112 sections 3.2 and 6.3).
//!
//! Two readers that disagree about that are how requests are smuggled; so what could be read
//! in two ways is refused, and what would make a service read the request otherwise than the
//! gateway checked it is removed.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Uri, Version};

/// What is unclear about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// An HTTP/1.1 request needs the header once; an HTTP/2 one needs an authority.
    #[error("expected exactly one `Host`")]
    Host,
    /// It is no host name with an optional port, or not the one of the request line.
    #[error("`Host` does not name the host of the request")]
    HostMismatch,
    /// Two lengths, or one that is no number.
    #[error("`Content-Length` is not one number")]
    Length,
    /// Both ways to say where the body ends.
    #[error("both `Content-Length` and `Transfer-Encoding` are given")]
    TwoLengths,
    /// A coding other than `chunked`, or HTTP/2, which has none.
    #[error("`Transfer-Encoding` must be `chunked`")]
    TransferEncoding,
}

/// Headers by which some services take another method or path than the one that was checked.
const OVERRIDES: [HeaderName; 6] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-rewrite-url"),
];

/// Checks the head of a request.
///
/// # Errors
/// [`FramingError`] says what is unclear; answer 400 and close the connection.
pub fn check(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), FramingError> {
    check_host(version, uri, headers)?;
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    let is_number = |text: &[u8]| !text.is_empty() && text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
    if lengths.next().is_some() || length.is_some_and(|length| !is_number(length.as_bytes())) {
        return Err(FramingError::Length);
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    if length.is_some() {
        return Err(FramingError::TwoLengths);
    }
    let is_chunked = coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some() || !is_chunked || version != Version::HTTP_11 {
        return Err(FramingError::TransferEncoding);
    }
    Ok(())
}

fn check_host(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), FramingError> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(FramingError::Host);
    }
    let Some(host) = host else {
        let needs_none = version == Version::HTTP_10 || version == Version::HTTP_09;
        let has_authority = version >= Version::HTTP_2 && uri.authority().is_some();
        return if needs_none || has_authority { Ok(()) } else { Err(FramingError::Host) };
    };
    let named = Authority::try_from(host.as_bytes()).map_err(|_| FramingError::HostMismatch)?;
    let fits = uri.authority().is_none_or(|authority| *authority == named);
    if fits && !named.as_str().contains('@') { Ok(()) } else { Err(FramingError::HostMismatch) }
}

/// Removes the headers by which a service would read another method or path out of the request,
/// and those with an underscore in their name: many servers (CGI, WSGI) cannot tell
/// `X_Forwarded_For` from `X-Forwarded-For`, so it would undo what the gateway says.
///
/// ```
/// # use http::HeaderMap;
/// # use buildly_gateway::traffic::framing::remove_overrides;
/// let mut headers = HeaderMap::new();
/// headers.insert("x-http-method-override", "DELETE".parse().unwrap());
/// headers.insert("x_forwarded_for", "127.0.0.1".parse().unwrap());
/// headers.insert("accept", "*/*".parse().unwrap());
/// remove_overrides(&mut headers);
/// assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
/// ```
pub fn remove_overrides(headers: &mut HeaderMap) {
    for name in &OVERRIDES {
        headers.remove(name);
    }
    if headers.keys().any(has_underscore) {
        let named: Vec<HeaderName> = headers.keys().filter(|name| has_underscore(name)).cloned().collect();
        for name in named {
            headers.remove(name);
        }
    }
}

fn has_underscore(name: &HeaderName) -> bool {
    name.as_str().contains('_')
}

#[cfg(test)]
mod tests;
