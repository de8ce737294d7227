//! Tokens over HTTP: OAuth, simple tokens, applications, service accounts, discovery.

use buildly_core::auth::identity::NewSuperuser;
use buildly_model::{Body, Secret};
use http::Request;
use serde_json::{Value, json};

use crate::harness::TestServer;

pub const CLIENT: &str = "recorded-public-client";
pub const PASSWORD: &str = "Root-horse-9-battery";

/// A server with a superuser `root` in organization `Acme` and a public client.
async fn start() -> TestServer {
    let server = TestServer::start().await;
    prepare(&server).await;
    server
}

pub async fn prepare(server: &TestServer) {
    let auth = server.running().server().buildly().auth().clone();
    let superuser = NewSuperuser {
        username: "root".to_owned(),
        email: "root@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        organization_name: "Acme".to_owned(),
    };
    auth.create_superuser(&superuser).await.unwrap();
    auth.ensure_public_client(CLIENT, "the front end").await.unwrap();
}

async fn grant(server: &TestServer, pairs: &[(&str, &str)]) -> crate::client::Answer {
    server.client.form("/oauth/token/", pairs).await
}

async fn sign_in(server: &TestServer) -> Value {
    let form =
        [("grant_type", "password"), ("username", "root"), ("password", PASSWORD), ("client_id", CLIENT)];
    let answer = grant(server, &form).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn refresh(server: &TestServer, token: &Value) -> crate::client::Answer {
    let token = text(token);
    grant(server, &[("grant_type", "refresh_token"), ("refresh_token", &token), ("client_id", CLIENT)]).await
}

/// Whether the token opens the API.
async fn opens(server: &TestServer, token: &Value) -> bool {
    let answer = server.client.signed_in(text(token)).get("/oauth/applications/").await;
    match answer.status.as_u16() {
        200 => true,
        401 => {
            assert!(answer.header("www-authenticate").contains("invalid_token"));
            false
        }
        other => panic!("{other}: {}", answer.text()),
    }
}

#[tokio::test]
async fn password_grant_and_both_schemes() {
    let server = start().await;
    let tokens = sign_in(&server).await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "read write introspection");
    assert_eq!(tokens["expires_in"], 3600);
    assert!(opens(&server, &tokens["access_token"]).await);
    let jwt = format!("JWT {}", text(&tokens["access_token_jwt"]));
    let request = Request::get(server.client.url("/oauth/applications/")).header("authorization", jwt);
    server.client.request(request.body(Body::empty()).unwrap()).await.expect(200);
    let json =
        json!({"grant_type": "password", "username": "root", "password": PASSWORD, "client_id": CLIENT});
    server.client.post("/oauth/token", &json).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn refused_grants_say_what_rfc_6749_says() {
    let server = start().await;
    let password = [("grant_type", "password"), ("username", "root")];
    let with = |more: &[(&'static str, &'static str)]| [&password, more].concat();
    for (case, form, status, error) in [
        ("wrong password", with(&[("password", "wrong"), ("client_id", CLIENT)]), 400, "invalid_grant"),
        ("unknown client", with(&[("password", PASSWORD), ("client_id", "nobody")]), 401, "invalid_client"),
        ("no password", with(&[("client_id", CLIENT)]), 400, "invalid_request"),
        ("no grant type", vec![("client_id", CLIENT)], 400, "unsupported_grant_type"),
        (
            "a grant of our own",
            vec![("grant_type", "magic"), ("client_id", CLIENT)],
            400,
            "unsupported_grant_type",
        ),
        (
            "no such refresh token",
            vec![("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", CLIENT)],
            400,
            "invalid_grant",
        ),
        (
            "a public client for itself",
            vec![("grant_type", "client_credentials"), ("client_id", CLIENT)],
            400,
            "unauthorized_client",
        ),
    ] {
        let answer = grant(&server, &form).await;
        assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text());
        assert_eq!(answer.json()["error"], error, "{case}");
        assert!(answer.json()["detail"].is_string(), "{case}");
        assert_eq!(answer.header("content-type"), "application/json", "{case}");
        assert_eq!(answer.header("cache-control"), "no-store", "{case}");
    }
    let unknown = grant(&server, &with(&[("password", PASSWORD), ("client_id", "nobody")])).await;
    assert_eq!(unknown.header("www-authenticate"), "Bearer error=\"invalid_client\"");
    server.stop().await;
}

