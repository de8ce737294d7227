//! Headers that are for the next hop only, and so end here (RFC 9110 section 7.6.1).
//!
//! Gone are the fields that `Connection` names, and those that are hop by hop whether named
//! or not. `Trailer` stays: it only announces which trailers come, and these are passed on.

use http::header::{CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

const ALWAYS: [HeaderName; 8] = [
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHORIZATION,
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("keep-alive"),
];

/// Removes them from the headers of a request or an answer.
///
/// ```
/// # use http::HeaderMap;
/// # use buildly_gateway::traffic::hop_by_hop::strip;
/// let mut headers = HeaderMap::new();
/// headers.insert("connection", "close, x-secret".parse().unwrap());
/// headers.insert("x-secret", "1".parse().unwrap());
/// headers.insert("accept", "*/*".parse().unwrap());
/// strip(&mut headers);
/// assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
/// ```
pub fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
        headers.remove(CONNECTION);
        for option in named.iter().flat_map(options) {
            // What is no header name names no header; `close` and `keep-alive` name none that is there.
            if let Ok(name) = HeaderName::from_bytes(option) {
                headers.remove(name);
            }
        }
    }
    for name in &ALWAYS {
        headers.remove(name);
    }
}

/// Whether the sender takes trailers (`TE: trailers`); ask before [`strip`].
#[must_use]
pub fn takes_trailers(headers: &HeaderMap) -> bool {
    headers.get_all(TE).iter().flat_map(options).any(|option| option.eq_ignore_ascii_case(b"trailers"))
}

/// The protocol that a request asks to switch to, if it may; ask before [`strip`].
///
/// Only HTTP/1.1 has it, `Connection` must name it, and it must be one protocol that is not
/// another version of HTTP or TLS: `h2c` would open a way to the service past the gateway.
#[must_use]
pub fn upgrade(version: Version, headers: &HeaderMap) -> Option<&HeaderValue> {
    let named =
        headers.get_all(CONNECTION).iter().flat_map(options).any(|o| o.eq_ignore_ascii_case(b"upgrade"));
    let mut protocols = headers.get_all(UPGRADE).iter();
    let (protocol, others) = (protocols.next()?, protocols.next());
    (version == Version::HTTP_11 && named && others.is_none() && may_switch_to(protocol)).then_some(protocol)
}

fn may_switch_to(protocol: &HeaderValue) -> bool {
    let name = protocol.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default();
    !name.is_empty()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte))
        && !["http", "h2c", "h2", "h3", "tls"].iter().any(|no| name.eq_ignore_ascii_case(no.as_bytes()))
}

fn options(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|option| !option.is_empty())
}

#[cfg(test)]
mod tests;
