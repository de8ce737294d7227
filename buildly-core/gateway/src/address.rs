//! Where a service listens: a base URL, and whether it is near.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use buildly_model::FieldError;
use http::Uri;
use http::uri::{Authority, Scheme};
use serde::{Deserialize, Serialize};

/// The longest base URL that is taken, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// The URL under which an instance of a service listens: `http` or `https`, a host, perhaps a
/// port and a path; no user, query or fragment.
///
/// ```
/// use buildly_gateway::{AddressClass, BaseUrl};
/// let url = BaseUrl::parse("http://127.0.0.1:8001/api/").unwrap();
/// assert_eq!((url.authority().as_str(), url.path()), ("127.0.0.1:8001", "/api"));
/// assert_eq!(url.address_class(), AddressClass::Loopback);
/// assert!(BaseUrl::parse("ftp://example.org").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl {
    text: String,
    scheme: Scheme,
    authority: Authority,
    path: String,
}

/// How far away an address is; decides what travels to a service when nobody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// This machine.
    Loopback,
    /// A private network (RFC 1918, RFC 4193), or a name that only a private network resolves:
    /// one without a dot, or below `local`, `internal` or `home.arpa`.
    Private,
    /// Anything else.
    Public,
}

impl BaseUrl {
    /// Reads a base URL.
    ///
    /// # Errors
    /// A [`FieldError`] for `endpoint` that says what was expected.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let refused = |reason: &str| FieldError::new("endpoint", reason.to_owned());
        let text = text.trim();
        if text.len() > URL_BYTES_MAX {
            return Err(refused("Enter a URL of at most 2048 bytes."));
        }
        let uri: Uri = text.parse().map_err(|_| refused("Enter a valid URL."))?;
        let parts = uri.into_parts();
        let scheme = parts
            .scheme
            .filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)
            .ok_or_else(|| refused("Enter a valid URL that begins with http:// or https://."))?;
        let authority = parts.authority.ok_or_else(|| refused("Enter a valid URL with a host."))?;
        let has_port_text = authority.as_str().rsplit_once(':').map(|(_, port)| port);
        let port_is_wrong = has_port_text
            .is_some_and(|port| !port.ends_with(']') && authority.port_u16().is_none_or(|port| port == 0));
        if authority.host().is_empty() || port_is_wrong {
            return Err(refused("Enter a valid URL: its host or port is not valid."));
        }
        if authority.as_str().contains('@') {
            return Err(refused(
                "Enter a URL without user and password; declare the credential of the service instead.",
            ));
        }
        let path = parts.path_and_query.ok_or_else(|| refused("Enter a valid URL."))?;
        if path.query().is_some() || text.contains('#') {
            return Err(refused("Enter a URL without query and fragment."));
        }
        let path = path.path();
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(refused("Enter a URL whose path has no `.` and `..` segments."));
        }
        let path = path.trim_end_matches('/').to_owned();
        Ok(Self { text: text.to_owned(), scheme, authority, path })
    }

    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Host and port.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The path, without a slash at its end; empty if there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// This URL and `path` below it; `path` begins with a slash and does not end with one.
    #[must_use]
    pub(crate) fn below(&self, path: &str) -> Self {
        let text = format!("{}{path}", self.text.trim_end_matches('/'));
        Self { text, path: format!("{}{path}", self.path), ..self.clone() }
    }

    /// Whether the two have the same origin (RFC 6454 section 5): scheme, host and port.
    #[must_use]
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.authority.host().eq_ignore_ascii_case(other.authority.host())
            && self.port() == other.port()
    }

    /// The port, also where it is the scheme's own.
    #[must_use]
    pub fn port(&self) -> u16 {
        let default = if self.scheme == Scheme::HTTPS { 443 } else { 80 };
        self.authority.port_u16().unwrap_or(default)
    }

    /// How far away it is, by the host as it is written; nothing is looked up.
    #[must_use]
    pub fn address_class(&self) -> AddressClass {
        let host = self.authority.host();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => class_of_address(address),
            Err(_) => class_of_name(bare),
        }
    }
}

fn class_of_address(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(address) if address.is_loopback() => AddressClass::Loopback,
        IpAddr::V4(address) if address.is_private() => AddressClass::Private,
        IpAddr::V4(_) => AddressClass::Public,
        IpAddr::V6(Ipv6Addr::LOCALHOST) => AddressClass::Loopback,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => class_of_address(IpAddr::V4(mapped)),
            None if address.is_unique_local() => AddressClass::Private,
            None => AddressClass::Public,
        },
    }
}

fn class_of_name(name: &str) -> AddressClass {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return AddressClass::Loopback;
    }
    // A dotless name that begins with a digit or `0x` could be read as a number, and so as any address.
    let is_single_label = !name.contains('.') && name.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_private = [".local", ".internal", ".home.arpa"].iter().any(|suffix| name.ends_with(suffix));
    if is_single_label || is_private { AddressClass::Private } else { AddressClass::Public }
}

impl TryFrom<String> for BaseUrl {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse(&text)
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.text
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BaseUrl({})", self.text)
    }
}

#[cfg(test)]
mod tests;
