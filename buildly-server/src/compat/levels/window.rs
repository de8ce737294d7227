//! Pages as Buildly Core 1.2.0 counted them, with its links: parameters in the order of their
//! names.

use std::str::FromStr as _;

use buildly_core::workflow::levels::{Counted, Listed, Window};
use buildly_model::Place;
use serde::Serialize;
use serde_json::json;

use crate::page::encode;
use crate::{Problem, Request, Response};

/// The rows of a page by offset, if nobody says how many.
const WINDOW_ROWS: u32 = 50;
/// The most of them.
const WINDOW_ROWS_MAX: u32 = 500;
/// The rows of a page by cursor, if nobody says how many.
const PAGE_ROWS: u32 = 30;
/// The most of them.
const PAGE_ROWS_MAX: u32 = 100;

/// The window that `limit` and `offset` ask for.
pub(super) fn window(request: &Request) -> Result<Window, Problem> {
    let rows: u32 = request.query_value("limit")?.filter(|rows| *rows > 0).unwrap_or(WINDOW_ROWS);
    Ok(Window { offset: offset(request)?, rows_max: rows.min(WINDOW_ROWS_MAX) })
}

/// The window of a plain array.
pub(super) fn whole(request: &Request) -> Result<Window, Problem> {
    Ok(Window { offset: offset(request)?, rows_max: request.configuration().limits.list_rows_max })
}

fn offset(request: &Request) -> Result<u64, Problem> {
    Ok(request.query_value("offset")?.unwrap_or(0))
}

/// How many rows `page_size` asks for.
pub(super) fn page_rows(request: &Request) -> Result<u32, Problem> {
    let rows: u32 = request.query_value("page_size")?.filter(|rows| *rows > 0).unwrap_or(PAGE_ROWS);
    Ok(rows.min(PAGE_ROWS_MAX))
}

/// Where a page by cursor begins.
pub(super) fn cursor(request: &Request) -> Result<Option<Place>, Problem> {
    let Some(text) = request.query().first("cursor").filter(|text| !text.is_empty()) else { return Ok(None) };
    let place = Place::from_str(text);
    place.map(Some).map_err(|_| Problem::not_found("Invalid cursor; take it from `next`."))
}

/// `{count, next, previous, results}`
pub(super) fn counted<T, B: Serialize>(
    request: &Request,
    window: Window,
    list: &Counted<T>,
    bodies: &[B],
) -> Response {
    let limit = window.rows_max.to_string();
    let link = |offset: u64| {
        let offset = (offset > 0).then(|| offset.to_string());
        link(request, &[("limit", Some(limit.as_str())), ("offset", offset.as_deref())])
    };
    let end = window.offset.saturating_add(u64::from(window.rows_max));
    Response::ok(&json!({
        "count": list.count,
        "next": (end < list.count).then(|| link(end)),
        "previous": (window.offset > 0).then(|| link(window.offset.saturating_sub(u64::from(window.rows_max)))),
        "results": bodies,
    }))
}

/// `{next, previous, results}`
pub(super) fn page<T, B: Serialize>(request: &Request, list: &Listed<T>, bodies: &[B]) -> Response {
    let next = list.next.as_ref().map(|place| link(request, &[("cursor", Some(&place.to_string()))]));
    Response::ok(&json!({"next": next, "previous": null, "results": bodies}))
}

/// A plain array, which says in `Link` where it goes on.
pub(super) fn array<B: Serialize>(request: &Request, next: Option<(&str, String)>, bodies: &[B]) -> Response {
    let response = Response::ok(&bodies);
    match next {
        Some((parameter, place)) => {
            response.with_header(http::header::LINK, request.link_to_next(parameter, &place))
        }
        None => response,
    }
}

/// The same list with other values of these parameters.
fn link(request: &Request, changed: &[(&str, Option<&str>)]) -> String {
    let is_changed = |name: &str| changed.iter().any(|(other, _)| *other == name);
    let kept = request.query().pairs().filter(|(name, _)| !is_changed(name));
    let new = changed.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    let mut pairs: Vec<(&str, &str)> = kept.chain(new).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    format!("{}{}?{}", request.context().public_url, request.uri().path(), pairs.join("&"))
}
