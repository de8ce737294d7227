//! The native half of the Python package `buildly`.
//!
//! Python talks in four ways to a deployment: it opens and closes one (`handle`), has it perform a
//! named operation (arguments and answer are JSON), sends any request through the gateway and
//! reads the `answer` as it comes, and puts services of its own behind the gateway (`service`).
//! All of it is `buildly-deployment`'s; here it gets Python's values and exceptions, and whatever
//! waits does so without the interpreter's lock (`waiting`). The package around it
//! (`python/buildly/`) gives this its names, types and classes.

mod answer;
mod failure;
mod handle;
mod service;
mod waiting;

use pyo3::prelude::*;

/// What `buildly/_native.pyi` describes.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::answer::Answer;
    #[pymodule_export]
    use super::handle::Deployment;
    #[pymodule_export]
    use super::handle::operations;
    #[pymodule_export]
    use super::waiting::Pending;
}
