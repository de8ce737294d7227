use std::time::Duration;

use buildly_model::system::System;
use serde_json::{Value, json};

use super::*;

fn request(method: Method, target: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    try_request(method, target, headers, body).unwrap()
}

fn try_request(
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Result<Request, Problem> {
    let mut builder = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let mut context = Context::default();
    context.configuration.limits.body_bytes_max = 1000;
    context.configuration.limits.body_timeout = Duration::from_millis(20);
    let correlation = CorrelationId::of_request(&HeaderMap::new(), buildly_model::Timestamp::EPOCH, &System);
    let arrival = Arrival { peer: None, correlation, context: Arc::new(context) };
    Request::new(builder.body(body.into()).unwrap(), Vec::new(), arrival)
}

#[test]
fn a_query_keeps_repeated_names_and_decodes_both_forms_of_a_space() {
    let request = request(Method::GET, "/x?id=1&join&id=2%263&name=a+b%20c&%zz=%", &[], "");
    assert_eq!(request.query().all("id").collect::<Vec<_>>(), ["1", "2&3"]);
    assert_eq!(request.query().first("name"), Some("a b c"));
    assert!(request.query().has("join"));
    assert_eq!(request.query().first("%zz"), Some("%"));
}

#[test]
fn a_query_that_is_not_utf_8_is_refused() {
    let problem = try_request(Method::GET, "/x?name=%ff", &[], "").unwrap_err();
    assert_eq!(problem.status(), 400);
}

#[test]
fn the_authorization_header_is_read_by_scheme() {
    let of = |value: &'static str| request(Method::GET, "/", &[("authorization", value)], "").authorization();
    assert!(matches!(of("Bearer abc"), Ok(Authorization::Token(secret)) if secret.expose() == "abc"));
    assert!(matches!(of("JWT  abc"), Ok(Authorization::Token(secret)) if secret.expose() == "abc"));
    let basic = of("Basic Y2xpZW50OnNlOmNyZXQ=").unwrap();
    assert!(
        matches!(basic, Authorization::Basic { name, secret } if name == "client" && secret.expose() == "se:cret")
    );
    for bad in ["Bearer", "Bearer ", "Bearer a b", "Digest x", "Basic %%%", "Basic YQ=="] {
        assert_eq!(of(bad).unwrap_err().status(), 401, "{bad}");
    }
}

#[tokio::test]
async fn bad_json_gets_a_clear_400() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Thing {
        name: String,
    }
    for (case, body, expected) in [
        ("malformed", "{", "JSON parse error - "),
        ("not an object", "7", "expected an object at line"),
        ("unknown field", r#"{"name":"a","nam":"b"}"#, "`nam`"),
        ("missing field", "{}", "`name`"),
        ("wrong type", r#"{"name":7}"#, "expected a string"),
    ] {
        let mut request =
            request(Method::POST, "/x", &[("content-type", "application/json")], body.to_owned());
        let problem = request.json::<Thing>().await.unwrap_err();
        assert_eq!(problem.status(), 400, "{case}");
        assert!(problem.detail().contains(expected), "{case}: {}", problem.detail());
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_too_slow_is_refused() {
    let mut large = request(Method::POST, "/x", &[], vec![b' '; 1001]);
    assert_eq!(large.bytes().await.unwrap_err().status(), 413);

    struct Never;
    impl http_body::Body for Never {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
    let mut slow = request(Method::POST, "/x", &[], "");
    slow.body = Mutex::new(Body::stream(Never));
    assert_eq!(slow.bytes().await.unwrap_err().status(), 408);
}

#[tokio::test]
async fn json_and_both_kinds_of_forms_give_the_same_fields() {
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nada & co\r\n\
        --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n\
        --x\r\nContent-Disposition: form-data; name=\"active\"\r\n\r\ntrue\r\n--x--\r\n";
    for (media_type, body) in [
        ("application/json", r#"{"username": "ada & co", "active": true}"#),
        ("application/json; charset=utf-8", r#"{"username": "ada & co", "active": "true"}"#),
        ("application/x-www-form-urlencoded", "username=ada+%26+co&active=on"),
        ("multipart/form-data; boundary=x", multipart),
    ] {
        let mut request = request(Method::POST, "/x", &[("content-type", media_type)], body);
        let mut fields = request.fields().await.unwrap();
        assert_eq!(fields.required_text("username"), "ada & co", "{media_type}");
        assert_eq!(fields.boolean("active"), Some(true), "{media_type}");
        assert!(!fields.has("file"));
        fields.finish().unwrap();
    }
}

#[tokio::test]
async fn a_multipart_form_that_breaks_off_is_refused() {
    for body in [
        "",
        "--x",
        "--x\r\n",
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb",
        "--x\r\n\r\n--x--",
    ] {
        let mut request =
            request(Method::POST, "/x", &[("content-type", "multipart/form-data; boundary=x")], body);
        assert_eq!(request.fields().await.unwrap_err().status(), 400, "{body:?}");
    }
}

#[test]
fn every_refused_field_is_named_at_once() {
    let values = json!({"name": " ", "age": "old", "tags": "a", "on": "maybe", "id": "7", "none": null});
    let Value::Object(values) = values else { unreachable!() };
    let mut fields = Fields::of_json(values);
    fields.required_text("name");
    fields.required_text("email");
    fields.required_text("none");
    fields.integer("age");
    fields.list("tags");
    fields.boolean("on");
    fields.parsed::<uuid::Uuid>("id");
    let problem = fields.finish().unwrap_err();
    assert!(problem.detail().starts_with("7 fields"), "{}", problem.detail());
}
