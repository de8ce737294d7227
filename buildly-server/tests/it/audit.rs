//! The audit trail over HTTP.

use buildly_core::auth::identity::{ProfileUpdate, Registration};
use buildly_model::{Principal, Secret};

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn an_administrator_reads_the_own_organization_page_by_page() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        let ada = server.superuser("ada", "Acme").await;
        let all = ada.get("/audit/events/").await.expect(200).json();
        let rows = all["results"].as_array().unwrap();
        assert!(rows.len() >= 3, "{all}");
        assert!(all["next"].is_null());
        let sequences: Vec<_> = rows.iter().map(|row| row["sequence"].as_u64().unwrap()).collect();
        assert!(sequences.is_sorted_by(|newer, older| newer > older), "newest first: {sequences:?}");
        assert!(rows.iter().any(|row| row["kind"] == "auth.organization.created"), "{all}");

        let mut paged = Vec::new();
        let mut next = "/audit/events/?limit=1".to_owned();
        while !next.is_empty() {
            let page = ada.get(&next).await.expect(200).json();
            paged.extend(
                page["results"].as_array().unwrap().iter().map(|row| row["sequence"].as_u64().unwrap()),
            );
            let url = page["next"].as_str().unwrap_or_default();
            next = url.split_once("/audit").map(|(_, rest)| format!("/audit{rest}")).unwrap_or_default();
        }
        assert_eq!(paged, sequences);

        let users = ada.get("/audit/events/?kind=auth.user&limit=5").await.expect(200).json();
        assert!(
            users["results"]
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["kind"].as_str().unwrap().starts_with("auth.user."))
        );
        ada.get("/audit/events/?from=yesterday").await.expect(400);
        server.stop().await;
    }
}

#[tokio::test]
async fn nobody_else_reads_it() {
    let server = TestServer::start().await;
    server.client.get("/audit/events/").await.expect(401);
    server.client.signed_in("not-a-token").get("/audit/events/").await.expect(401);
    let ada = server.superuser("ada", "Acme").await;
    let auth = server.running().server().buildly().auth();
    let other = Registration {
        username: "zed".to_owned(),
        email: "zed@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        organization_name: "Zeta".to_owned(),
        profile: ProfileUpdate::default(),
        invitation: None,
        groups: Vec::new(),
    };
    auth.register(&Principal::ANONYMOUS, &other).await.unwrap();
    let zed = server.signed_in("zed").await;
    let seen = zed.get("/audit/events/").await.expect(200).json();
    let mine = ada.get("/audit/events/").await.expect(200).json();
    let ids = |page: &serde_json::Value| -> Vec<String> {
        page["results"].as_array().unwrap().iter().map(|row| row["id"].to_string()).collect()
    };
    assert!(ids(&seen).iter().all(|id| !ids(&mine).contains(id)), "no event of another organization");
    server.stop().await;
}
