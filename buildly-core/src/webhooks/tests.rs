use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use buildly_auth::identity::NewSuperuser;
use buildly_extension::webhook::{DISABLED_AFTER, NewWebhook, State, WebhookView};
use buildly_model::system::System;
use buildly_model::{Clock, Random as _, Secret, Timestamp};

use super::*;
use crate::{Buildly, Settings};

const PASSWORD: &str = "Correct-horse-9-battery";
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that is set by hand, in seconds.
#[derive(Clone)]
struct Set(Arc<AtomicI64>);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

async fn root(buildly: &Buildly) -> Principal {
    let issued = buildly.auth().open_session("root", &Secret::new(PASSWORD), None).await.unwrap();
    buildly.auth().authenticate(issued.access_token.expose()).await.unwrap()
}

/// The webhook, once it is as it should be.
async fn until(buildly: &Buildly, id: WebhookId, is_so: impl Fn(&WebhookView) -> bool) -> WebhookView {
    let looked = async {
        loop {
            let view = buildly.webhooks().get(&root(buildly).await, id).await.unwrap();
            if is_so(&view) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_fails_for_days_is_disabled_and_can_be_resumed() {
    let folder = std::env::temp_dir().join(format!("buildly-webhooks-{}", System.number()));
    let clock = Set(Arc::new(AtomicI64::new(1_800_000_000)));
    let settings = Settings { webhooks_reach_private: true, ..Settings::default() };
    let builder = Buildly::builder().folder(&folder).clock(clock.clone()).settings(settings);
    let buildly = builder.build().await.unwrap();
    let new = NewSuperuser {
        username: "root".to_owned(),
        email: "root@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        organization_name: "Root".to_owned(),
    };
    buildly.auth().create_superuser(&new).await.unwrap();
    // Nobody listens there.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let new = NewWebhook { url: format!("http://{closed}/"), ..NewWebhook::default() };
    let (made, _) = buildly.webhooks().create(&root(&buildly).await, new).await.unwrap();
    let id = made.webhook.id;
    let failing = until(&buildly, id, |view| view.lane.trouble.is_some()).await;
    assert_eq!(failing.webhook.state, State::Active, "{failing:?}");

    clock.0.fetch_add(i64::try_from(DISABLED_AFTER.as_secs()).unwrap() + 1, Ordering::SeqCst);
    let disabled = until(&buildly, id, |view| view.webhook.state == State::Disabled).await;
    assert!(disabled.lane.is_paused && disabled.lane.sequence == made.lane.sequence, "{disabled:?}");

    let resumed = buildly.webhooks().resume(&root(&buildly).await, id).await.unwrap();
    assert_eq!((resumed.webhook.state, resumed.lane.trouble), (State::Active, None));
    let again = until(&buildly, id, |view| view.lane.trouble.is_some()).await;
    assert_eq!(again.webhook.state, State::Active, "its days are counted anew: {again:?}");
    buildly.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_secret_is_of_one_webhook_and_one_deployment() {
    let secret = |key: u8, webhook: u128| {
        let id = WebhookId::from_uuid(uuid::Uuid::from_u128(webhook));
        DerivedSecrets(DeploymentKey::from_bytes([key; 32])).secret(id).to_text().expose().to_owned()
    };
    assert_eq!(secret(1, 1), secret(1, 1));
    assert_ne!(secret(1, 1), secret(1, 2));
    assert_ne!(secret(1, 1), secret(2, 1));
}
