//! A request as it leaves for a service: without what is not for it, with what is.

use buildly_gateway::traffic::forwarded::{self, Peer, Trust};
use buildly_gateway::traffic::framing;
use buildly_gateway::traffic::hop_by_hop::{self, takes_trailers};
use buildly_gateway::traffic::retry_budget::is_repeatable;
use buildly_gateway::{BaseUrl, Version};
use buildly_model::Body;
use http::header::{AUTHORIZATION, CONNECTION, COOKIE, EXPECT, HOST, TE, UPGRADE, VIA};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use hyper::upgrade::OnUpgrade;

use crate::live::{LiveCredential, LiveInstance};

/// So many gateways a request may pass; more is a circle.
const HOPS_MAX: usize = 10;
const OURS: &str = "buildly";

/// A request to a service, whichever instance gets it.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    path: PathAndQuery,
    headers: HeaderMap,
    pub(crate) version: Option<Version>,
    pub(crate) is_repeatable: bool,
    pub(crate) upgrade: Option<OnUpgrade>,
}

/// The request went through too many gateways: it goes round in a circle.
#[derive(Debug, thiserror::Error)]
#[error("the request passed more than {HOPS_MAX} gateways; a service is registered in a circle")]
pub(crate) struct Circle;

impl Outgoing {
    /// Takes a request as it came, and gives it with its body.
    pub(crate) fn new(
        request: Request<Body>,
        authorization: Option<HeaderValue>,
        credential: &LiveCredential,
        trust: &Trust,
    ) -> Result<(Self, Body), Circle> {
        let (mut parts, body) = request.into_parts();
        let headers = &mut parts.headers;
        if hops(headers) > HOPS_MAX {
            return Err(Circle);
        }
        let takes_trailers = takes_trailers(headers);
        let on_upgrade = parts.extensions.remove::<OnUpgrade>();
        let switch = hop_by_hop::upgrade(parts.version, headers).cloned();
        let client = parts.extensions.get::<Peer>().map(|peer| trust.client(peer, headers));
        hop_by_hop::strip(headers);
        framing::remove_overrides(headers);
        // Only what the service gets counts: `Connection` may have named the key.
        let is_repeatable = is_repeatable(&parts.method, headers);
        match client {
            Some(client) => client.write(headers),
            None => forwarded::remove(headers),
        }
        // The caller was told to go on when its body was first read; nobody waits further on.
        headers.remove(EXPECT);
        headers.remove(HOST);
        set_credential(headers, credential, authorization);
        let upgrade = switch.zip(on_upgrade).map(|(protocol, on_upgrade)| {
            headers.insert(UPGRADE, protocol);
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            on_upgrade
        });
        if takes_trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        let via = if parts.version == http::Version::HTTP_2 { "2.0 buildly" } else { "1.1 buildly" };
        headers.append(VIA, HeaderValue::from_static(via));
        let path = parts.uri.into_parts().path_and_query;
        let outgoing = Self {
            method: parts.method,
            path: path.unwrap_or_else(|| PathAndQuery::from_static("/")),
            headers: parts.headers,
            version: parts.extensions.remove(),
            is_repeatable,
            upgrade,
        };
        Ok((outgoing, body))
    }

    /// The request to one instance. `is_last`: there will be no other attempt, so the headers
    /// need no copy.
    pub(crate) fn request<B>(
        &mut self,
        instance: &LiveInstance,
        body: B,
        is_last: bool,
    ) -> Result<Request<B>, http::Error> {
        let headers = if is_last { std::mem::take(&mut self.headers) } else { self.headers.clone() };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = headers;
        let base = &instance.base_url;
        if instance.connection.is_some() {
            *request.uri_mut() = Uri::builder().path_and_query(joined(base, &self.path)?).build()?;
        } else {
            *request.uri_mut() = Uri::builder()
                .scheme(base.scheme().clone())
                .authority(base.authority().clone())
                .path_and_query(joined(base, &self.path)?)
                .build()?;
        }
        // HTTP/2, which TLS may bring, says it in `:authority`; the client does that.
        if let Some(host) = instance.host.clone().filter(|_| *base.scheme() == Scheme::HTTP) {
            request.headers_mut().insert(HOST, host);
        }
        Ok(request)
    }
}

/// How often the request came through a gateway of ours; whoever passes it on may fold several
/// hops into one field.
fn hops(headers: &HeaderMap) -> usize {
    let fields = headers.get_all(VIA).iter().filter_map(|via| via.to_str().ok());
    fields.flat_map(|via| via.split(',')).filter(|hop| hop.trim().ends_with(OURS)).count()
}

/// The path below the base URL's own; copied only if there is one.
fn joined(base: &BaseUrl, path: &PathAndQuery) -> Result<PathAndQuery, http::Error> {
    if base.path().is_empty() {
        return Ok(path.clone());
    }
    Ok(PathAndQuery::try_from([base.path(), path.as_str()].concat())?)
}

/// Nobody's proof of identity goes to a stranger: neither the caller's token nor its cookies.
fn set_credential(headers: &mut HeaderMap, credential: &LiveCredential, authorization: Option<HeaderValue>) {
    headers.remove(AUTHORIZATION);
    let (value, keeps_cookies) = match credential {
        LiveCredential::Forward => (authorization, true),
        LiveCredential::Own(value) => (value.clone(), false),
        LiveCredential::None => (None, false),
    };
    if let Some(value) = value {
        headers.insert(AUTHORIZATION, value);
    }
    if !keeps_cookies {
        headers.remove(COOKIE);
    }
}
