//! A run as it moves, as server-sent events (HTML Living Standard section 9.2).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use buildly_core::Buildly;
use buildly_core::workflow::Run;
use buildly_model::{Body, BodyError, Principal, RunId};
use bytes::Bytes;
use http::StatusCode;
use http_body::Frame;
use tokio::sync::mpsc;

use super::RunBody;
use crate::{Problem, Request, Response};

/// A line goes out this often even if nothing happens, so that nobody between cuts the stream.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How many events may wait for a slow reader.
const WAITING_MAX: usize = 4;

/// `GET /workflow/runs/{id}/events/`
pub(super) async fn follow(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let run = buildly.workflow().run(&principal, request.path("id")?).await?;
    let (events, waiting) = mpsc::channel(WAITING_MAX);
    tokio::spawn(tell(buildly.clone(), principal, run, events));
    let body = Body::stream(Events(waiting));
    Ok(Response::of(StatusCode::OK, body)
        .with_header(http::header::CONTENT_TYPE, "text/event-stream")
        .no_store())
}

/// Tells of the run until it has ended, nobody listens, or the listener's right has ended.
async fn tell(buildly: Buildly, principal: Principal, run: Run, events: mpsc::Sender<Bytes>) {
    let id: RunId = run.summary.id;
    let (mut seen, mut is_ended) = (run.version, run.is_ended());
    if events.send(event(run)).await.is_err() {
        return;
    }
    while !is_ended {
        let still = |principal: &Principal| {
            let now = buildly_model::Clock::now(&buildly_model::system::System);
            buildly.require_fresh().is_ok() && buildly.snapshot().auth.check_standing(principal, now).is_ok()
        };
        let changed = tokio::select! {
            () = events.closed() => return,
            changed = buildly.workflow().changed(&principal, id, seen, HEARTBEAT) => changed,
        };
        let Ok(run) = changed else { return };
        if !still(&principal) {
            return;
        }
        let line = if run.version == seen {
            Bytes::from_static(b": still here\n\n")
        } else {
            (seen, is_ended) = (run.version, run.is_ended());
            event(run)
        };
        if events.send(line).await.is_err() {
            return;
        }
    }
}

fn event(run: Run) -> Bytes {
    let version = run.version;
    let data = serde_json::to_string(&RunBody::from(run)).unwrap_or_default();
    Bytes::from(format!("id: {version}\nevent: run\ndata: {data}\n\n"))
}

/// What was told and not read yet.
struct Events(mpsc::Receiver<Bytes>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
