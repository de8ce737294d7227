//! The known defects and holes: how our answer differs, exchange by exchange.

use std::collections::BTreeSet;

use serde_json::Value;

use super::exchange::Exchange;
use super::placeholders::Placeholders;
use super::{compare, field, json_or_text};
use crate::client::Answer;

type Check = fn(&Value, &Answer) -> bool;

/// The status that we answer, and what else must hold of the answer.
#[rustfmt::skip]
const CLOSED: &[(&str, u16, Check)] = &[
    ("auth-007", 400, |body, _| field(body, "error") == "invalid_grant" && text(body, "error_description").contains("approv")),
    ("auth-013", 200, |body, _| body.get("access_token").is_some()),
    ("auth-017", 401, challenges),
    ("auth-019", 401, challenges),
    ("auth-022", 401, challenges),
    ("auth-023", 200, |body, _| field(body, "username") == "ann"),
    ("auth-025", 200, |body, _| body.get("refresh_token").is_some()),
    ("auth-031", 401, challenges),
    ("auth-032", 401, challenges),
    ("auth-042", 200, |body, _| !field(body, "client_secret").is_string() && body.get("client_id").is_some()),
    ("auth-043", 200, |body, _| !field(body, "client_secret").is_string() && field(body, "name") == "front desk"),
    ("auth-049", 200, |body, _| rows(body).iter().all(|row| !field(row, "token").is_string()) && !rows(body).is_empty()),
    ("auth-050", 200, |body, _| rows(body).iter().all(|row| !field(row, "token").is_string()) && !rows(body).is_empty()),
    ("datamesh-013", 401, challenges),
    ("datamesh-030", 400, has_detail),
    ("datamesh-037", 401, challenges),
    ("datamesh-044", 400, has_detail),
    ("datamesh-051", 200, |body, _| !rows(body).is_empty()),
    ("datamesh-060", 200, |body, _| field(body, "related_record_uuid") == "d0000000-0000-4000-8000-000000000003"),
    ("datamesh-068", 400, has_detail),
    ("gateway-022", 200, |body, _| rows(body).len() == 5),
    ("gateway-025", 401, challenges),
    ("gateway-026", 404, has_detail),
    ("gateway-032", 200, |body, _| field(body, "name") == "legacy"),
    ("gateway-034", 200, |body, _| rows(body).len() >= 5),
    ("gateway-042", 201, |body, _| field(body, "name") == "formed" && body.get("color").is_none()),
    ("gateway-055", 502, has_detail),
    ("gateway-061", 403, has_detail),
    ("gateway-065", 403, has_detail),
    ("groups-013", 401, challenges),
    ("groups-037", 403, has_detail),
    ("groups-038", 403, has_detail),
    ("join-034", 200, |body, _| rows(field(body, "product_documents")).is_empty() && field(body, "product_documents").is_array()),
    ("join-039", 200, |body, _| rows(body).len() == 5 && only_own_documents(body)),
    ("join-041", 200, |body, _| field(body, "count") == 5 && only_own_documents(body)),
    ("join-046", 502, |body, _| text(body, "detail").contains("id")),
    ("join-056", 200, |body, _| rows(body).len() > 6),
    ("join-058", 200, |body, _| {
        let first = |row: &Value| field(row, "record_id").as_u64();
        rows(body).iter().all(|row| first(row) != Some(1)) && rows(body).iter().any(|row| first(row) == Some(12)) && rows(body).iter().any(|row| first(row) == Some(21))
    }),
    ("local-023", 200, |body, _| {
        let authors = rows(field(body, "document_author"));
        !authors.is_empty() && authors.iter().all(|author| author.get("password").is_none() && author.get("username").is_some())
    }),
    ("organizations-013", 401, challenges),
    ("organizations-025", 200, |body, _| body.is_array()),
    ("organizations-042", 401, challenges),
    ("organizations-044", 403, has_detail),
    ("organizations-045", 403, has_detail),
    ("platform-021", 404, has_detail),
    ("platform-023", 200, |body, _| field(body, "username") == "ann"),
    ("platform-024", 400, |body, _| body.get("errors").is_some()),
    ("services-013", 401, challenges),
    ("services-016", 200, |body, _| rows(body).is_empty() && (body.is_array() || body.get("results").is_some())),
    ("services-031", 502, has_detail),
    ("users-015", 401, challenges),
    ("users-023", 404, has_detail),
    ("users-035", 200, |body, _| field(body, "last_name") == "Builder" && body.get("password").is_none()),
    ("users-052", 200, |body, _| body.get("detail").is_some()),
    ("users-053", 200, |body, _| body.get("detail").is_some()),
    ("users-065", 401, challenges),
    ("users-068", 201, |body, _| field(body, "is_active") == false),
    ("users-069", 201, |body, _| field(body, "is_active") == false),
    ("users-071", 401, challenges),
    ("users-072", 401, challenges),
    ("workflow-013", 401, challenges),
    ("workflow-052", 201, |body, _| field(body, "created_by").is_u64()),
    ("workflow-054", 201, |body, _| uuid::Uuid::parse_str(text(body, "parent_workflowlevel2")).is_ok()),
    ("workflow-061", 200, |body, _| field(body, "count") == 4 && names(body) == ["Step one", "Step three", "Step two", "x"]),
    ("workflow-062", 200, |body, _| body.is_array() && names(body) == ["Step one", "Step three", "Step two", "x"]),
    ("workflow-063", 200, |body, _| field(body, "count") == 4 && names(body) == ["Step three"] && text(body, "next").ends_with("/workflowlevel2/?limit=1&offset=2") && text(body, "previous").ends_with("/workflowlevel2/?limit=1")),
    ("workflow-074", 200, |body, _| field(body, "name") == "Step one"),
    ("workflow-089", 200, |body, _| rows(body).len() == 1),
    ("workflow-099", 200, |body, _| rows(body).len() == 1 && field(&rows(body)[0], "status") == "active"),
    ("workflow-106", 400, |body, _| field(body, "name").is_array()),
];

