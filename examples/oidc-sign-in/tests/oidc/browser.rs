//! A browser without a window: cookies, redirects that it is told to follow, forms.

use std::collections::BTreeMap;

use buildly_core::gateway_http::Outbound;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response, Uri};
use serde_json::Value;

/// What a page may have.
const PAGE_BYTES_MAX: usize = 1 << 20;

pub(crate) struct Browser {
    network: Outbound,
    /// By host and port, and name.
    pub(crate) cookies: BTreeMap<(String, String), String>,
}

/// An answer, and where it came from.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) address: Uri,
    pub(crate) answer: Response<Bytes>,
}

impl Page {
    pub(crate) fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.answer.body()).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.answer.body()).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// Where it leads, as an address of its own.
    pub(crate) fn location(&self) -> Option<String> {
        let location = self.answer.headers().get(LOCATION)?.to_str().unwrap();
        Some(absolute(&self.address, location))
    }
}

fn absolute(base: &Uri, location: &str) -> String {
    if location.starts_with('/') {
        format!("{}://{}{location}", base.scheme_str().unwrap(), base.authority().unwrap())
    } else {
        location.to_owned()
    }
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self { network: Outbound::new(true).unwrap(), cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, address: &str) -> Page {
        self.ask(Method::GET, address, None, "").await
    }

    pub(crate) async fn as_bearer(&mut self, method: Method, address: &str, token: &str) -> Page {
        self.ask(method, address, Some(token), "").await
    }

    async fn ask(&mut self, method: Method, address: &str, token: Option<&str>, form: &str) -> Page {
        let address: Uri = address.parse().unwrap();
        let host = address.authority().unwrap().to_string();
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|((owner, _), _)| *owner == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        // A form must not meet a connection that the other end is about to close.
        let mut request = Request::builder().method(method).uri(&address).header(CONNECTION, "close");
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if !form.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Bytes::from(form.to_owned())).unwrap();
        let answer = self.network.fetch(request, PAGE_BYTES_MAX).await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let key = (host.clone(), name.to_owned());
            // An empty one is one that is taken away.
            match value {
                "" => drop(self.cookies.remove(&key)),
                value => drop(self.cookies.insert(key, value.to_owned())),
            }
        }
        Page { address, answer }
    }

    /// Goes where it is led, until a page leads nowhere or `until` is where it would go next.
    pub(crate) async fn follow(&mut self, page: Page, until: &str) -> Page {
        let mut page = page;
        while let Some(location) = page.location() {
            if location.starts_with(until) {
                break;
            }
            page = self.get(&location).await;
        }
        page
    }

    /// Sends the first form of a page, with its hidden fields and these.
    pub(crate) async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let text = page.text();
        let action = between(&text, "action=\"", "\"").expect("a form");
        let hidden = text
            .split("<input type=\"hidden\" name=\"")
            .skip(1)
            .filter_map(|rest| Some((rest.split('"').next()?, between(rest, "value=\"", "\"")?)));
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(hidden).extend_pairs(fields);
        let action = absolute(&page.address, action);
        self.ask(Method::POST, &action, None, &form.finish()).await
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split(after).next()
}
