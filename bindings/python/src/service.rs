//! Services that are functions of Python's.

use buildly_deployment::{Call, Fields, Function, Reply};
use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::answer::rendered;

/// What a function answers: status, header fields, body.
type Answered = (u16, Fields, PyBackedBytes);

/// A function of Python's.
pub(crate) struct PythonFunction(pub(crate) Py<PyAny>);

impl Function for PythonFunction {
    /// What it raises is told as Python tells what nobody can catch.
    fn call(&self, call: Call) -> Result<Reply, String> {
        let answered = Python::try_attach(|python| {
            let fields = rendered(python, &call.fields);
            let arguments = (call.method, call.target, fields, PyBytes::new(python, &call.body));
            let answered = self.0.call1(python, arguments);
            let answered = answered.and_then(|answer| answer.extract::<Answered>(python));
            answered.map_err(|error| error.write_unraisable(python, Some(self.0.bind(python))))
        });
        match answered {
            Some(Ok((status, fields, body))) => Ok(Reply { status, fields, body: Bytes::from_owner(body) }),
            Some(Err(())) => Err("it raised what Python's log shows".to_owned()),
            None => Err("the interpreter is ending".to_owned()),
        }
    }
}
