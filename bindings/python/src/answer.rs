//! Answers of the gateway whose body is read as it comes.

use buildly_deployment::{Answer as Coming, Fields};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::waiting::{Pending, begin, wait};

/// Header fields as Python has them.
pub(crate) fn rendered<'py>(
    python: Python<'py>,
    fields: &Fields,
) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    fields.iter().map(|(name, value)| (PyBytes::new(python, name), PyBytes::new(python, value))).collect()
}

/// An answer whose body is still to come.
#[pyclass(frozen, module = "buildly._native")]
pub(crate) struct Answer {
    pub(crate) coming: Coming,
}

#[pymethods]
impl Answer {
    /// The status.
    #[getter]
    fn status(&self) -> u16 {
        self.coming.status
    }

    /// The header fields, as they travel.
    #[getter]
    fn fields<'py>(&self, python: Python<'py>) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        rendered(python, &self.coming.fields)
    }

    /// The next piece of the body; `None` at its end.
    fn read<'py>(&self, python: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let chunk = wait(python, self.coming.read())?;
        Ok(chunk.map(|chunk| PyBytes::new(python, &chunk)))
    }

    /// As `read`; tells `done`.
    fn begin_read(&self, done: Py<PyAny>) -> Pending {
        begin(self.coming.read(), done, |python, chunk| {
            Ok(chunk.map_or_else(|| python.None(), |chunk| PyBytes::new(python, &chunk).into_any().unbind()))
        })
    }
}
