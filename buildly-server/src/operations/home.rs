//! The first page.

use buildly_core::Buildly;
use http::StatusCode;
use http::header::ACCEPT;
use serde_json::{Map, json};

use crate::{Problem, Request, Response};

const LINKS: [(&str, &str); 6] = [
    ("/docs/", "The API of the core and of every registered service"),
    ("/docs/swagger.json", "The same as an OpenAPI document"),
    ("/health_check/", "Whether each component works"),
    ("/coreuser/me/", "Your account, once signed in"),
    ("/logicmodule/", "The registered services"),
    ("/.well-known/jwks.json", "The keys that access tokens are signed with"),
];

/// `GET /`
pub(super) async fn show(_: &Buildly, request: Request) -> Result<Response, Problem> {
    if request.header(ACCEPT).is_some_and(|accept| accept.contains("text/html")) {
        return Ok(Response::html(StatusCode::OK, page()));
    }
    let links: Map<_, _> = LINKS.iter().map(|(path, what)| ((*path).to_owned(), json!(*what))).collect();
    Ok(Response::ok(&json!({"name": "Buildly", "version": env!("CARGO_PKG_VERSION"), "links": links})))
}

fn page() -> String {
    let links: String =
        LINKS.iter().map(|(path, what)| format!("<li><a href=\"{path}\">{path}</a> {what}</li>\n")).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Buildly</title>\n\
         <style>body{{font:16px/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}}</style>\n\
         <h1>Buildly {}</h1>\n<p>Identity, an API gateway and a data mesh over your services.</p>\n\
         <ul>\n{links}</ul>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}
