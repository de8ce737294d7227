//! Guessing over HTTP is slowed down: by account, by address, and mail by where it goes.

use serde_json::json;

use crate::client::{Answer, Client};
use crate::harness::{PASSWORD, TestServer};

const CLIENT: &str = "front-end";
/// How many of one address may fail within five minutes.
const FAILURES_MAX: usize = 300;

async fn start() -> TestServer {
    let server = TestServer::start().await;
    for name in ["ada", "zed"] {
        server.superuser(name, "Acme").await;
    }
    server.buildly().auth().ensure_public_client(CLIENT, "the front end").await.unwrap();
    server
}

/// A client at one of this machine's own addresses, of which there are many.
fn client_at(server: &TestServer, number: u8) -> Client {
    server.client.coming_from([127, 0, 1, number].into())
}

async fn sign_in(client: &Client, username: &str, password: &str) -> Answer {
    let form =
        [("grant_type", "password"), ("client_id", CLIENT), ("username", username), ("password", password)];
    client.form("/oauth/token/", &form).await
}

async fn ask_for_reset(client: &Client, email: &str) -> Answer {
    client.form("/coreuser/reset_password/", &[("email", email)]).await
}

/// How long a client is told to wait, in seconds.
#[track_caller]
fn wait_of(answer: Answer) -> u64 {
    let answer = answer.expect(429);
    assert!(answer.json()["detail"].as_str().unwrap().contains("try again in"), "{}", answer.text());
    answer.header("retry-after").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_of_an_account_are_free_and_delay_nobody_else() {
    let server = start().await;
    for number in 1..=5 {
        let answer = sign_in(&client_at(&server, number), "ada", "wrong-guess").await.expect(400);
        assert_eq!(answer.json()["error"], "invalid_grant");
    }
    let limited = sign_in(&client_at(&server, 9), "ADA", PASSWORD).await.expect(429);
    assert_eq!(limited.json()["error"], "slow_down");
    assert!((1..=2).contains(&wait_of(limited)), "it begins with two seconds");
    let simple = json!({"username": "ada", "password": PASSWORD});
    assert!((1..=2).contains(&wait_of(server.client.post("/token/", &simple).await)));
    sign_in(&client_at(&server, 1), "zed", PASSWORD).await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_the_same_moment_are_counted_one_by_one() {
    let server = start().await;
    let guesses = (0..40).map(|_| {
        let client = server.client.clone();
        tokio::spawn(async move { sign_in(&client, "ada", "wrong-guess").await.status.as_u16() })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            400 => looked_at += 1,
            429 => {}
            other => panic!("got {other}"),
        }
    }
    assert_eq!(looked_at, 5);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blank_name_is_slowed_down_and_holds_up_nobody() {
    let server = start().await;
    for _ in 0..5 {
        sign_in(&server.client, " ", "wrong-guess").await.expect(400);
    }
    wait_of(sign_in(&server.client, "  ", "wrong-guess").await);
    sign_in(&server.client, "ada", PASSWORD).await.expect(200);
    ask_for_reset(&server.client, "ada@example.org").await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_limited_after_300_failures_and_another_is_not() {
    let server = start().await;
    let guesser = client_at(&server, 1);
    for begin in (0..FAILURES_MAX).step_by(50) {
        let failures = (begin..begin + 50).map(|number| {
            let guesser = guesser.clone();
            tokio::spawn(async move {
                sign_in(&guesser, &format!("nobody{number}"), "wrong-guess").await.expect(400);
            })
        });
        for failure in failures.collect::<Vec<_>>() {
            failure.await.unwrap();
        }
    }
    let wait = wait_of(sign_in(&guesser, "ada", PASSWORD).await);
    assert!((1..=300).contains(&wait), "until the window ends: {wait}");
    wait_of(ask_for_reset(&guesser, "ada@example.org").await);
    sign_in(&client_at(&server, 2), "ada", PASSWORD).await.expect(200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_are_slowed_down_alike_for_addresses_that_nobody_has() {
    let server = start().await;
    let mut answers = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        let mut texts = Vec::new();
        for number in 1..=5 {
            texts.push(ask_for_reset(&client_at(&server, number), email).await.expect(200).text());
        }
        let wait = wait_of(ask_for_reset(&client_at(&server, 9), email).await);
        assert!((50..=60).contains(&wait), "{email}: {wait}");
        answers.push(texts);
    }
    assert_eq!(answers[0], answers[1]);
    server.stop().await;
}
