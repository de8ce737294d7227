//! Failures as exceptions.

use buildly_deployment::{Class, Failure};
use buildly_model::ErrorKind;
use pyo3::prelude::*;

/// The class of `buildly.errors`.
const fn name(class: Class) -> &'static str {
    match class {
        Class::Of(ErrorKind::Invalid) => "InvalidError",
        Class::Of(ErrorKind::Unauthenticated) => "UnauthenticatedError",
        Class::Of(ErrorKind::Forbidden) => "ForbiddenError",
        Class::Of(ErrorKind::NotFound) => "NotFoundError",
        Class::Of(ErrorKind::Conflict) => "ConflictError",
        Class::Of(ErrorKind::Limited) => "LimitedError",
        Class::Of(ErrorKind::Unavailable) => "UnavailableError",
        Class::Of(ErrorKind::Corrupt) => "CorruptError",
        Class::Closed => "ClosedError",
        Class::Forked => "ForkedError",
    }
}

/// The exception to raise.
pub(crate) fn exception(python: Python<'_>, failure: &Failure) -> PyErr {
    let fields: Vec<(&str, &str)> =
        failure.fields().iter().map(|refused| (refused.field.as_str(), refused.message.as_str())).collect();
    let retry_after = failure.retry_after().map(|wait| wait.as_secs_f64());
    let made = python
        .import("buildly.errors")
        .and_then(|errors| errors.getattr(name(failure.class())))
        .and_then(|class| class.call1((failure.message(), fields, retry_after)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// What can be raised.
pub(crate) trait Raise<T> {
    /// The value, or the exception to raise.
    fn or_raise(self, python: Python<'_>) -> PyResult<T>;
}

impl<T> Raise<T> for Result<T, Failure> {
    fn or_raise(self, python: Python<'_>) -> PyResult<T> {
        self.map_err(|failure| exception(python, &failure))
    }
}
