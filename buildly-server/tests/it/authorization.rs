//! A person lets an application act for them, in a browser (RFC 6749 section 4.1, RFC 7636);
//! and what scripts show to services in place of their keys.

use buildly_core::gateway::Registration;
use buildly_model::{ErrorKind, Principal};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::harness::TestServer;
use crate::tokens::{CLIENT, PASSWORD, prepare};
use crate::upstream::Upstream;

const BACK: &str = "https://site.example/back";
// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A server with a superuser, signed in, and an application `site` for the browser.
async fn start() -> (TestServer, Client) {
    let server = TestServer::start().await;
    prepare(&server).await;
    let form =
        [("grant_type", "password"), ("username", "root"), ("password", PASSWORD), ("client_id", CLIENT)];
    let tokens = server.client.form("/oauth/token/", &form).await.expect(200).json();
    let root = server.client.signed_in(tokens["access_token"].as_str().unwrap());
    let site = json!({
        "client_id": "site", "name": "<The> Site", "client_type": "public",
        "authorization_grant_type": "authorization-code", "redirect_uris": BACK,
    });
    root.post("/oauth/applications/", &site).await.expect(201);
    (server, root)
}

fn asked(decision: &str) -> Vec<(&str, &str)> {
    vec![
        ("response_type", "code"),
        ("client_id", "site"),
        ("redirect_uri", BACK),
        ("state", "s t&te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("decision", decision),
        ("username", "root"),
        ("password", PASSWORD),
    ]
}

/// The query of the address that the browser is sent to.
fn sent_back(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    let (address, query) = answer.header("location").split_once('?').unwrap();
    assert_eq!(address, BACK);
    let read = |text: &str| buildly_server::request::Query::parse(text).unwrap();
    read(query).pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

async fn code(server: &TestServer) -> String {
    let answer = server.client.form("/oauth/authorize/", &asked("allow")).await;
    value(&sent_back(&answer), "code").unwrap().to_owned()
}

async fn redeem(server: &TestServer, code: &str, verifier: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "site"),
        ("redirect_uri", BACK),
        ("code", code),
        ("code_verifier", verifier),
    ];
    server.client.form("/oauth/token/", &form).await
}

async fn opens(server: &TestServer, tokens: &Value) -> bool {
    let client = server.client.signed_in(tokens["access_token"].as_str().unwrap());
    client.get("/coreuser/me/").await.status == 200
}

#[tokio::test]
async fn a_person_agrees_once_and_the_application_gets_tokens_that_refresh() {
    let (server, _) = start().await;
    let page = format!(
        "/oauth/authorize/?response_type=code&client_id=site&redirect_uri={BACK}&state=%22%3E%3Cb%3E\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let page = server.client.get(&page).await.expect(200);
    assert!(page.text().contains("&lt;The&gt; Site") && page.text().contains("&quot;&gt;&lt;b&gt;"));
    assert!(!page.text().contains("<b>"), "what an application sends is text, never markup");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let pairs = sent_back(&server.client.form("/oauth/authorize/", &asked("allow")).await);
    assert_eq!(value(&pairs, "state"), Some("s t&te"));
    assert_eq!(value(&pairs, "iss"), Some(server.client.url("").as_str()));
    let tokens = redeem(&server, value(&pairs, "code").unwrap(), VERIFIER).await.expect(200).json();
    assert!(opens(&server, &tokens).await);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "site")];
    let next = server.client.form("/oauth/token/", &form).await.expect(200).json();
    assert!(opens(&server, &next).await);
    server.stop().await;
}

#[tokio::test]
async fn a_code_is_good_once_and_only_with_its_verifier() {
    let (server, _) = start().await;
    let first = code(&server).await;
    let wrong = redeem(&server, &first, &VERIFIER.replace('d', "e")).await.expect(400);
    assert_eq!(wrong.json()["error"], "invalid_grant");
    let tokens = redeem(&server, &first, VERIFIER).await.expect(200).json();
    assert!(opens(&server, &tokens).await);
    let again = redeem(&server, &first, VERIFIER).await.expect(400);
    assert_eq!(again.json()["error"], "invalid_grant");
    assert!(!opens(&server, &tokens).await, "a code in two hands ends the session of the first");
    redeem(&server, "nonsense", VERIFIER).await.expect(400);
    server.stop().await;
}

#[tokio::test]
async fn a_code_does_not_outlive_the_password_that_it_was_given_for() {
    let (server, root) = start().await;
    let pending = code(&server).await;
    let new = json!({"password": "Root-horse-10-battery"});
    let me = root.get("/coreuser/me/").await.expect(200).json();
    root.patch(&format!("/coreuser/{}/", me["id"]), &new).await.expect(200);
    redeem(&server, &pending, VERIFIER).await.expect(400);
    server.stop().await;
}

