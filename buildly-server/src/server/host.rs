//! Which host a request is for.

use http::header::HOST;
use http::{Request, Version};

/// Whether a request names one host (RFC 9112 section 3.2, RFC 9113 section 8.3.1): none
/// or several mean different things to different servers.
pub(super) fn is_clear<B>(request: &Request<B>) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => hosts <= 1,
        Version::HTTP_11 => hosts == 1,
        _ => hosts <= 1 && (hosts == 1 || request.uri().authority().is_some()),
    }
}