#[tokio::test]
async fn a_refresh_token_is_traded_once_and_a_lost_answer_is_given_again() {
    let server = start().await;
    let first = sign_in(&server).await;
    let second = refresh(&server, &first["refresh_token"]).await.expect(200).json();
    let again = refresh(&server, &first["refresh_token"]).await.expect(200).json();
    assert_eq!(second["refresh_token"], again["refresh_token"], "the same successor");
    let third = refresh(&server, &second["refresh_token"]).await.expect(200).json();
    assert!(opens(&server, &third["access_token"]).await);
    // The first token once more, after its successor was used: somebody has stolen one.
    refresh(&server, &first["refresh_token"]).await.expect(400);
    refresh(&server, &third["refresh_token"]).await.expect(400);
    for tokens in [&first, &second, &again, &third] {
        assert!(!opens(&server, &tokens["access_token"]).await, "the family has ended");
    }
    server.stop().await;
}

#[tokio::test]
async fn concurrent_refreshes_get_the_same_successor() {
    let server = start().await;
    let tokens = sign_in(&server).await;
    let ask = || refresh(&server, &tokens["refresh_token"]);
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    let successors = [one, two, three].map(|answer| text(&answer.expect(200).json()["refresh_token"]));
    assert_eq!(successors[0], successors[1]);
    assert_eq!(successors[0], successors[2]);
    server.stop().await;
}

#[tokio::test]
async fn revoking_any_form_of_a_token_ends_every_form_at_once() {
    let server = start().await;
    for form in ["access_token", "refresh_token"] {
        let tokens = sign_in(&server).await;
        let newer = refresh(&server, &tokens["refresh_token"]).await.expect(200).json();
        let token = text(&newer[form]);
        let answer =
            server.client.form("/oauth/revoke_token/", &[("token", &token), ("client_id", CLIENT)]).await;
        assert_eq!(answer.expect(200).text(), "");
        assert!(!opens(&server, &tokens["access_token"]).await, "{form}");
        assert!(!opens(&server, &newer["access_token_jwt"]).await, "{form}");
        refresh(&server, &newer["refresh_token"]).await.expect(400);
    }
    let nonsense = [("token", "nonsense"), ("client_id", CLIENT)];
    server.client.form("/oauth/revoke_token/", &nonsense).await.expect(200);
    let stranger = [("token", "nonsense"), ("client_id", "nobody")];
    server.client.form("/oauth/revoke_token/", &stranger).await.expect(401);
    server.stop().await;
}

#[tokio::test]
async fn simple_tokens_sign_in_refresh_and_verify() {
    let server = start().await;
    let credentials = json!({"username": "root", "password": PASSWORD});
    let pair = server.client.post("/token/", &credentials).await.expect(200).json();
    assert!(opens(&server, &pair["access"]).await);
    let verify = json!({"token": pair["access"]});
    assert_eq!(server.client.post("/token/verify/", &verify).await.expect(200).json(), json!({}));
    let next =
        server.client.post("/token/refresh/", &json!({"refresh": pair["refresh"]})).await.expect(200).json();
    assert!(opens(&server, &next["access"]).await);
    assert_ne!(next["refresh"], pair["refresh"]);
    let wrong = json!({"username": "root", "password": "wrong"});
    let refused = server.client.post("/token/", &wrong).await.expect(401);
    assert_eq!(refused.json()["detail"], "No active account found with the given credentials");
    for (path, body) in [
        ("/token/verify/", json!({"token": pair["refresh"]})),
        ("/token/verify/", json!({"token": "a.b.c"})),
        ("/token/refresh/", json!({"refresh": pair["access"]})),
    ] {
        server.client.post(path, &body).await.expect(401);
    }
    let missing = server.client.post("/token/", &json!({})).await.expect(400).json();
    assert_eq!(missing["username"], json!(["This field is required."]));
    server.stop().await;
}

