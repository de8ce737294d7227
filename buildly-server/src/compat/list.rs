//! Plain arrays, as the front ends rely on.

use std::fmt::Display;
use std::str::FromStr;

use buildly_core::auth::identity::{List, Place};
use http::header::LINK;
use serde::Serialize;

use crate::{Problem, Request, Response};

/// The query parameter that says after which key a list goes on.
const AFTER: &str = "after";

/// As many rows as the settings allow, in the order of their keys, after the one that the
/// request names.
pub(super) struct Part<T> {
    /// The rows.
    pub(super) rows: Vec<T>,
    /// Where the list goes on, as a `Link` header (RFC 8288); `None` at its end.
    next: Option<String>,
}

impl<T> Part<T> {
    /// Cuts the part that the request asks for out of the whole list.
    pub(super) fn of<K: Ord + FromStr + Display>(
        request: &Request,
        mut all: Vec<T>,
        key: impl Fn(&T) -> K,
    ) -> Result<Self, Problem> {
        all.sort_by_key(&key);
        let after: Option<K> = request.query_value(AFTER)?;
        let begin = after.map_or(0, |after| all.partition_point(|row| key(row) <= after));
        let mut rows = all.split_off(begin);
        let rows_max = request.configuration().limits.list_rows_max as usize;
        let is_cut = rows.len() > rows_max;
        rows.truncate(rows_max);
        let last = rows.last().filter(|_| is_cut).map(|row| key(row).to_string());
        Ok(Self { rows, next: last.map(|last| request.link_to_next(AFTER, &last)) })
    }

    /// The plain array, with the link.
    pub(super) fn answer<U: Serialize>(self, bodies: &[U]) -> Response {
        let response = Response::ok(&bodies);
        match self.next {
            Some(next) => response.with_header(LINK, next),
            None => response,
        }
    }

    /// The same, of bodies that are made of the rows alone.
    pub(super) fn answer_with<U: Serialize>(mut self, into: impl FnMut(T) -> U) -> Response {
        let bodies: Vec<U> = std::mem::take(&mut self.rows).into_iter().map(into).collect();
        self.answer(&bodies)
    }
}

/// The place after which a list by name goes on, from the `Link` of the part before it.
pub(super) fn after(request: &Request) -> Result<Option<Place>, Problem> {
    request.query_value(AFTER)
}

/// A plain array; one that was cut at the configured maximum says in `Link` where it goes on,
/// or, where it cannot, in a header of ours that it was cut.
pub(super) fn plain<T, U: Serialize>(request: &Request, list: List<T>, into: impl FnMut(T) -> U) -> Response {
    let list = list.map(into);
    let response = Response::ok(&list.items);
    if let Some(next) = list.next {
        response.with_header(LINK, request.link_to_next(AFTER, &next.to_string()))
    } else if list.is_cut {
        response.with_header(http::HeaderName::from_static("buildly-list-cut"), "true")
    } else {
        response
    }
}
