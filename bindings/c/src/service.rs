//! Services: elsewhere by their address, or functions of the host's.
#![expect(unsafe_code, reason = "functions of another language are called here")]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use buildly_deployment::{Call, Failure, Function, Reply as Answer};
use bytes::Bytes;
use serde_json::json;

use crate::border::{Buffer, Header, Slice, emptied};
use crate::error::{Code, Error, cross};
use crate::handles::{Deployment, Reply};
use crate::perform::perform;

/// How long a call of a function may take, where nobody says.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A call of a function of the host's. Everything in it is there until the function returns.
#[repr(C)]
#[derive(Debug)]
pub struct Incoming {
    /// Such as `GET`.
    pub method: Slice,
    /// The path below the service, and the query.
    pub target: Slice,
    /// The header fields, for `buildly_header_find`.
    pub headers: *const Header,
    /// How many there are.
    pub headers_count: usize,
    /// The body, at most 16 MiB.
    pub body: Slice,
}

/// A function of the host's that answers calls, by `buildly_reply_status`, `buildly_reply_header` and
/// `buildly_reply_body`, and returns 0; anything else says that it has failed, and the caller gets 500.
///
/// It is called on threads of the library's, several at once, and may wait and use the library. No
/// exception of C++ and no `longjmp` may leave it.
pub type ServiceFunction = Option<
    unsafe extern "C-unwind" fn(context: *mut c_void, incoming: *const Incoming, reply: Reply) -> c_int,
>;

/// Told once that `context` is no longer used.
pub type ReleaseFunction = Option<unsafe extern "C-unwind" fn(context: *mut c_void)>;

/// What was registered: the function, and what is the host's about it.
struct Hosted {
    function: unsafe extern "C-unwind" fn(*mut c_void, *const Incoming, Reply) -> c_int,
    /// Dropped, and with it released, when the last call is over.
    context: Context,
}

struct Context {
    context: *mut c_void,
    release: ReleaseFunction,
}

// SAFETY: the header demands of the host that its function and context may be used on any
// thread, several at once.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        let Some(release) = self.release else { return };
        // SAFETY: the host gave this function for this pointer, and nobody uses it any more.
        // What it throws goes no further.
        let _ = catch_unwind(AssertUnwindSafe(|| unsafe { release(self.context) }));
    }
}

/// Takes the reply off the list of live handles, however the call ends.
struct Replying(Reply);

impl Drop for Replying {
    fn drop(&mut self) {
        let _ = self.0.take();
    }
}

impl Function for Hosted {
    fn call(&self, call: Call) -> Result<Answer, String> {
        let field =
            |(name, value): &(Vec<u8>, Vec<u8>)| Header { name: Slice::of(name), value: Slice::of(value) };
        let headers: Vec<Header> = call.fields.iter().map(field).collect();
        let incoming = Incoming {
            method: Slice::of(call.method.as_bytes()),
            target: Slice::of(call.target.as_bytes()),
            headers: headers.as_ptr(),
            headers_count: headers.len(),
            body: Slice::of(&call.body),
        };
        let replying = Replying(Reply::of(Answer { status: 200, fields: Vec::new(), body: Bytes::new() }));
        let (function, context, reply) = (self.function, self.context.context, replying.0);
        // SAFETY: the host gave this function for this pointer; what it is handed lives until
        // it has returned.
        let returned =
            catch_unwind(AssertUnwindSafe(|| unsafe { function(context, &raw const incoming, reply) }));
        match returned {
            Ok(0) => reply.take().ok_or_else(|| "its answer was taken away".to_owned()),
            Ok(code) => Err(format!("it returned {code}")),
            Err(_) => Err("it threw".to_owned()),
        }
    }
}

/// Registers a service that listens at `url`, by its OpenAPI document there.
///
/// `service` may be NULL; else it is the service as JSON. The operation `register_service` takes more.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_register_service(
    deployment: Deployment,
    caller: Slice,
    name: Slice,
    url: Slice,
    service: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = emptied(service);
        let arguments = json!({"name": name.text("name")?, "url": url.text("url")?});
        perform(deployment, "register_service", Some(caller), arguments, place)
    })
}

/// Registers a service that is a function of the host's; `document` is its OpenAPI document as JSON.
///
/// A call that takes longer than `timeout_ms` (0: 30 seconds) is answered with 504; at most 64
/// calls of a service are under way at once. `release` may be NULL; else it is called once with
/// `context` when that is no longer used, also if this function fails. The registration is kept, the
/// function is not: register the service, or attach it, each time the folder is opened.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_register_function(
    deployment: Deployment,
    caller: Slice,
    name: Slice,
    document: Slice,
    function: ServiceFunction,
    context: *mut c_void,
    release: ReleaseFunction,
    timeout_ms: u64,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    let context = Context { context, release };
    cross(error, move || {
        attach(deployment, name, document, function, context, timeout_ms)?;
        perform(deployment, "register_service", Some(caller), json!({"name": name.text("name")?}), None)
    })
}

/// Lets a service that was registered before be a function of this process again: as
/// `buildly_register_function`, where nobody is there who may register.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_attach_function(
    deployment: Deployment,
    name: Slice,
    document: Slice,
    function: ServiceFunction,
    context: *mut c_void,
    release: ReleaseFunction,
    timeout_ms: u64,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    let context = Context { context, release };
    cross(error, move || attach(deployment, name, document, function, context, timeout_ms))
}

fn attach(
    deployment: Deployment,
    name: Slice,
    document: Slice,
    function: ServiceFunction,
    context: Context,
    timeout_ms: u64,
) -> Result<(), Failure> {
    let function = function.ok_or_else(|| Failure::field("function", "expected a function, not NULL"))?;
    let document = document.text("document")?.to_owned();
    let timeout = if timeout_ms == 0 { CALL_TIMEOUT } else { Duration::from_millis(timeout_ms) };
    let hosted = Arc::new(Hosted { function, context });
    deployment.find()?.attach(name.text("name")?, document, Some(timeout), hosted)?;
    Ok(())
}

/// Says which status the answer has, from 200 to 999; without it, 200.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_reply_status(
    reply: Reply,
    status: u16,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || reply.change(|answer| answer.status = status))
}

/// Adds a header field to the answer.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_reply_header(
    reply: Reply,
    name: Slice,
    value: Slice,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let field = (name.bytes("name")?.to_vec(), value.bytes("value")?.to_vec());
        reply.change(|answer| answer.fields.push(field))
    })
}

/// Says what the body of the answer is; it is copied.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_reply_body(
    reply: Reply,
    body: Slice,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let body = Bytes::copy_from_slice(body.bytes("body")?);
        reply.change(|answer| answer.body = body)
    })
}
