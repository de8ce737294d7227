//! Who the client really is, and telling services: `Forwarded` (RFC 7239) and `X-Forwarded-*`.
//!
//! Anybody can send these headers, so they count only if the peer is a proxy that was
//! configured, and only the one field that it is known to write: a proxy that writes
//! `X-Forwarded-For` passes a forged `Forwarded` on, and the other way round. What services
//! get is written anew, in both forms.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};

mod field;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod network;

pub use network::Network;

/// `Forwarded`.
pub const FORWARDED: HeaderName = http::header::FORWARDED;
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Other names under which services believe the same; never passed on.
const OTHERS: [HeaderName; 6] = [
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-forwarded-ssl"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
];

/// The far end of the connection that a request came on; the server puts it into the
/// request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub is_secure: bool,
}

/// The field that the configured proxies write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Field {
    /// `X-Forwarded-For`, `-Proto`, `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded`.
    Forwarded,
}

/// Which proxies are believed; nobody by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Where they are.
    pub proxies: Vec<Network>,
    /// What they write.
    pub field: Field,
}

/// Where a request came from, as far as it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The first address that is not a trusted proxy.
    pub address: IpAddr,
    /// Whether the client spoke TLS.
    pub is_secure: bool,
    /// The host that the client asked for.
    pub host: Option<HeaderValue>,
}

/// One hop as a proxy told it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hop {
    address: Option<IpAddr>,
    is_secure: Option<bool>,
    host: Option<HeaderValue>,
}

impl Trust {
    fn includes(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }

    /// The client behind `peer`: going back through the hops while each was told by a proxy
    /// that is trusted.
    #[must_use]
    pub fn client(&self, peer: &Peer, headers: &HeaderMap) -> Client {
        let own_host = headers.get(http::header::HOST).filter(|host| is_host(host)).cloned();
        let mut client =
            Client { address: peer.address.ip().to_canonical(), is_secure: peer.is_secure, host: own_host };
        if !self.includes(client.address) {
            return client;
        }
        let hops = match self.field {
            Field::Forwarded => field::forwarded(headers),
            Field::XForwarded => field::x_forwarded(headers),
        };
        for hop in hops.into_iter().rev() {
            // An address that cannot be read ends what can be believed.
            let Some(address) = hop.address else { break };
            client.address = address;
            client.is_secure = hop.is_secure.unwrap_or(client.is_secure);
            client.host = hop.host.or(client.host);
            if !self.includes(address) {
                break;
            }
        }
        client
    }
}

impl Client {
    /// Replaces whatever the request says about its way by what is believed.
    pub fn write(&self, headers: &mut HeaderMap) {
        remove(headers);
        let proto = if self.is_secure { "https" } else { "http" };
        let mut forwarded = match self.address {
            IpAddr::V4(address) => format!("for={address};proto={proto}"),
            IpAddr::V6(address) => format!("for=\"[{address}]\";proto={proto}"),
        };
        if let Some(host) = &self.host {
            forwarded.push_str(";host=\"");
            forwarded.push_str(host.to_str().unwrap_or_default());
            forwarded.push('"');
            headers.insert(HOST, host.clone());
        }
        headers.insert(PROTO, HeaderValue::from_static(proto));
        let fields = [(FOR, self.address.to_string()), (FORWARDED, forwarded)];
        headers.extend(fields.into_iter().filter_map(|(name, text)| Some((name, text.try_into().ok()?))));
    }
}

/// Removes everything that a request says about its way.
pub fn remove(headers: &mut HeaderMap) {
    for name in OTHERS.iter().chain(&[FOR, PROTO, HOST, FORWARDED]) {
        headers.remove(name);
    }
}

/// A name or address with an optional port, safe inside quotation marks.
fn is_host(host: &HeaderValue) -> bool {
    let host = host.as_bytes();
    (1..=255).contains(&host.len())
        && host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(byte))
}

#[cfg(test)]
mod tests;
