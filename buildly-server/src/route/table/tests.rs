use buildly_core::Buildly;

use super::*;
use crate::route::{delete, get, patch};
use crate::{Problem, Request, Response};

async fn nothing(_: &Buildly, _: Request) -> Result<Response, Problem> {
    Ok(Response::no_content())
}

fn table() -> Table {
    Table::new(&[
        Routes::compat("users", "")
            .add(get("/coreuser/", nothing))
            .add(get("/coreuser/{id}/", nothing))
            .add(patch("/coreuser/{id}/", nothing))
            .add(get("/coreuser/me/", nothing))
            .add(patch("/coreuser/{id}/update_profile/", nothing)),
        Routes::of("docs", "").add(get("/", nothing)).add(get("/docs/{*file}", nothing)),
    ])
    .unwrap()
}

fn found(method: Method, path: &str) -> Option<(&'static str, Vec<(String, String)>)> {
    match table().find(&method, path) {
        Lookup::Found(found) => Some((found.pattern, found.parameters)),
        Lookup::OtherMethods { .. } | Lookup::Unknown => None,
    }
}

#[test]
fn a_slash_at_the_end_makes_no_difference() {
    for path in ["/coreuser", "/coreuser/"] {
        assert_eq!(found(Method::GET, path).unwrap().0, "/coreuser/");
    }
    assert_eq!(found(Method::GET, "/").unwrap().0, "/");
    assert!(found(Method::GET, "/coreuser//").is_none());
}

#[test]
fn a_word_wins_over_a_parameter_and_parameters_are_decoded() {
    assert_eq!(found(Method::GET, "/coreuser/me").unwrap().0, "/coreuser/me/");
    let (pattern, parameters) = found(Method::PATCH, "/coreuser/a%20b/update_profile/").unwrap();
    assert_eq!(pattern, "/coreuser/{id}/update_profile/");
    assert_eq!(parameters, [("id".to_owned(), "a b".to_owned())]);
    assert!(found(Method::GET, "/coreuser/%ff/").is_none());
    assert_eq!(found(Method::GET, "/docs/a/b.css").unwrap().1[0].1, "a/b.css");
}

#[test]
fn head_is_a_get_and_other_methods_are_named() {
    assert!(found(Method::HEAD, "/coreuser/7").is_some());
    let Lookup::OtherMethods { allow, .. } = table().find(&Method::DELETE, "/coreuser/7/") else {
        unreachable!("the path is known");
    };
    assert_eq!(allow, "GET, PATCH, HEAD, OPTIONS");
    assert!(matches!(table().find(&Method::GET, "/crm/contacts/"), Lookup::Unknown));
}

#[test]
fn the_same_operation_twice_is_refused() {
    let twice = Routes::of("a", "").add(delete("/a/", nothing)).add(delete("/a/", nothing));
    assert!(Table::new(&[twice]).is_err());
}
