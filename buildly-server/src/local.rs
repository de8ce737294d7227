//! What commands on this machine ask of a deployment: of the running server, by a socket in
//! the data folder, or of the files themselves when none runs.
//!
//! Whoever can open the socket can read the folder's keys as well (both are for the owner
//! only, mode 0600), so nothing more is asked of the caller.

mod ask;
mod audit;
mod read_only;
mod services;
mod socket;
mod task;
mod workflow;

use std::path::Path;

use buildly_core::Buildly;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::route::post;
use crate::{Problem, Request, Response, Routes};

pub use ask::{AskError, Session, ask};
pub use audit::Against;
pub(crate) use socket::bind;
pub use task::{Task, perform};
pub use workflow::Ask;

/// Where the task goes, on the socket only.
const PATH: &str = "/local/";

/// Whether a server answers on the folder's socket.
pub(crate) async fn is_served(folder: &Path) -> bool {
    ask::connect(folder).await.is_some()
}

/// The one operation of the socket; in a table of its own, which nothing else serves.
pub(crate) fn routes() -> Routes {
    Routes::of("local", "Commands on the server's machine.").add(post(PATH, answer).hidden())
}

/// `POST /local/`
async fn answer(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let task: Task = request.json().await?;
    let result = perform(buildly, task).await?;
    Ok(Response::json(StatusCode::OK, &result).with_header(CONTENT_TYPE, "application/json"))
}
