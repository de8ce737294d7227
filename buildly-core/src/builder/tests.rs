use std::sync::atomic::{AtomicI64, Ordering};

use buildly_auth::identity::NewSuperuser;
use buildly_auth::token::Refusal;
use buildly_model::{Random as _, Secret, Timestamp};

use super::*;

const PASSWORD: &str = "Correct-horse-9-battery";
const DAY: i64 = 86_400;

/// A clock that is set by hand, in seconds.
#[derive(Clone)]
struct Set(Arc<AtomicI64>);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

async fn open(folder: &std::path::Path, clock: &Set) -> Buildly {
    Buildly::builder().folder(folder).clock(clock.clone()).build().await.expect("it starts")
}

async fn sign_in(buildly: &Buildly) -> Secret {
    let issued = buildly.auth().open_session("root", &Secret::new(PASSWORD), None).await;
    issued.expect("whatever the clock says").access_token
}

async fn refusal(buildly: &Buildly, token: &Secret) -> Option<Refusal> {
    match buildly.auth().authenticate(token.expose()).await {
        Ok(_) => None,
        Err(buildly_auth::Error::Token(refusal)) => Some(refusal),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_keeps_nobody_from_signing_in() {
    let folder = std::env::temp_dir().join(format!("buildly-clock-{}", System.number()));
    let clock = Set(Arc::new(AtomicI64::new(1_800_000_000)));
    let buildly = open(&folder, &clock).await;
    let root = NewSuperuser {
        username: "root".to_owned(),
        email: "root@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        organization_name: "Root".to_owned(),
    };
    buildly.auth().create_superuser(&root).await.unwrap();
    let before = sign_in(&buildly).await;
    assert_eq!(refusal(&buildly, &before).await, None);

    clock.0.fetch_sub(DAY, Ordering::SeqCst);
    let meanwhile = sign_in(&buildly).await;
    assert_eq!(refusal(&buildly, &meanwhile).await, None, "its own tokens are good");
    assert_eq!(refusal(&buildly, &before).await, Some(Refusal::NotYetValid));
    buildly.require_fresh().expect("a lease goes by another clock");
    buildly.close().await;

    let buildly = open(&folder, &clock).await;
    let restarted = sign_in(&buildly).await;
    assert_eq!(refusal(&buildly, &restarted).await, None, "nor does it keep it from starting");

    clock.0.fetch_add(DAY, Ordering::SeqCst);
    assert_eq!(refusal(&buildly, &before).await, None, "put right, what was good is good");
    for token in [&meanwhile, &restarted] {
        assert_eq!(refusal(&buildly, token).await, Some(Refusal::Expired), "by the clock that is right");
    }
    let keys = buildly.snapshot().auth.token.keys().count();
    assert!(keys <= 2, "no key was made in vain: {keys}");
    buildly.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
