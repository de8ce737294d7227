//! Any `async fn(&Buildly, Request) -> Result<Response, Problem>` is a handler.

use std::pin::Pin;

use buildly_core::Buildly;

use crate::{Problem, Request, Response};

/// What every handler answers.
pub(crate) type Outcome = Result<Response, Problem>;

/// An `async fn(&Buildly, Request) -> Result<Response, Problem>`.
pub trait Handler<'a>: Send + Sync + 'static {
    /// The answer to come.
    type Answer: Future<Output = Outcome> + Send + 'a;

    /// Begins to answer.
    fn answer(&self, buildly: &'a Buildly, request: Request) -> Self::Answer;
}

impl<'a, F, A> Handler<'a> for F
where
    F: Fn(&'a Buildly, Request) -> A + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send + 'a,
{
    type Answer = A;

    fn answer(&self, buildly: &'a Buildly, request: Request) -> A {
        self(buildly, request)
    }
}

/// A handler of any type, as the table holds it.
pub(crate) trait Erased: Send + Sync {
    fn begin<'a>(
        &self,
        buildly: &'a Buildly,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
}

impl<H: for<'a> Handler<'a>> Erased for H {
    fn begin<'a>(
        &self,
        buildly: &'a Buildly,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>> {
        Box::pin(self.answer(buildly, request))
    }
}
