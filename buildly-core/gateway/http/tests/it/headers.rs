use std::net::SocketAddr;

use buildly_gateway::traffic::forwarded::Peer;
use buildly_gateway::{Credential, InstanceState, Version};
use buildly_model::{Body, ServiceClient as _};
use http::{Request, Response};
use hyper::body::Incoming;

use crate::upstream::{serve, serve_text};
use crate::world::{ask, call, call_of, client_of, get, instance, service};

/// Answers with the head of the request that it saw, a line a header, sorted.
async fn mirror() -> String {
    serve(|request: Request<Incoming>| async move {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<String> = request.headers().iter().map(header).collect();
        lines.sort();
        lines.insert(0, format!("{} {}", request.method(), request.uri()));
        Response::new(Body::from(lines.join("\n")))
    })
    .await
}

#[tokio::test]
async fn a_service_gets_what_is_for_it_and_nothing_else() {
    let url = mirror().await;
    let service = service(&[format!("{url}/base")]);
    let client = client_of(&[&service]).await;
    let mut request = get("/items/?a=1&a=2%20x");
    for (name, value) in [
        ("host", "api.example.org"),
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "gzip"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("proxy-authorization", "Basic eA=="),
        ("x-http-method-override", "DELETE"),
        ("x_http_method_override", "DELETE"),
        ("x_forwarded_for", "127.0.0.1"),
        ("x-forwarded-for", "1.1.1.1"),
        ("authorization", "Bearer of nobody knows"),
        ("x-request-id", "r-1"),
        ("accept", "*/*"),
    ] {
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let address: SocketAddr = "192.0.2.7:99".parse().unwrap();
    request.extensions_mut().insert(Peer { address, is_secure: true });
    let host = url.strip_prefix("http://").unwrap();
    let expected = [
        "GET /base/items/?a=1&a=2%20x",
        "accept: */*",
        "forwarded: for=192.0.2.7;proto=https;host=\"api.example.org\"",
        &format!("host: {host}"),
        "via: 1.1 buildly",
        "x-forwarded-for: 192.0.2.7",
        "x-forwarded-host: api.example.org",
        "x-forwarded-proto: https",
        "x-request-id: r-1",
    ]
    .join("\n");
    assert_eq!(ask(&client, &service, request).await, (200, expected));
}

#[tokio::test]
async fn a_circle_of_gateways_is_seen_however_its_hops_are_written() {
    let (url, asked) = serve_text("here").await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let folded = ["1.1 buildly"; 11].join(", ");
    for (case, via, expected) in [
        ("once", vec!["1.1 buildly".to_owned()], true),
        ("others", vec![["1.1 other"; 30].join(",")], true),
        ("a field each", vec!["1.1 buildly".to_owned(); 11], false),
        ("one field", vec![folded], false),
    ] {
        let mut request = get("/");
        for via in via {
            request.headers_mut().append("via", via.parse().unwrap());
        }
        assert_eq!(call(&client, &service, request).await.is_ok(), expected, "{case}");
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn nobody_s_credential_goes_to_a_stranger() {
    let url = mirror().await;
    let name = format!("buildly-secret-{}", std::process::id());
    let file = std::env::temp_dir().join(&name);
    std::fs::write(&file, "key-7\n").unwrap();
    let own = Credential::Own { secret: format!("file:{name}") };
    for (credential, authorization, cookie) in [
        (Credential::Forward, Some("Bearer caller"), true),
        (own, Some("Bearer key-7"), false),
        (Credential::Own { secret: "env:BUILDLY_SECRET_OF_NOBODY".to_owned() }, None, false),
        (Credential::Own { secret: "env:PATH".to_owned() }, None, false),
        (Credential::None, None, false),
    ] {
        let mut service = service(std::slice::from_ref(&url));
        service.credential = credential.clone();
        let client = client_of(&[&service]).await;
        let mut request = get("/");
        request.headers_mut().insert("cookie", "session=1".parse().unwrap());
        let mut call = call_of(&service, request);
        call.authorization = Some("Bearer caller".parse().unwrap());
        let answer = client.call(call).await.unwrap().into_body().collect(9999).await.unwrap();
        let seen = String::from_utf8(answer.to_vec()).unwrap();
        let sent = seen.lines().find_map(|line| line.strip_prefix("authorization: "));
        assert_eq!((sent, seen.contains("cookie: ")), (authorization, cookie), "{credential}");
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn what_a_service_says_to_its_neighbour_ends_here() {
    let url = serve(|_| async {
        Response::builder()
            .header("connection", "close, x-hop")
            .header("x-hop", "1")
            .header("keep-alive", "timeout=5")
            .header("alt-svc", "h3=\":443\"")
            .header("proxy-authenticate", "Basic")
            .header("etag", "\"1\"")
            .body(Body::from("x"))
            .unwrap()
    })
    .await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let answer = call(&client, &service, get("/")).await.unwrap();
    let mut names: Vec<_> = answer.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "date", "etag"]);
}

#[tokio::test]
async fn each_version_has_instances_of_its_own_and_a_draining_one_gets_nothing() {
    let ((one, _), (two, _), (draining, _)) =
        (serve_text("one").await, serve_text("two").await, serve_text("draining").await);
    let mut service = service(&[draining]);
    service.instances[0].state = InstanceState::Draining;
    service.instances[0].version = Version::parse("v1");
    for (url, version) in [(one, "v1"), (two, "v2")] {
        let mut versioned = instance(&url);
        versioned.version = Version::parse(version);
        service.instances.push(versioned);
    }
    let client = client_of(&[&service]).await;
    for (version, expected) in [(Some("v1"), "one"), (Some("v2"), "two"), (None, "one")] {
        for _ in 0..3 {
            let mut request = get("/");
            if let Some(version) = version.and_then(Version::parse) {
                request.extensions_mut().insert(version);
            }
            assert_eq!(ask(&client, &service, request).await.1, expected, "{version:?}");
        }
    }
    let mut request = get("/");
    request.extensions_mut().insert(Version::parse("v3").unwrap());
    assert_eq!(call(&client, &service, request).await.unwrap_err().status(), 502);
}

#[tokio::test]
async fn a_service_that_is_registered_in_a_circle_does_not_spin() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut service = service(std::slice::from_ref(&own_url));
    service.policy.retry.attempts_max = 1;
    let client = client_of(&[&service]).await;
    let (front, front_service) = (client.clone(), service.clone());
    client.attach(
        own_url.strip_prefix("http://").unwrap(),
        std::sync::Arc::new(move |request: Request<Body>| {
            let (front, service) = (front.clone(), front_service.clone());
            async move { Ok(call(&front, &service, request).await?) }
        }),
    );
    let error = call(&client, &service, get("/")).await.unwrap_err();
    assert_eq!(error.status().as_u16(), 502);
}
