//! What a program adds: a say in decisions, sign-in by its own proof, a partner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use buildly_core::auth::identity::OutsideIdentity;
use buildly_core::auth::security::{Question, Security, Unproven};
use buildly_core::auth::{Error as AuthError, Resource};
use buildly_core::extension::{Exchange, Partner, PartnerFault};
use buildly_core::gateway::Registration;
use buildly_core::model::{Action, Body, Identity, Secret};
use buildly_core::workflow::template::{Level, Template};
use buildly_core::workflow::{End, FaultKind, StartRun};
use buildly_core::{Buildly, Error};
use http::Request;
use http::request::Parts;
use serde_json::{Value, json};

use crate::world::{PASSWORD, World};

const SOON: Duration = Duration::from_secs(60);

/// Takes a badge for a proof, and keeps everybody from exchanging while the door is closed.
#[derive(Clone, Default)]
struct Door(Arc<AtomicBool>);

#[async_trait]
impl Security for Door {
    fn name(&self) -> &str {
        "door"
    }

    async fn identify(&self, request: &Parts) -> Result<OutsideIdentity, Unproven> {
        let badge = request.headers.get("badge").and_then(|value| value.to_str().ok());
        let badge = badge.ok_or_else(|| Unproven::Refused("show a badge".to_owned()))?;
        Ok(OutsideIdentity {
            issuer: "door".to_owned(),
            subject: badge.to_owned(),
            organization: "Acme".to_owned(),
            ..OutsideIdentity::default()
        })
    }

    fn refusal(&self, question: &Question<'_>) -> Option<String> {
        let is_refused = self.0.load(Ordering::Relaxed)
            && matches!(question.resource, Resource::Service(_))
            && question.action == Action::Create;
        is_refused.then(|| "the door is closed".to_owned())
    }
}

/// Gives back what it was given, with for whom and under which key.
struct Echo;

#[async_trait]
impl Partner for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    async fn exchange(&self, exchange: Exchange) -> Result<Value, PartnerFault> {
        match exchange.given.as_str() {
            Some("refuse") => Err(PartnerFault::Refused("not this".to_owned())),
            Some("away") => Err(PartnerFault::Unavailable("not now".to_owned())),
            _ => Ok(json!({
                "given": exchange.given, "organization": exchange.organization,
                "has_key": exchange.key.is_some(),
            })),
        }
    }
}

struct Extended {
    world: World,
    door: Door,
}

async fn extended() -> Extended {
    let door = Door::default();
    let world = World::with(|builder| builder.security(door.clone()).partner(Echo)).await;
    let registration = Registration {
        name: Some("echo".to_owned()),
        endpoint: Some("http://echo.partner.localhost".to_owned()),
        ..Registration::default()
    };
    world.buildly.gateway().register(&world.ada, registration).await.unwrap();
    Extended { world, door }
}

/// What `echo.exchange` in a run comes to.
async fn exchange(world: &World, body: &str) -> End {
    let template = Template::new("conversation", [Level::call("talk", "echo.exchange").body(body)]);
    let workflow = world.buildly.workflow();
    workflow.save_draft(&world.ada, &template).await.unwrap();
    workflow.publish(&world.ada, "conversation", None).await.unwrap();
    let start = StartRun { template: "conversation".to_owned(), ..StartRun::default() };
    let run = workflow.start(&world.ada, start).await.unwrap().summary.id;
    workflow.wait(&world.ada, run, SOON).await.unwrap().state.end.expect("it ends")
}

