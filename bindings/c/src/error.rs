//! What went wrong, as C sees it.
#![expect(unsafe_code, reason = "functions keep their names for the linker")]

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use buildly_deployment::{Class, Failure};
use buildly_model::ErrorKind;
use serde_json::{Value, json};

use crate::border::{Buffer, emptied};

/// Whether it worked, and if not, what can be done about it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Code {
    /// It worked.
    #[default]
    Ok = 0,
    /// The input is wrong; correct it. `fields` of the error says where.
    Invalid = 1,
    /// Nobody is signed in; sign in.
    Unauthenticated = 2,
    /// Signed in, but not allowed; ask for the right.
    Forbidden = 3,
    /// There is no such thing, or not for this caller.
    NotFound = 4,
    /// The state does not take this change; read again and decide again.
    Conflict = 5,
    /// Too much or too often; wait.
    Limited = 6,
    /// Something that is needed does not answer; try again later.
    Unavailable = 7,
    /// Stored data or the library's own state is broken; a person must act.
    Corrupt = 8,
    /// The handle was closed.
    Closed = 9,
    /// The deployment was opened before this process was forked; open it in this one.
    Forked = 10,
}

impl From<Class> for Code {
    fn from(class: Class) -> Self {
        match class {
            Class::Of(ErrorKind::Invalid) => Self::Invalid,
            Class::Of(ErrorKind::Unauthenticated) => Self::Unauthenticated,
            Class::Of(ErrorKind::Forbidden) => Self::Forbidden,
            Class::Of(ErrorKind::NotFound) => Self::NotFound,
            Class::Of(ErrorKind::Conflict) => Self::Conflict,
            Class::Of(ErrorKind::Limited) => Self::Limited,
            Class::Of(ErrorKind::Unavailable) => Self::Unavailable,
            Class::Of(ErrorKind::Corrupt) => Self::Corrupt,
            Class::Closed => Self::Closed,
            Class::Forked => Self::Forked,
        }
    }
}

/// What went wrong. Every function that takes one writes it: all zero if it worked.
///
/// After a failure, free it with `buildly_error_free` before it is used again.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Error {
    /// What the function returned.
    pub code: Code,
    /// A sentence for people.
    pub message: Buffer,
    /// Every refused field, as a JSON array of objects with `field` and `message`; `data` is NULL
    /// if it is not about fields.
    pub fields: Buffer,
    /// After how many seconds to come again; 0 if that is not known.
    pub retry_after_s: f64,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let refused = failure.fields().iter();
        let refused: Vec<Value> =
            refused.map(|refused| json!({"field": refused.field, "message": refused.message})).collect();
        let fields = if refused.is_empty() {
            Buffer::default()
        } else {
            Buffer::of(Value::Array(refused).to_string().as_bytes())
        };
        Self {
            code: failure.class().into(),
            message: Buffer::of(failure.message().as_bytes()),
            fields,
            retry_after_s: failure.retry_after().map_or(0.0, |wait| wait.as_secs_f64()),
        }
    }
}

/// Does what a function is for; what fails, or panics, becomes a code and a message.
pub(crate) fn cross(
    error: Option<&mut MaybeUninit<Error>>,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Code {
    let error = emptied(error);
    // What a panic leaves behind is only reached through locks that heal.
    let worked = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Failure::broken("the library has failed in a way that it should not; stderr says where"))
    });
    let Err(failure) = worked else { return Code::Ok };
    let code = failure.class().into();
    if let Some(error) = error {
        *error = failure.into();
    }
    code
}

/// Frees what an error holds, and empties it: freeing it again does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_error_free(error: Option<&mut Error>) {
    let Some(error) = error else { return };
    error.message.free();
    error.fields.free();
    error.code = Code::Ok;
    error.retry_after_s = 0.0;
}

/// The name of a code, such as `not_found`: the same word in every language. Never free it.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_code_name(code: i32) -> *const c_char {
    const NAMES: [(Code, &CStr); 11] = [
        (Code::Ok, c"ok"),
        (Code::Invalid, c"invalid"),
        (Code::Unauthenticated, c"unauthenticated"),
        (Code::Forbidden, c"forbidden"),
        (Code::NotFound, c"not_found"),
        (Code::Conflict, c"conflict"),
        (Code::Limited, c"limited"),
        (Code::Unavailable, c"unavailable"),
        (Code::Corrupt, c"corrupt"),
        (Code::Closed, c"closed"),
        (Code::Forked, c"forked"),
    ];
    let found = NAMES.iter().find(|(known, _)| *known as i32 == code);
    found.map_or(c"unknown", |(_, name)| name).as_ptr()
}