/// Where the contract or the design decides otherwise, though the recording has no `closed`.
const DECIDED: &[(&str, &str)] = &[
    ("auth-025", "a retry within 10 s gets the same successor, so that a lost answer logs nobody out"),
    ("join-039", "join records are kept apart by organization when joining"),
    ("join-041", "join records are kept apart by organization when joining"),
    ("join-056", "join records that a write with `?join` makes belong to the organization, too"),
    ("platform-023", "paths work with and without the slash at their end, without a redirect"),
    ("workflow-061", "the level 2 that workflow-054 makes is there, too"),
    ("workflow-062", "the level 2 that workflow-054 makes is there, too"),
    ("workflow-063", "the level 2 that workflow-054 makes is there, too"),
];

/// Why our answer differs, if it does.
pub(super) fn why(exchange: &Exchange) -> Option<String> {
    let decided = DECIDED.iter().find(|(id, _)| *id == exchange.id).map(|(_, why)| (*why).to_owned());
    exchange.closed.clone().or(decided)
}

/// Whether the answer differs from the recorded one in the way that `why` says.
pub(super) fn check(
    exchange: &Exchange,
    why: &str,
    answer: &Answer,
    placeholders: &mut Placeholders,
) -> Result<(), String> {
    let (_, status, holds) =
        CLOSED.iter().find(|(id, ..)| *id == exchange.id).ok_or("nobody wrote down how this one differs")?;
    if answer.status.as_u16() != *status {
        return Err(format!("expected status {status}: {why}"));
    }
    let body = json_or_text(answer);
    if !holds(&body, answer) {
        return Err(format!("the answer does not hold what it should: {why}"));
    }
    // Later exchanges use what this one made; what cannot be bound is simply not needed.
    if answer.status.is_success() && exchange.abridged.is_none() {
        let _ = compare::same(&exchange.body, &body, placeholders, exchange.unordered);
    }
    Ok(())
}

/// Product 3 is linked in another organization only.
fn only_own_documents(body: &Value) -> bool {
    let documents = |id: u64| {
        let product = rows(body).iter().find(|row| *field(row, "id") == id);
        product.map_or(usize::MAX, |product| rows(field(product, "product_documents")).len())
    };
    (documents(1), documents(2), documents(3)) == (2, 1, 0)
}

fn challenges(body: &Value, answer: &Answer) -> bool {
    has_detail(body, answer) && answer.headers.contains_key("www-authenticate")
}

fn has_detail(body: &Value, _: &Answer) -> bool {
    !text(body, "detail").is_empty()
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    field(body, name).as_str().unwrap_or("")
}

fn names(body: &Value) -> Vec<&str> {
    rows(body).iter().map(|row| text(row, "name")).collect()
}

fn rows(body: &Value) -> &[Value] {
    let rows = body.as_array().or_else(|| field(body, "results").as_array());
    rows.map_or(&[], Vec::as_slice)
}

/// Whether a word is the name of an exchange, such as `users-023`.
fn is_exchange(word: &str) -> bool {
    word.split_once('-').is_some_and(|(area, number)| {
        !area.is_empty() && number.len() == 3 && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[test]
fn the_guide_to_moving_names_every_difference_that_the_replay_knows() {
    let page = crate::guides::text("moving-from-buildly-core");
    let words = page.split(|one: char| !one.is_ascii_alphanumeric() && one != '-');
    let named: BTreeSet<&str> = words.filter(|word| is_exchange(word)).collect();
    let known: BTreeSet<&str> = CLOSED.iter().map(|(id, ..)| *id).collect();
    let missing: Vec<_> = known.difference(&named).collect();
    let made_up: Vec<_> = named.difference(&known).collect();
    assert!(missing.is_empty() && made_up.is_empty(), "missing {missing:?}, made up {made_up:?}");
}