/// A request through the gateway, signed in as `ada`.
async fn ask(buildly: &Buildly, body: &str) -> (u16, Value) {
    let issued = buildly.auth().open_session("ada", &Secret::new(PASSWORD), None).await.unwrap();
    let request = Request::post("/echo/exchange/")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {}", issued.access_token.expose()))
        .body(Body::from(body.to_owned()))
        .unwrap();
    let answer = buildly.handle(request).await;
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect(1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_exchanges_with_runs_and_with_callers_for_their_organization() {
    let Extended { world, .. } = extended().await;
    let acme = world.ada.organization.unwrap();
    let expected = json!({"given": {"a": 1}, "organization": acme, "has_key": true});
    assert_eq!(exchange(&world, "{'a': 1}").await, End::Completed { result: expected });
    let (status, told) = ask(&world.buildly, r#""hello""#).await;
    assert_eq!((status, &told["given"], &told["has_key"]), (200, &json!("hello"), &json!(false)));
    for (body, status) in [(r#""refuse""#, 422), (r#""away""#, 503), ("no json", 400)] {
        assert_eq!(ask(&world.buildly, body).await.0, status, "{body}");
    }
    let End::Failed { fault } = exchange(&world, "'refuse'").await else { panic!("it is refused") };
    assert_eq!((fault.kind, fault.status), (FaultKind::Refused, Some(422)));
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_counts_for_callers_and_for_runs_and_is_named() {
    let Extended { world, door } = extended().await;
    let (status, _) = ask(&world.buildly, "{}").await;
    assert_eq!(status, 200);
    door.0.store(true, Ordering::Relaxed);
    let (status, told) = ask(&world.buildly, "{}").await;
    assert_eq!(status, 403);
    assert_eq!(told["reason"], "the door is closed (`door`)");
    door.0.store(false, Ordering::Relaxed);
    assert!(matches!(exchange(&world, "{}").await, End::Completed { .. }));
    door.0.store(true, Ordering::Relaxed);
    let start = StartRun { template: "conversation".to_owned(), ..StartRun::default() };
    let workflow = world.buildly.workflow();
    let run = workflow.start(&world.ada, start).await.unwrap().summary.id;
    let mut seen = 0;
    let stopped = loop {
        let run = workflow.changed(&world.ada, run, seen, SOON).await.unwrap();
        if run.summary.status.to_string() != "running" {
            break run;
        }
        seen = run.version;
    };
    let told = format!("{:?}", stopped.state);
    assert!(told.contains("the door is closed"), "{} {told}", stopped.summary.status);
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_proven_gets_tokens_of_this_deployment() {
    let Extended { world, .. } = extended().await;
    let parts = |badge: Option<&str>| {
        let request =
            badge.into_iter().fold(Request::get("/"), |request, badge| request.header("badge", badge));
        request.body(()).unwrap().into_parts().0
    };
    let issued = world.buildly.sign_in_by("door", &parts(Some("7"))).await.unwrap();
    let auth = world.buildly.auth();
    let principal = auth.authenticate(issued.access_token.expose()).await.unwrap();
    assert!(matches!(principal.identity, Identity::User(_)));
    assert_eq!(principal.organization, world.ada.organization);
    assert!(auth.refresh_session(&issued.refresh_token.unwrap()).await.is_ok());
    for (case, extension, badge) in [("no proof", "door", None), ("no such extension", "window", Some("7"))] {
        let refused = world.buildly.sign_in_by(extension, &parts(badge)).await;
        let is_refusal = matches!(refused, Err(Error::Auth(AuthError::Unproven(Unproven::Refused(_)))));
        assert!(is_refusal, "{case}: {refused:?}");
    }
    world.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extensions_that_cannot_be_told_apart_or_reached_are_refused_at_the_start() {
    struct Named(&'static str);
    #[async_trait]
    impl Partner for Named {
        fn name(&self) -> &str {
            self.0
        }

        async fn exchange(&self, _: Exchange) -> Result<Value, PartnerFault> {
            Ok(Value::Null)
        }
    }
    let folder = World::folder();
    let twice = Buildly::builder().folder(&folder).security(Door::default()).security(Door::default());
    assert!(matches!(twice.build().await, Err(Error::Setting { setting: "security", .. })));
    for name in ["", "Upper", "a.b", "a b"] {
        let builder = Buildly::builder().folder(World::folder()).partner(Named(name));
        assert!(matches!(builder.build().await, Err(Error::Setting { setting: "partner", .. })), "{name:?}");
    }
}
