//! Tokens, tried by somebody who wants in.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_kit::{Authenticate as _, Body, Error, KeySource, TokenSettings, Tokens};
use buildly_model::{Clock, Timestamp};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::issuer::{Issuer, claims, now};
use crate::on_both_databases;
use crate::world::{World, acme};

async fn only_a_good_token_gets_in(world: Arc<World>) {
    let user = Uuid::from_u128(1);
    let good = claims(acme(), user);
    let with = |change: Value| {
        let mut claims = good.as_object().unwrap().clone();
        claims.extend(change.as_object().unwrap().clone());
        world.issuer.sign(&Value::Object(claims))
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT", "kid": "one"})), part(&good));
    let public = world.issuer.public_key();
    let secret = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = Some("one".to_owned());
    let (head, rest) = world.acme.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let raised =
        part(&json!({"organization_uuid": Uuid::from_u128(7), "token_type": "access", "exp": now() + 60}));
    for (case, token) in [
        ("nothing", String::new()),
        ("no token", "abc".to_owned()),
        ("alg none", unsigned),
        ("HMAC with the public key", encode(&hmac, &good, &EncodingKey::from_secret(&secret)).unwrap()),
        ("other claims under the signature", format!("{head}.{raised}.{signature}")),
        ("another key under this id", Issuer::new("one").token(acme(), user)),
        ("an unknown key", Issuer::new("two").token(acme(), user)),
        ("expired", with(json!({"exp": now() - 60}))),
        ("not yet valid", with(json!({"nbf": now() + 600}))),
        ("a refresh token", with(json!({"token_type": "refresh"}))),
        ("for somebody else", with(json!({"aud": "https://other.test"}))),
        ("for nobody named", with(json!({"aud": null}))),
        ("another issuer", with(json!({"iss": "https://evil.test"}))),
        ("an end that is no number", with(json!({"exp": "tomorrow"}))),
    ] {
        for (method, path) in [(Method::GET, "/things/"), (Method::POST, "/things/")] {
            let answer = world.raw(&token, method, path, &[], b"{\"name\": \"x\"}".to_vec()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{case}: {}", answer.text);
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{case}");
        }
    }
    let homeless =
        world.raw(&with(json!({"organization_uuid": null})), Method::GET, "/things/", &[], vec![]).await;
    assert_eq!(homeless.status, StatusCode::FORBIDDEN);
    let old = format!("JWT {}", world.acme);
    let old = world.raw("", Method::GET, "/things/", &[("authorization", &old)], vec![]).await;
    assert_eq!(old.status, StatusCode::OK);
}

on_both_databases!(only_a_good_token_gets_in);

/// A clock that is set by hand.
#[derive(Default)]
struct Set(Mutex<i64>);

impl Set {
    fn pass(&self, seconds: i64) {
        *self.0.lock().unwrap() += seconds * 1_000_000;
    }
}

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(i64::try_from(now()).unwrap())
            .after(std::time::Duration::from_micros(u64::try_from(*self.0.lock().unwrap()).unwrap()))
    }
}

/// An issuer's server: what it publishes, whether a token holds, and how often it was asked.
#[derive(Default)]
struct Server {
    keys: Mutex<Value>,
    is_active: Mutex<bool>,
    asked: AtomicU32,
}

impl Server {
    async fn start() -> (Arc<Self>, String) {
        let server = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&server);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&shared);
                let answer = service_fn(move |request: Request<Incoming>| {
                    shared.asked.fetch_add(1, Ordering::Relaxed);
                    let keys = shared.keys.lock().unwrap().clone();
                    let is_active = *shared.is_active.lock().unwrap();
                    let body =
                        if request.uri().path() == "/jwks" { keys } else { json!({"active": is_active}) };
                    async move {
                        let status = if body.is_null() { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
                        let mut response = Response::new(Body::from(body.to_string()));
                        *response.status_mut() = status;
                        Ok::<_, Infallible>(response)
                    }
                });
                tokio::spawn(async move {
                    let builder = Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(TokioIo::new(stream), answer).await);
                });
            }
        });
        (server, base)
    }
}

fn bearer(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers
}

#[tokio::test]
async fn keys_are_fetched_again_when_one_is_unknown_but_not_too_often() {
    let (server, base) = Server::start().await;
    let clock = Arc::new(Set::default());
    let keys = KeySource::parse(&format!("{base}/jwks")).unwrap();
    let settings = TokenSettings { keys, issuer: None, introspection: None };
    let tokens = Tokens::new(settings, Arc::clone(&clock) as Arc<dyn Clock>);
    let (first, second) = (Issuer::new("first"), Issuer::new("second"));
    let ask =
        async |issuer: &Issuer| tokens.authenticate(&bearer(&issuer.token(acme(), Uuid::from_u128(1)))).await;
    let unreachable = ask(&first).await;
    assert!(matches!(unreachable, Err(Error::Unavailable(_))), "got {unreachable:?}");
    *server.keys.lock().unwrap() = first.jwks();
    assert!(matches!(ask(&first).await, Err(Error::Unavailable(_))), "the pause is not over");
    clock.pass(2);
    assert!(ask(&first).await.is_ok());
    let asked = server.asked.load(Ordering::Relaxed);
    for _ in 0..20 {
        assert!(ask(&first).await.is_ok());
    }
    assert_eq!(server.asked.load(Ordering::Relaxed), asked, "known keys are kept");
    *server.keys.lock().unwrap() =
        json!({"keys": [{"kty": "unheard of"}, second.public_key(), first.public_key()]});
    clock.pass(2);
    for _ in 0..20 {
        assert!(matches!(ask(&Issuer::new("invented")).await, Err(Error::Unauthenticated(_))));
    }
    assert_eq!(server.asked.load(Ordering::Relaxed), asked + 1, "invented keys fetch once a pause");
    assert!(ask(&second).await.is_ok(), "a new key came with it");
    *server.keys.lock().unwrap() = second.jwks();
    clock.pass(301);
    assert!(matches!(ask(&first).await, Err(Error::Unauthenticated(_))), "a withdrawn key goes with time");
    *server.keys.lock().unwrap() = Value::Null;
    clock.pass(301);
    assert!(ask(&second).await.is_ok(), "known keys outlast an issuer that is down");
}

#[tokio::test]
async fn a_withdrawn_token_is_refused_within_ten_seconds_by_introspection() {
    let (server, base) = Server::start().await;
    let clock = Arc::new(Set::default());
    let issuer = Issuer::new("one");
    let settings = TokenSettings {
        keys: KeySource::Set(serde_json::from_value(issuer.jwks()).unwrap()),
        issuer: None,
        introspection: Some(format!("{base}/introspect").parse().unwrap()),
    };
    let tokens = Tokens::new(settings, Arc::clone(&clock) as Arc<dyn Clock>);
    let headers = bearer(&issuer.token(acme(), Uuid::from_u128(1)));
    *server.is_active.lock().unwrap() = true;
    for _ in 0..5 {
        assert!(tokens.authenticate(&headers).await.is_ok());
    }
    assert_eq!(server.asked.load(Ordering::Relaxed), 1, "the answer is remembered");
    *server.is_active.lock().unwrap() = false;
    clock.pass(11);
    let refused = tokens.authenticate(&headers).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "got {refused:?}");
}
