//! What an operator and a newcomer see.

use buildly_model::Body;
use http::{Method, Request};
use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn every_component_is_said_to_work() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        for path in ["/health_check/", "/health_check"] {
            let answer = server.client.get(path).await.expect(200);
            assert_eq!(answer.json(), json!({"DatabaseBackend": "working"}));
        }
        assert_eq!(server.client.get("/livez").await.expect(200).text(), "ok\n");
        assert_eq!(server.client.get("/readyz").await.expect(200).text(), "ok\n");
        server.stop().await;
    }
}

#[tokio::test]
async fn the_first_page_fits_who_asks() {
    let server = TestServer::start().await;
    assert!(server.client.get("/").await.expect(200).json()["links"]["/docs/"].is_string());
    let browser = Request::get(server.client.url("/")).header("accept", "text/html,*/*");
    let page = server.client.request(browser.body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("href=\"/docs/\""));
    server.stop().await;
}

#[tokio::test]
async fn the_documentation_page_needs_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let page = server.client.get("/docs/").await.expect(200);
    assert!(page.text().contains("swagger-ui") && !page.text().contains("//cdn"), "{}", page.text());
    for asset in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "index.css"] {
        server.client.get(&format!("/docs/{asset}")).await.expect(200);
    }
    let initializer = server.client.get("/docs/swagger-initializer.js").await.expect(200).text();
    assert!(initializer.contains("\"swagger.json\""), "{initializer}");
    assert_eq!(server.client.get("/docs/swagger.json").await.expect(200).json()["openapi"], "3.1.0");
    assert_eq!(server.client.get("/docs").await.expect(302).header("location"), "docs/");
    server.client.get("/docs/nothing.js").await.expect(404);
    server.stop().await;
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_named() {
    let server = TestServer::start().await;
    let answer = server.client.delete("/health_check/").await.expect(405);
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
    assert_eq!(answer.json()["detail"], "Method \"DELETE\" not allowed.");
    server.client.send(Method::OPTIONS, "/health_check/", None).await.expect(204);
    let head = server.client.send(Method::HEAD, "/health_check/", None).await.expect(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), "29");
    server.stop().await;
}

#[tokio::test]
async fn the_correlation_id_comes_back_or_is_made() {
    let server = TestServer::start().await;
    let made = server.client.get("/livez").await;
    assert_eq!(made.header("x-correlation-id").len(), 36);
    let request = Request::get(server.client.url("/livez")).header("x-correlation-id", "my-id-7");
    let given = server.client.request(request.body(Body::empty()).unwrap()).await;
    assert_eq!(given.header("x-correlation-id"), "my-id-7");
    server.stop().await;
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let server = TestServer::start_with(|configuration| {
        configuration.metrics_token = Some(buildly_model::Secret::new("scrape"));
    })
    .await;
    server.client.get("/livez").await.expect(200);
    server.client.get("/nowhere/7/").await;
    server.client.get("/metrics").await.expect(401);
    server.client.signed_in("other").get("/metrics").await.expect(401);
    let text = server.client.signed_in("scrape").get("/metrics").await.expect(200).text();
    for line in [
        "buildly_http_requests_total{method=\"GET\",route=\"/livez/\",status=\"200\"} 1",
        "buildly_http_requests_total{method=\"GET\",route=\"/metrics/\",status=\"401\"} 2",
        "buildly_http_requests_in_flight 1",
        "buildly_http_request_duration_seconds_count{route=\"gateway\"} 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("nowhere"), "callers cannot make up routes");
    server.stop().await;
}

#[tokio::test]
async fn only_pages_of_allowed_origins_may_use_the_api() {
    let server = TestServer::start_with(|configuration| {
        configuration.cors.origins = vec!["http://localhost:3000".parse().unwrap()];
    })
    .await;
    let ask = async |method: Method, origin: &str, preflight: bool| {
        let mut request = Request::builder()
            .method(method)
            .uri(server.client.url("/coreuser/me/"))
            .header("origin", origin);
        if preflight {
            request = request
                .header("access-control-request-method", "GET")
                .header("access-control-request-headers", "authorization");
        }
        server.client.request(request.body(Body::empty()).unwrap()).await
    };
    let preflight = ask(Method::OPTIONS, "http://localhost:3000", true).await.expect(200);
    assert_eq!(preflight.header("access-control-allow-origin"), "http://localhost:3000");
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization");
    let actual = ask(Method::GET, "http://localhost:3000", false).await;
    assert_eq!(actual.header("access-control-allow-origin"), "http://localhost:3000");
    assert!(actual.header("vary").contains("Origin"));
    ask(Method::OPTIONS, "http://evil.example", true).await.expect(403);
    let refused = ask(Method::GET, "http://evil.example", false).await;
    assert_eq!(refused.header("access-control-allow-origin"), "");
    server.stop().await;
}
