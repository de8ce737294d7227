//! Connections: how a service is reached otherwise than by HTTP over TCP.

use std::future::Future;

use async_trait::async_trait;
use buildly_model::{Body, BodyError};
use http::{Request, Response};

/// Reaches the instances at one address: a service in the same process, one behind a socket of
/// another kind, one that speaks another protocol. [Attach](crate::Client::attach) it to the host
/// and port that the instances are registered with.
///
/// Everything else stays as it is with any service: rights, turns, deadlines, retries, ejection,
/// streams. What it is handed has been decided already; the caller's credential is in
/// `Authorization` as the service's registration says. Bodies stream in both directions, and a
/// call that takes too long is dropped.
///
/// Every async function from request to answer is one.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Answers one request; its URI has path and query only.
    ///
    /// # Errors
    /// [`NotConnected`] if nothing reached the service, so that the call can safely be made again
    /// elsewhere; whatever else stands for a connection that broke. The caller gets a gateway
    /// error.
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError>;
}

/// Nothing of a request has reached the service.
#[derive(Debug, thiserror::Error)]
#[error("the service cannot be reached")]
pub struct NotConnected(#[source] pub BodyError);

#[async_trait]
impl<F, Answer> Connection for F
where
    F: Fn(Request<Body>) -> Answer + Send + Sync,
    Answer: Future<Output = Result<Response<Body>, BodyError>> + Send,
{
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError> {
        self(request).await
    }
}
