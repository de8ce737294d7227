//! A provider that does whatever the test wants, and what comes of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_core::auth::identity::UserKey;
use buildly_core::model::system::{Clock as _, System};
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::browser::{Browser, Page};
use crate::site::Running;

/// A key pair: what signs, and what the provider shows of it.
fn key_pair() -> (EncodingKey, Value) {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
    let point = pair.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = (part(&point[1..33]), part(&point[33..65]));
    let jwk = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": x, "x": x, "y": y});
    (EncodingKey::from_ec_der(document.as_ref()), jwk)
}

/// What the provider does next.
struct Script {
    /// Replaces claims of the ID token; null leaves one out.
    claims: Value,
    userinfo: Value,
    issuer_in_document: Option<String>,
    signs: EncodingKey,
    shows: Value,
    /// What the last token request had.
    asked: HashMap<String, String>,
    nonce: String,
}

#[derive(Clone)]
struct Provider {
    issuer: String,
    script: Arc<Mutex<Script>>,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (signs, shows) = key_pair();
        let script = Script {
            claims: json!({}),
            userinfo: json!({"sub": "grace", "email": "grace@example.org", "email_verified": true}),
            issuer_in_document: None,
            signs,
            shows,
            asked: HashMap::new(),
            nonce: String::new(),
        };
        let provider = Self { issuer, script: Arc::new(Mutex::new(script)) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route(
                "/jwks",
                get(async |State(own): State<Provider>| {
                    Json(json!({"keys": [own.with(|script| script.shows.clone())]}))
                }),
            )
            .route(
                "/userinfo",
                get(async |State(own): State<Provider>| Json(own.with(|script| script.userinfo.clone()))),
            )
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    fn with<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        act(&mut self.script.lock().unwrap())
    }
}

async fn document(State(own): State<Provider>) -> Json<Value> {
    let issuer = &own.issuer;
    let named = own.with(|script| script.issuer_in_document.clone());
    Json(json!({
        "issuer": named.as_ref().unwrap_or(issuer),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn token(
    State(own): State<Provider>,
    Form(asked): Form<HashMap<String, String>>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    if asked.get("code").map(String::as_str) != Some("good") {
        return Err((StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))));
    }
    let now = System.now().as_seconds();
    let token = own.with(|script| {
        script.asked = asked;
        let mut claims = json!({
            "iss": own.issuer, "sub": "grace", "aud": "shop", "exp": now + 300, "iat": now,
            "nonce": script.nonce,
        });
        for (claim, value) in script.claims.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
                value => claims[claim] = value.clone(),
            }
        }
        let kid = script.shows["kid"].as_str().map(str::to_owned);
        encode(&Header { kid, ..Header::new(Algorithm::ES256) }, &claims, &script.signs).unwrap()
    });
    Ok(Json(json!({"access_token": "a", "token_type": "Bearer", "id_token": token})))
}

/// A sign-in that has begun: what the program sent the browser away with.
struct Begun {
    query: HashMap<String, String>,
}

async fn begin(browser: &mut Browser, site: &Running, provider: &Provider) -> Begun {
    let page = browser.get(&format!("{}/sign-in", site.origin)).await;
    assert_eq!(page.status(), 303, "{}", page.text());
    let location = page.location().unwrap();
    let (address, query) = location.split_once('?').unwrap();
    assert_eq!(address, format!("{}/authorize", provider.issuer));
    let query: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    provider.with(|script| script.nonce = query["nonce"].clone());
    Begun { query }
}

async fn end(browser: &mut Browser, site: &Running, fields: &[(&str, &str)]) -> Page {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    browser.get(&format!("{}/callback?{query}", site.origin)).await
}

/// One whole sign-in in a new browser.
async fn sign_in(site: &Running, provider: &Provider) -> Page {
    let mut browser = Browser::new();
    let begun = begin(&mut browser, site, provider).await;
    let fields = [("code", "good"), ("state", begun.query["state"].as_str()), ("iss", &provider.issuer)];
    end(&mut browser, site, &fields).await
}

