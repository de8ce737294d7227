//! What an area offers over HTTP: each operation is declared once.
//!
//! ```
//! use buildly_core::Buildly;
//! use buildly_server::route::{get, Routes};
//! use buildly_server::{Problem, Request, Response};
//!
//! /// `GET /greeting/{name}/`
//! async fn greet(_: &Buildly, request: Request) -> Result<Response, Problem> {
//!     Ok(Response::ok(&format!("Hello, {}!", request.path_text("name"))))
//! }
//!
//! pub fn routes() -> Routes {
//!     Routes::of("greetings", "Says hello").add(
//!         get("/greeting/{name}/", greet).summary("Greets by name").answers::<String>(200).public(),
//!     )
//! }
//! ```

mod describe;
mod document;
mod handler;
mod table;

use std::sync::Arc;

use http::Method;
use utoipa::openapi::path::OperationBuilder;

use describe::Schemas;
use handler::Erased;

pub use document::document;
pub use handler::Handler;
pub(crate) use table::{Lookup, Table};

/// The operations of one resource.
pub struct Routes {
    tag: &'static str,
    description: &'static str,
    /// Whether existing clients speak this resource: field errors then also stand flat.
    is_compat: bool,
    operations: Vec<Operation>,
}

impl Routes {
    /// A resource of ours, under a tag of the document.
    #[must_use]
    pub fn of(tag: &'static str, description: &'static str) -> Self {
        Self { tag, description, is_compat: false, operations: Vec::new() }
    }

    /// A resource of the old wire: field errors stand at the top level too.
    #[must_use]
    pub fn compat(tag: &'static str, description: &'static str) -> Self {
        Self { is_compat: true, ..Self::of(tag, description) }
    }

    /// Adds an operation.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a builder's word, not arithmetic")]
    pub fn add(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }
}

impl Routes {
    /// Method and path of every operation that the document shows.
    pub fn shown(&self) -> impl Iterator<Item = (&Method, &'static str)> {
        let shown = self.operations.iter().filter(|operation| !operation.is_hidden);
        shown.map(|operation| (&operation.method, operation.path))
    }
}

/// One operation: method, path, handler and description.
pub struct Operation {
    method: Method,
    path: &'static str,
    handler: Arc<dyn Erased>,
    entry: utoipa::openapi::path::Operation,
    schemas: Schemas,
    has_answer: bool,
    is_public: bool,
    is_hidden: bool,
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// The path is written with its slash at the end and parameters in braces; requests
        /// may leave the slash out.
        pub fn $name<H: for<'a> Handler<'a>>(path: &'static str, handler: H) -> Operation {
            Operation::new(Method::$method, path, handler)
        }
    )*};
}

methods! {
    /// A `GET` (and `HEAD`) operation.
    get = GET;
    /// A `POST` operation.
    post = POST;
    /// A `PUT` operation.
    put = PUT;
    /// A `PATCH` operation.
    patch = PATCH;
    /// A `DELETE` operation.
    delete = DELETE;
}

impl Operation {
    fn new<H: for<'a> Handler<'a>>(method: Method, path: &'static str, handler: H) -> Self {
        Self {
            method,
            path,
            handler: Arc::new(handler),
            entry: OperationBuilder::new().build(),
            schemas: Schemas::new(),
            has_answer: false,
            is_public: false,
            is_hidden: false,
        }
    }

    /// Anonymous callers may use it.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.is_public = true;
        self
    }

    /// Leaves the operation out of the document; only for pages, other spellings and catch-alls.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }
}
