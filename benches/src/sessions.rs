//! Sessions that go on: each caller trades its refresh token for the next one, again and again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Failure;
use crate::load::Client;
use crate::ours::{Ours, PASSWORD};
use crate::report::Figure;

/// So many sessions are opened; then each is refreshed for so long, after a warm-up of a fifth.
///
/// # Errors
/// If a session cannot be opened.
pub async fn refreshed(ours: &Ours, at_once: usize, long: Duration) -> Result<Figure, Failure> {
    let mut tokens = Vec::new();
    for _ in 0..at_once {
        let sign_in = json!({"username": "root", "password": PASSWORD});
        let pair = ours.post("/token/", &sign_in, StatusCode::OK).await?;
        tokens.push(refresh_of(&pair)?);
    }
    let began = Instant::now() + long / 5;
    let end = began + long;
    let (client, url) = (Client::default(), format!("{}/token/refresh/", ours.url));
    let mut callers = JoinSet::new();
    for mut token in tokens {
        let (client, url) = (client.clone(), url.clone());
        callers.spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                let one = Instant::now();
                match traded(&client, &url, &token).await {
                    Ok(next) if next != token => token = next,
                    // The session is lost with its token.
                    _ => return (took, 1),
                }
                if one >= began {
                    took.push(one.elapsed().as_secs_f64() * 1e3);
                }
            }
            (took, 0)
        });
    }
    let (mut took, mut bad) = (Vec::new(), 0);
    while let Some(done) = callers.join_next().await {
        let Ok((of_one, bad_of_one)) = done else { continue };
        took.extend(of_one);
        bad += bad_of_one;
    }
    Ok(Figure::of(took, bad, began.elapsed().as_secs_f64()))
}

async fn traded(client: &Client, url: &str, token: &str) -> Result<String, Failure> {
    let body = Bytes::from(json!({"refresh": token}).to_string());
    let (status, body) = client.send(Method::POST, url, body).await?;
    if status != StatusCode::OK {
        return Err(Failure::Wrong { expected: "200 OK", got: status.to_string() });
    }
    refresh_of(&serde_json::from_slice(&body).map_err(Failure::http)?)
}

fn refresh_of(pair: &Value) -> Result<String, Failure> {
    let token = pair.get("refresh").and_then(Value::as_str);
    token
        .map(str::to_owned)
        .ok_or_else(|| Failure::Wrong { expected: "a refresh token", got: pair.to_string() })
}