async fn me(site: &Running, signed_in: &Page) -> Value {
    let tokens = signed_in.json();
    let access = tokens["access"].as_str().unwrap_or_else(|| panic!("{tokens}"));
    Browser::new().as_bearer(Method::GET, &format!("{}/me", site.origin), access).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_shows_who_began_it_and_ends_once() {
    let provider = Provider::start().await;
    let site = Running::start(&provider.issuer, false).await;
    let mut browser = Browser::new();
    let begun = begin(&mut browser, &site, &provider).await;
    let query = &begun.query;
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "shop"),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", &format!("{}/callback", site.origin)),
    ] {
        assert_eq!(query[name], expected, "{name}");
    }
    let state = query["state"].as_str();
    let good = [("code", "good"), ("state", state), ("iss", provider.issuer.as_str())];
    let page = end(&mut browser, &site, &good).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let verifier = provider.with(|script| script.asked["code_verifier"].clone());
    let hashed = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    assert_eq!(hashed, query["code_challenge"], "the code is bound to who asked for it");
    assert_eq!(me(&site, &page).await["email"], "grace@example.org");

    let replayed = end(&mut browser, &site, &good).await;
    assert_eq!(replayed.status(), 401, "the state counts once: {}", replayed.text());
    let begun = begin(&mut browser, &site, &provider).await;
    for (case, fields) in [
        ("no state", vec![("code", "good"), ("iss", provider.issuer.as_str())]),
        ("an invented state", vec![("code", "good"), ("state", "x"), ("iss", provider.issuer.as_str())]),
        ("no code", vec![("state", begun.query["state"].as_str()), ("iss", provider.issuer.as_str())]),
    ] {
        assert_eq!(end(&mut browser, &site, &fields).await.status(), 401, "{case}");
    }
    let begun = begin(&mut browser, &site, &provider).await;
    let elsewhere = [("code", "good"), ("state", begun.query["state"].as_str()), ("iss", &provider.issuer)];
    let page = end(&mut Browser::new(), &site, &elsewhere).await;
    assert_eq!(page.status(), 401, "a link that somebody was sent: {}", page.text());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_another_issuer_is_not_taken() {
    let provider = Provider::start().await;
    let site = Running::start(&provider.issuer, false).await;
    for (case, issuer) in
        [("another", Some("https://evil.example.org")), ("none, though it always says so", None)]
    {
        let mut browser = Browser::new();
        let begun = begin(&mut browser, &site, &provider).await;
        let mut fields = vec![("code", "good"), ("state", begun.query["state"].as_str())];
        fields.extend(issuer.map(|issuer| ("iss", issuer)));
        let page = end(&mut browser, &site, &fields).await;
        assert_eq!(page.status(), 401, "{case}");
        assert!(page.text().contains("not the provider's that was asked"), "{case}: {}", page.text());
        assert!(provider.with(|script| script.asked.is_empty()), "{case}: the code went nowhere");
    }
    site.stop().await;

    let mixed = Provider::start().await;
    mixed.with(|script| script.issuer_in_document = Some(provider.issuer.clone()));
    let site = Running::start(&mixed.issuer, false).await;
    let page = Browser::new().get(&format!("{}/sign-in", site.origin)).await;
    assert_eq!(page.status(), 503, "a document that is another's: {}", page.text());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_token_that_is_not_of_this_sign_in_signs_nobody_in() {
    let provider = Provider::start().await;
    let site = Running::start(&provider.issuer, false).await;
    let now = System.now().as_seconds();
    for (case, claims, sentence) in [
        ("another issuer", json!({"iss": "https://evil.example.org"}), "another provider's"),
        ("another audience", json!({"aud": "other"}), "for somebody else"),
        ("over", json!({"exp": now - 3600}), "is over"),
        ("another nonce", json!({"nonce": "n"}), "another sign-in"),
        ("no nonce", json!({"nonce": null}), "another sign-in"),
        ("a subject that the provider says nothing about", json!({"sub": "root"}), "of somebody else"),
    ] {
        provider.with(|script| script.claims = claims);
        let page = sign_in(&site, &provider).await;
        assert_eq!(page.status(), 401, "{case}: {}", page.text());
        assert!(page.text().contains(sentence), "{case}: {}", page.text());
    }
    provider.with(|script| script.claims = json!({}));
    let good = provider.with(|script| std::mem::replace(&mut script.signs, key_pair().0));
    let page = sign_in(&site, &provider).await;
    assert!(page.status() == 401 && page.text().contains("signature"), "forged: {}", page.text());
    provider.with(|script| script.signs = good);
    assert_eq!(sign_in(&site, &provider).await.status(), 200);
    provider.with(|script| (script.signs, script.shows) = key_pair());
    assert_eq!(sign_in(&site, &provider).await.status(), 200, "a provider changes its keys when it likes");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_takes_over_an_account_only_where_both_have_verified_it_and_the_deployment_says_so() {
    let provider = Provider::start().await;
    for is_trusted in [false, true] {
        let site = Running::start(&provider.issuer, is_trusted).await;
        let email = |address: &str, is_verified: bool| json!({"sub": "grace", "email": address, "email_verified": is_verified});
        for (case, userinfo) in [
            ("the administrator's, not verified", email("admin@example.org", false)),
            ("the administrator's", email("ADMIN@example.org", true)),
        ] {
            provider.with(|script| {
                script.claims = json!({"sub": case});
                script.userinfo = userinfo;
                script.userinfo["sub"] = json!(case);
            });
            let page = sign_in(&site, &provider).await;
            let me = me(&site, &page).await;
            assert_ne!(me["username"], "admin", "{case}, trusted: {is_trusted}");
            assert_eq!(me["groups"], json!(["Users"]), "{case}, trusted: {is_trusted}");
        }
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_switched_off_here_is_not_let_in_by_the_provider() {
    let provider = Provider::start().await;
    let site = Running::start(&provider.issuer, false).await;
    let first = sign_in(&site, &provider).await;
    let access = first.json()["access"].as_str().unwrap().to_owned();
    let principal = site.buildly.auth().authenticate(&access).await.unwrap();
    let user = UserKey::Id(principal.user().unwrap());
    site.switch(user, false).await;
    let page = sign_in(&site, &provider).await;
    assert!(page.status() == 401 && page.text().contains("not active"), "{}", page.text());
    let page = Browser::new().as_bearer(Method::GET, &format!("{}/me", site.origin), &access).await;
    assert_eq!(page.status(), 401, "the tokens of before are over, too");
    site.switch(user, true).await;
    assert_eq!(sign_in(&site, &provider).await.status(), 200);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_away_is_said_to_be_away() {
    let site = Running::start("http://127.0.0.1:1", false).await;
    let page = Browser::new().get(&format!("{}/sign-in", site.origin)).await;
    assert_eq!(page.status(), 503, "{}", page.text());
    site.stop().await;
}
