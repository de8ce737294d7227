//! What is under way when a deployment is closed.

use std::sync::Arc;
use std::time::Duration;

use buildly_core::gateway::Registration;
use buildly_core::model::{Body, BodyError};
use buildly_core::workflow::template::{Level, Template};
use buildly_core::workflow::{StartRun, Status};
use http::{Method, Request, Response};
use tokio::sync::Notify;

use crate::world::World;

const DOCUMENT: &str =
    r#"{"openapi": "3.1.0", "paths": {"/greetings/": {"post": {"operationId": "create_greeting"}}}}"#;
/// Shorter than what calls under way are given to end.
const SOON: Duration = Duration::from_secs(8);

/// A service whose answer waits until somebody lets it go.
#[derive(Default)]
struct Slow {
    asked: Notify,
    released: Notify,
}

impl Slow {
    async fn answer(self: Arc<Self>, request: Request<Body>) -> Result<Response<Body>, BodyError> {
        if request.method() == Method::GET {
            return Ok(Response::new(Body::from(DOCUMENT)));
        }
        self.asked.notify_one();
        self.released.notified().await;
        Ok(Response::new(Body::from("{}")))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ends_while_the_deployment_closes_is_waited_for_and_counts() {
    let mut world = World::on_sqlite().await;
    let (buildly, ada) = (world.buildly.clone(), world.ada.clone());
    let slow = Arc::new(Slow::default());
    let service = Arc::clone(&slow);
    buildly.attach_service(
        "slow.localhost",
        Arc::new(move |request: Request<Body>| Arc::clone(&service).answer(request)),
    );
    let registration = Registration {
        name: Some("slow".to_owned()),
        endpoint: Some("http://slow.localhost".to_owned()),
        ..Registration::default()
    };
    buildly.gateway().register(&ada, registration).await.unwrap();
    let template = Template::new("greet", [Level::call("greeting", "slow.create_greeting").body("{}")]);
    buildly.workflow().save_draft(&ada, &template).await.unwrap();
    buildly.workflow().publish(&ada, "greet", None).await.unwrap();
    let start = StartRun { template: "greet".to_owned(), ..StartRun::default() };
    let run = buildly.workflow().start(&ada, start).await.unwrap().summary.id;

    slow.asked.notified().await;
    let closing = tokio::spawn({
        let buildly = buildly.clone();
        async move { buildly.close().await }
    });
    // Whether the answer comes before or after the end has begun, it has to be taken.
    tokio::task::yield_now().await;
    slow.released.notify_one();
    let closed = tokio::time::timeout(SOON, closing).await;
    closed.expect("it ends once the call has").unwrap();

    // Nothing is attached now, so a second call would find nobody.
    world.reopen().await;
    let ended = world.buildly.workflow().wait(&ada, run, SOON).await.unwrap();
    assert_eq!(ended.summary.status, Status::Completed);
    world.remove().await;
}