#[tokio::test]
async fn who_does_not_agree_or_cannot_sign_in_gives_no_code() {
    let (server, _) = start().await;
    let pairs = sent_back(&server.client.form("/oauth/authorize/", &asked("deny")).await);
    assert_eq!((value(&pairs, "error"), value(&pairs, "code")), (Some("access_denied"), None));
    let mut wrong = asked("allow");
    wrong.pop();
    wrong.push(("password", "wrong"));
    let page = server.client.form("/oauth/authorize/", &wrong).await.expect(401);
    assert!(page.text().contains("Name or password is wrong."));
    let elsewhere: Vec<_> = asked("allow")
        .into_iter()
        .map(
            |(name, value)| {
                if name == "redirect_uri" { (name, "https://evil.example/") } else { (name, value) }
            },
        )
        .collect();
    let told = server.client.form("/oauth/authorize/", &elsewhere).await.expect(400);
    assert_eq!(told.header("location"), "", "nobody is sent to an address that is not registered");
    let plain: Vec<_> = asked("allow")
        .into_iter()
        .map(|(name, value)| if name == "code_challenge_method" { (name, "plain") } else { (name, value) })
        .collect();
    let pairs = sent_back(&server.client.form("/oauth/authorize/", &plain).await);
    assert_eq!(value(&pairs, "error"), Some("invalid_request"));
    server.stop().await;
}

#[tokio::test]
async fn a_script_trades_its_key_for_a_token_that_ends_with_the_key() {
    let (server, root) = start().await;
    let account = root.post("/service_accounts/", &json!({"name": "nightly"})).await.expect(201).json();
    let (id, path) = (account["id"].as_str().unwrap(), "/service_accounts/".to_owned());
    let key = root.post(&format!("{path}{id}/keys/"), &json!({"name": "ci"})).await.expect(201).json();
    let secret = key["api_key"].as_str().unwrap();
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let tokens = server.client.form("/oauth/token/", &form).await.expect(200).json();
    assert!(tokens.get("refresh_token").is_none());
    let script = server.client.signed_in(tokens["access_token"].as_str().unwrap());
    script.get("/service_accounts/").await.expect(403);
    let other = [("grant_type", "client_credentials"), ("client_id", "site"), ("client_secret", secret)];
    assert_eq!(
        server.client.form("/oauth/token/", &other).await.expect(401).json()["error"],
        "invalid_client"
    );
    root.delete(&format!("{path}{id}/keys/{}/", key["id"].as_str().unwrap())).await.expect(204);
    script.get("/service_accounts/").await.expect(401);
    server.client.form("/oauth/token/", &form).await.expect(401);
    server.stop().await;
}

#[tokio::test]
async fn a_key_never_travels_to_a_service_and_a_token_that_it_can_check_does() {
    let (server, root) = start().await;
    let upstream = Upstream::with_paths(&[("/things/", &["get"])]).await;
    upstream.answer("/things/", 200, "[]");
    let buildly = server.running().server().buildly().clone();
    let principal: Principal = buildly.auth().authenticate(&root.token()).await.unwrap();
    let (name, endpoint) = (Some("shop".to_owned()), Some(upstream.url.clone()));
    let registration = Registration { name, endpoint, ..Registration::default() };
    buildly.gateway().register(&principal, registration).await.unwrap();
    let account = root.post("/service_accounts/", &json!({"name": "nightly"})).await.expect(201).json();
    let (id, organization) = (account["id"].as_str().unwrap(), principal.organization.unwrap());
    let keys = format!("/service_accounts/{id}/keys/");
    let key = root.post(&keys, &json!({"name": "ci"})).await.expect(201).json();
    let secret = key["api_key"].as_str().unwrap();
    for header in ["authorization", "x-api-key"] {
        let value = if header == "authorization" { format!("Bearer {secret}") } else { secret.to_owned() };
        let request = http::Request::get(server.client.url("/shop/things/")).header(header, value);
        server.client.request(request.body(buildly_model::Body::empty()).unwrap()).await.expect(200);
    }
    let seen: Vec<String> = upstream
        .asked()
        .iter()
        .map(|asked| asked.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1], "one token serves calls that follow on each other");
    assert!(!format!("{:?}", upstream.asked()).contains(secret));
    let token = seen[0].strip_prefix("Bearer ").unwrap();
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims;
    assert_eq!(claims["service_account_uuid"], id);
    assert_eq!(claims["organization_uuid"], organization.to_string());
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 60);
    root.delete(&format!("{keys}{}/", key["id"].as_str().unwrap())).await.expect(204);
    let refused = buildly.auth().authenticate(token).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated);
    server.stop().await;
}
