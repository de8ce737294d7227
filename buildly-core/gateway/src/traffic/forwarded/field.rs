//! Reads the hops that proxies wrote down, oldest first.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue};

use super::{FOR, FORWARDED, HOST, Hop, PROTO, is_host};

/// More hops than any real way has; older ones are not looked at.
const HOPS_MAX: usize = 32;

/// `X-Forwarded-For`: addresses; proto and host are the last ones told.
pub(super) fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let is_secure = last_item(headers, &PROTO).and_then(proto);
    let host = last_item(headers, &HOST).and_then(host);
    let hop = |text| Hop { address: address(text), is_secure, host: host.clone() };
    newest(
        headers
            .get_all(FOR)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or("?").split(','))
            .map(hop)
            .collect(),
    )
}

/// `Forwarded` (RFC 7239 section 4): elements of `name=value` pairs, quoted or not.
pub(super) fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let elements =
        headers.get_all(FORWARDED).iter().flat_map(|value| split(value.to_str().unwrap_or("?"), ','));
    newest(elements.map(element).collect())
}

fn element(text: &str) -> Hop {
    let mut hop = Hop::default();
    for (name, value) in split(text, ';').filter_map(|pair| pair.split_once('=')) {
        let value = unquoted(value.trim());
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => hop.address = address(&value),
            "proto" => hop.is_secure = proto(&value),
            "host" => hop.host = host(&value),
            _ => {}
        }
    }
    hop
}

fn newest(mut hops: Vec<Hop>) -> Vec<Hop> {
    hops.split_off(hops.len().saturating_sub(HOPS_MAX))
}

/// Splits at `separator` outside quotation marks.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let separates = !quoted && character == separator;
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut escaped = false;
    let keep = |character: &char| {
        escaped = *character == '\\' && !escaped;
        !escaped
    };
    inner.chars().filter(keep).collect()
}

fn last_item<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next().map(str::trim)
}

/// An address, with or without a port; IPv6 in brackets or bare.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

fn proto(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

fn host(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok().filter(is_host)
}