#[tokio::test]
async fn applications_show_their_secret_once_and_take_their_tokens_along() {
    let server = start().await;
    let root = server.client.signed_in(text(&sign_in(&server).await["access_token"]));
    let robot = json!({
        "name": "robot", "client_type": "confidential",
        "authorization_grant_type": "client-credentials", "redirect_uris": "",
    });
    let made = root.post("/oauth/applications/", &robot).await.expect(201).json();
    let (id, secret) = (&made["id"], text(&made["client_secret"]));
    let path = format!("/oauth/applications/{id}/");
    assert_eq!(root.get(&path).await.expect(200).json()["client_secret"], Value::Null);
    let client_id = text(&made["client_id"]);
    let form =
        [("grant_type", "client_credentials"), ("client_id", &*client_id), ("client_secret", &*secret)];
    let tokens = grant(&server, &form).await.expect(200).json();
    assert_eq!(tokens["refresh_token"], Value::Null);
    let own = server.client.signed_in(text(&tokens["access_token"]));
    own.get("/oauth/applications/").await.expect(403);
    let renamed = root.patch(&path, &json!({"name": "front desk"})).await.expect(200).json();
    assert_eq!((&renamed["name"], &renamed["client_id"]), (&json!("front desk"), &made["client_id"]));
    let taken = json!({"client_id": CLIENT, "client_type": "public", "authorization_grant_type": "password"});
    assert!(root.post("/oauth/applications/", &taken).await.expect(400).json()["client_id"].is_array());
    let wrong = json!({"client_type": "secret", "authorization_grant_type": "password"});
    assert!(root.post("/oauth/applications/", &wrong).await.expect(400).json()["client_type"].is_array());
    root.delete(&path).await.expect(204);
    root.get(&path).await.expect(404);
    own.get("/oauth/applications/").await.expect(401);
    grant(&server, &form).await.expect(401);
    server.client.get("/oauth/applications/").await.expect(401);
    server.stop().await;
}

#[tokio::test]
async fn introspection_says_what_a_token_is_worth_to_those_who_may_ask() {
    let server = start().await;
    let tokens = sign_in(&server).await;
    let (access, refresh) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    let root = server.client.signed_in(access.clone());
    let seen = root.form("/oauth/introspect/", &[("token", &access)]).await.expect(200).json();
    assert_eq!(
        (&seen["active"], &seen["username"], &seen["client_id"]),
        (&json!(true), &json!("root"), &json!(CLIENT))
    );
    let seen = root.form("/oauth/introspect/", &[("token", &refresh)]).await.expect(200).json();
    assert_eq!(seen["active"], true);
    let seen = root.form("/oauth/introspect/", &[("token", "nonsense")]).await.expect(200).json();
    assert_eq!(seen, json!({"active": false}));
    let nobody = server.client.form("/oauth/introspect/", &[("token", &access)]).await.expect(401);
    assert_eq!(nobody.json()["error"], "invalid_client");
    let public = [("token", &*access), ("client_id", CLIENT)];
    server.client.form("/oauth/introspect/", &public).await.expect(401);
    server.stop().await;
}

