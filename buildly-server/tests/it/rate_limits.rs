//! Limits of requests for each organization, address and service, over HTTP.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::TestServer;
use crate::mesh_world::register;
use crate::upstream::Upstream;

/// Two requests at once, and no third within the hour.
fn two() -> Value {
    json!({"requests": 2, "window_seconds": 3600, "burst": 2})
}

async fn statuses(clients: &[&Client], path: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for client in clients {
        let answer = client.get(path).await;
        if answer.status.as_u16() == 429 {
            assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
            assert!(answer.header("ratelimit").contains("r=0"), "{}", answer.header("ratelimit"));
            assert!(answer.header("ratelimit-policy").contains("q=2;w=3600"), "{:?}", answer.headers);
            assert!(answer.json()["detail"].is_string());
        }
        statuses.push(answer.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn an_organization_an_address_and_a_service_have_limits_of_their_own() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Root").await;
    let (ann, bob) = (register(&server, "ann", "Acme").await, register(&server, "bob", "Bolt").await);
    let things = Upstream::with_paths(&[("/thing/", &["get"])]).await;
    things.answer("/thing/", 200, "[]");
    for name in ["one", "two"] {
        root.post("/gateway/services/", &json!({"name": name, "base_url": things.url})).await.expect(201);
    }
    let limits = |name: &str| json!({"principal": null, "organization": null, "address": null, name: two()});

    root.put("/gateway/rate-limits/", &limits("organization")).await.expect(200);
    let asked = statuses(&[&ann, &ann, &ann, &bob, &bob], "/one/thing/").await;
    assert_eq!(asked, [200, 200, 429, 200, 200], "one organization's requests leave another's alone");

    root.put("/gateway/rate-limits/", &limits("address")).await.expect(200);
    let asked = statuses(&[&ann, &bob, &server.client, &root], "/two/thing/").await;
    assert_eq!(asked, [200, 200, 429, 429], "whoever comes from the address, signed in or not");
    root.get("/coreuser/me/").await.expect(200);

    let none = json!({"principal": null, "organization": null, "address": null});
    root.put("/gateway/rate-limits/", &none).await.expect(200);
    let policy = json!({"rate_limits": {"organization": two()}});
    root.put("/gateway/services/one/policy/", &policy).await.expect(200);
    let asked = statuses(&[&ann, &ann, &ann, &bob], "/one/thing/").await;
    assert_eq!(asked, [200, 200, 429, 200], "the service's own limit");
    assert_eq!(statuses(&[&ann, &ann, &ann], "/two/thing/").await, [200; 3], "another service has none");
    server.stop().await;
}
