//! Plain arrays, as the front ends rely on.

use buildly_core::auth::identity::List;
use serde::Serialize;

use crate::Response;

/// A plain array; one that was cut at the configured maximum says so in a header.
pub(super) fn plain<T, U: Serialize>(list: List<T>, into: impl FnMut(T) -> U) -> Response {
    let list = list.map(into);
    let response = Response::ok(&list.items);
    if list.is_cut {
        response.with_header(http::HeaderName::from_static("buildly-list-cut"), "true")
    } else {
        response
    }
}
