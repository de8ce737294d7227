//! What an application may ask of a person's browser: an authorization code (RFC 6749
//! section 4.1) with proof of possession (PKCE, RFC 7636), as RFC 9700 wants it.
//!
//! Pure. A request that names no known application, or an address that is not registered for
//! it, is told to the person and never sent anywhere; every other refusal goes back to the
//! application.

use std::net::IpAddr;

use form_urlencoded::Serializer;

use super::{Application, ApplicationGrant, SCOPE, Snapshot};

/// The longest `state`, in bytes; it comes back as it was sent.
const STATE_LENGTH_MAX: usize = 2048;
/// A SHA-256 in Base64url (RFC 7636 section 4.2).
const CHALLENGE_LENGTH: usize = 43;

/// The query of `/oauth/authorize/`; what is empty counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// `response_type`: only `code`.
    pub response_type: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `redirect_uri`; may be absent where exactly one is registered.
    pub redirect_uri: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `state`, handed back as it is.
    pub state: Option<String>,
    /// `code_challenge`.
    pub code_challenge: Option<String>,
    /// `code_challenge_method`: only `S256`.
    pub code_challenge_method: Option<String>,
}

/// Why no code can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// There is nobody to send the browser back to: tell the person.
    #[error("{0}")]
    Unusable(&'static str),
    /// The application asked for something that it cannot have: send the browser to this
    /// address, which says so.
    #[error("the application is told why at its own address")]
    Refused {
        /// Where to.
        location: String,
    },
}

/// A request that a person may now agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) application: &'a Application,
    /// Where the browser goes.
    pub(super) redirect_uri: &'a str,
    /// Whether the request named it: then the token request must name the same.
    pub(super) names_redirect_uri: bool,
    pub(super) state: Option<&'a str>,
    pub(super) challenge: &'a str,
}

/// Decides whether a person may be asked.
///
/// # Errors
/// [`AuthorizationError`].
pub(super) fn decide<'a>(
    snapshot: &'a Snapshot,
    request: &'a AuthorizationRequest,
    issuer: &str,
) -> Result<Asked<'a>, AuthorizationError> {
    let application = snapshot
        .application_named(request.client_id.as_deref().unwrap_or_default())
        .ok_or(AuthorizationError::Unusable("The application that sent you here is not registered."))?;
    let redirect_uri = redirect_uri(application, request.redirect_uri.as_deref())?;
    let state = request.state.as_deref();
    let refuse = |error, description: &str| {
        let location = error_location(redirect_uri, state, issuer, error, description);
        Err(AuthorizationError::Refused { location })
    };
    if state.is_some_and(|state| state.len() > STATE_LENGTH_MAX) {
        return Err(AuthorizationError::Unusable("The application sent a `state` of over 2048 bytes."));
    }
    if application.grant != ApplicationGrant::AuthorizationCode {
        return refuse("unauthorized_client", "the application is not registered for the authorization code");
    }
    match request.response_type.as_deref() {
        Some("code") => {}
        Some(_) => return refuse("unsupported_response_type", "`response_type` can only be `code`"),
        None => return refuse("invalid_request", "`response_type` is missing; it can only be `code`"),
    }
    let known = |scope: &str| SCOPE.split(' ').any(|own| own == scope);
    if !request.scope.as_deref().unwrap_or_default().split_whitespace().all(known) {
        return refuse("invalid_scope", "the scopes are `read write introspection`");
    }
    if request.code_challenge_method.as_deref() != Some("S256") {
        return refuse("invalid_request", "`code_challenge_method` must be `S256` (RFC 7636)");
    }
    let challenge = request.code_challenge.as_deref().filter(|challenge| is_challenge(challenge));
    let Some(challenge) = challenge else {
        return refuse("invalid_request", "`code_challenge` must be a SHA-256 in Base64url (RFC 7636)");
    };
    let names_redirect_uri = request.redirect_uri.is_some();
    Ok(Asked { application, redirect_uri, names_redirect_uri, state, challenge })
}

/// Where the browser goes with a code.
pub(super) fn code_location(redirect_uri: &str, state: Option<&str>, issuer: &str, code: &str) -> String {
    location(redirect_uri, state, issuer, &[("code", code)])
}

/// Where the browser goes without one (RFC 6749 section 4.1.2.1).
pub(super) fn error_location(
    redirect_uri: &str,
    state: Option<&str>,
    issuer: &str,
    error: &str,
    description: &str,
) -> String {
    location(redirect_uri, state, issuer, &[("error", error), ("error_description", description)])
}

/// Adds to the query of a registered address. The issuer goes along, so that an application
/// of several servers knows who answers (RFC 9207).
fn location(redirect_uri: &str, state: Option<&str>, issuer: &str, pairs: &[(&str, &str)]) -> String {
    let mut target = redirect_uri.to_owned();
    if !target.contains('?') {
        target.push('?');
    } else if !target.ends_with(['?', '&']) {
        target.push('&');
    }
    let start = target.len();
    let mut query = Serializer::for_suffix(target, start);
    query.extend_pairs(pairs);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer).finish()
}

/// The registered address that a request means; compared letter by letter (RFC 9700 section
/// 2.1), save for the port of an application on the person's own machine (RFC 8252 section 7.3).
fn redirect_uri<'a>(
    application: &'a Application,
    asked: Option<&'a str>,
) -> Result<&'a str, AuthorizationError> {
    let mut registered = application.redirect_uris.split_whitespace();
    let unusable = "The application that sent you here named an address that is not registered for it.";
    let found = match asked {
        Some(asked) => registered
            .find(|own| *own == asked || is_same_but_for_port(own, asked))
            .filter(|own| is_redirect_uri(own))
            .map(|_| asked),
        None => registered.next().filter(|own| registered.next().is_none() && is_redirect_uri(own)),
    };
    found.ok_or(AuthorizationError::Unusable(unusable))
}

/// Whether a browser may be sent there: an absolute address without a fragment, over TLS, on
/// the person's own machine, or to an application by a scheme of its own, which has a dot in
/// its name (RFC 8252 section 7.1), so that `javascript:` and its like never match.
pub(super) fn is_redirect_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte);
    if !uri.bytes().all(is_plain) {
        return false;
    }
    match scheme {
        "https" => rest.strip_prefix("//").is_some_and(|rest| !authority(rest).is_empty()),
        "http" => loopback(uri).is_some(),
        own => {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
            own.contains('.') && own.bytes().all(is_letter)
        }
    }
}

fn is_same_but_for_port(own: &str, asked: &str) -> bool {
    match (loopback(own), loopback(asked)) {
        (Some((own_host, own_path)), Some((host, path))) => {
            // A name could lead elsewhere, so the port is free for addresses only.
            own_host.parse::<IpAddr>().is_ok() && own_host == host && own_path == path
        }
        _ => false,
    }
}

/// Host and path of an address on the person's own machine.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let authority = authority(rest);
    let path = rest.strip_prefix(authority)?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_holds =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let is_own = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (port_holds && is_own).then_some((host, path))
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?']).next().unwrap_or_default()
}

fn is_challenge(challenge: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    challenge.len() == CHALLENGE_LENGTH && challenge.bytes().all(is_base64)
}

#[cfg(test)]
mod tests;
