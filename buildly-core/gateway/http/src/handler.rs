//! A service in the same process, reached without a socket.

use std::future::Future;

use async_trait::async_trait;
use buildly_model::{Body, BodyError};
use http::{Request, Response};

/// Answers requests in place of a socket; [attach](crate::Client::attach) it to an address.
///
/// Every async function from request to answer is one.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Answers one request; its URI has path and query only.
    ///
    /// # Errors
    /// Whatever stands for a broken connection; the caller gets a gateway error.
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError>;
}

#[async_trait]
impl<F, Answer> Handler for F
where
    F: Fn(Request<Body>) -> Answer + Send + Sync,
    Answer: Future<Output = Result<Response<Body>, BodyError>> + Send,
{
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError> {
        self(request).await
    }
}