#[tokio::test]
async fn service_accounts_sign_in_with_keys_that_end_at_once() {
    let server = start().await;
    let root = server.client.signed_in(text(&sign_in(&server).await["access_token"]));
    let account = root.post("/service_accounts/", &json!({"name": "nightly"})).await.expect(201).json();
    let path = format!("/service_accounts/{}/", text(&account["id"]));
    let key = root.post(&format!("{path}keys/"), &json!({"name": "ci"})).await.expect(201).json();
    let text_of_key = text(&key["api_key"]);
    let script = server.client.signed_in(text_of_key.clone());
    let seen = script.form("/oauth/introspect/", &[("token", &text_of_key)]).await.expect(200).json();
    assert_eq!((&seen["active"], &seen["sub"]), (&json!(true), &account["id"]));
    script.get("/service_accounts/").await.expect(403);
    let request = Request::get(server.client.url("/service_accounts/")).header("x-api-key", &text_of_key);
    server.client.request(request.body(Body::empty()).unwrap()).await.expect(403);
    server.client.signed_in(format!("{text_of_key}x")).get("/service_accounts/").await.expect(401);
    root.post("/service_accounts/", &json!({"name": "nightly"})).await.expect(400);
    root.post("/service_accounts/", &json!({"name": "x", "rights": "all"})).await.expect(400);
    let stranger = json!({"name": "x", "groups": ["01890a5d-ac96-774b-bcce-b302099a8057"]});
    root.post("/service_accounts/", &stranger).await.expect(400);
    assert_eq!(root.get(&path).await.expect(200).json()["keys"][0]["id"], key["id"]);
    assert!(!root.get(&path).await.text().contains(&text_of_key));
    root.patch(&path, &json!({"is_active": false})).await.expect(200);
    script.get("/service_accounts/").await.expect(401);
    root.patch(&path, &json!({"is_active": true})).await.expect(200);
    script.get("/service_accounts/").await.expect(403);
    root.delete(&format!("{path}keys/{}/", text(&key["id"]))).await.expect(204);
    script.get("/service_accounts/").await.expect(401);
    root.delete(&path).await.expect(204);
    root.get(&path).await.expect(404);
    server.stop().await;
}

#[tokio::test]
async fn discovery_names_what_is_there() {
    let server = start().await;
    let keys = server.client.get("/.well-known/jwks.json").await.expect(200).json();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    assert!(!keys.to_string().contains("\"d\""), "only public parts");
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let found = server.client.get(path).await.expect(200).json();
        assert_eq!(found["issuer"], server.client.url(""));
        assert_eq!(found["token_endpoint"], server.client.url("/oauth/token/"));
    }
    server.stop().await;
}

#[tokio::test]
async fn tokens_stay_good_when_the_server_starts_again_on_another_port() {
    let folder = std::env::temp_dir().join(format!("buildly-restart-{}", uuid::Uuid::now_v7()));
    let start = || TestServer::start_with(|configuration| configuration.data_dir = folder.clone());
    let server = start().await;
    prepare(&server).await;
    let tokens = sign_in(&server).await;
    let before = server.client.url("");
    server.stop().await;
    let server = start().await;
    assert_ne!(server.client.url(""), before);
    assert!(opens(&server, &tokens["access_token"]).await);
    let next = refresh(&server, &tokens["refresh_token"]).await.expect(200).json();
    assert!(opens(&server, &next["access_token"]).await);
    server.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn superusers_list_tokens_without_their_text_and_end_their_sessions() {
    let server = start().await;
    let (root, other) = (sign_in(&server).await, sign_in(&server).await);
    let client = server.client.signed_in(text(&root["access_token"]));
    for path in ["/oauth/accesstokens/", "/oauth/refreshtokens/"] {
        let rows = client.get(&format!("{path}?user__username=root")).await.expect(200);
        assert!(
            !rows.text().contains(&text(&other["access_token"])) && !rows.text().contains("buildly_refresh_")
        );
        let rows = rows.json();
        assert_eq!((rows.as_array().unwrap().len(), &rows[1]["user"]["username"]), (2, &json!("root")));
        assert_eq!(client.get(&format!("{path}?user__username=nobody")).await.expect(200).json(), json!([]));
        let one = format!("{path}{}/", rows[1]["id"]);
        assert_eq!(client.get(&one).await.expect(200).json()["id"], rows[1]["id"]);
        client.get(&format!("{path}999/")).await.expect(404);
        server.client.get(path).await.expect(401);
    }
    let rows = client.get("/oauth/accesstokens/").await.expect(200).json();
    client.delete(&format!("/oauth/accesstokens/{}/", rows[1]["id"])).await.expect(204);
    assert!(!opens(&server, &other["access_token"]).await);
    assert!(opens(&server, &root["access_token"]).await);
    server.stop().await;
}
