//! A deployment as C opens one, with people in it; texts and places.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

use buildly::{
    Buffer, Code, Deployment, Error, Header, Incoming, Reply, Response, Slice, buildly_buffer_free,
    buildly_close, buildly_create_superuser, buildly_error_free, buildly_header_find, buildly_open,
    buildly_perform, buildly_register_function, buildly_request, buildly_response_free, buildly_sign_in,
};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "Correct-horse-9-battery";

/// A text, which outlives the call that it is used in.
pub(crate) fn text(text: &str) -> Slice {
    // SAFETY: used for the call that it is an argument of.
    unsafe { Slice::new(text.as_ptr().cast(), text.len()) }
}

/// Bytes, as above.
pub(crate) fn bytes(bytes: &[u8]) -> Slice {
    // SAFETY: used for the call that it is an argument of.
    unsafe { Slice::new(bytes.as_ptr().cast(), bytes.len()) }
}

/// What a function said about a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) fields: String,
}

/// Calls a function that gives a text.
pub(crate) fn given(
    call: impl FnOnce(Option<&mut MaybeUninit<Buffer>>, Option<&mut MaybeUninit<Error>>) -> Code,
) -> Result<String, Told> {
    let mut place = MaybeUninit::<Buffer>::uninit();
    told(|error| call(Some(&mut place), error)).map(|()| {
        // SAFETY: written by every function that takes it.
        let mut buffer = unsafe { place.assume_init() };
        let text = buffer.to_text();
        buildly_buffer_free(Some(&mut buffer));
        text
    })
}

/// Calls a function that gives JSON.
pub(crate) fn json_of(
    call: impl FnOnce(Option<&mut MaybeUninit<Buffer>>, Option<&mut MaybeUninit<Error>>) -> Code,
) -> Value {
    let text = given(call).expect("it works");
    serde_json::from_str(&text).expect("it is JSON")
}

/// Calls a function that gives nothing.
pub(crate) fn told(call: impl FnOnce(Option<&mut MaybeUninit<Error>>) -> Code) -> Result<(), Told> {
    let mut place = MaybeUninit::<Error>::uninit();
    let code = call(Some(&mut place));
    // SAFETY: written by every function that takes it.
    let mut error = unsafe { place.assume_init() };
    assert_eq!(error.code, code, "the error and the code returned agree");
    let (message, fields) = (error.message.to_text(), error.fields.to_text());
    buildly_error_free(Some(&mut error));
    buildly_error_free(Some(&mut error));
    if code == Code::Ok { Ok(()) } else { Err(Told { code, message, fields }) }
}

/// A deployment in a temporary folder, closed at the end.
pub(crate) struct World {
    pub(crate) deployment: Deployment,
    /// A superuser, of Acme.
    pub(crate) ada: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let deployment = open(Slice::NONE).expect("a temporary folder is opened");
        let made = told(|error| {
            let (organization, email) = (text("Acme"), text("ada@example.org"));
            let (name, password) = (text("ada"), text(PASSWORD));
            buildly_create_superuser(deployment, name, password, organization, email, None, error)
        });
        made.expect("the first user is made");
        Self { deployment, ada: sign_in(deployment, "ada").expect("ada signs in") }
    }

    pub(crate) fn ask(&self, method: &str, target: &str, body: &[u8]) -> (u16, String, Option<String>) {
        request(self.deployment, text(&self.ada), method, target, body).expect("the gateway answers")
    }

    pub(crate) fn perform(&self, operation: &str, arguments: Value) -> Value {
        let arguments = by(&self.ada, arguments);
        json_of(|place, error| {
            buildly_perform(self.deployment, text(operation), text(&arguments), place, error)
        })
    }

    /// Registers a service that is a function of ours.
    pub(crate) fn register(&self, name: &str, context: *mut c_void, timeout_ms: u64, function: Answering) {
        let document = document(name);
        let done = told(|error| {
            let (caller, name) = (text(&self.ada), text(name));
            let document = text(&document);
            buildly_register_function(
                self.deployment,
                caller,
                name,
                document,
                Some(function),
                context,
                None,
                timeout_ms,
                error,
            )
        });
        done.expect("the service is registered");
    }
}

pub(crate) type Answering = unsafe extern "C-unwind" fn(*mut c_void, *const Incoming, Reply) -> c_int;

impl Drop for World {
    fn drop(&mut self) {
        let _ = told(|error| buildly_close(self.deployment, error));
    }
}

/// Arguments with who asks.
pub(crate) fn by(token: &str, mut arguments: Value) -> String {
    arguments["caller"] = json!({"token": token});
    arguments.to_string()
}

/// The OpenAPI document of a service with one list and one thing in it.
pub(crate) fn document(name: &str) -> String {
    let operation =
        |id: &str| json!({"operationId": format!("{name}_{id}"), "responses": {"200": {"description": "."}}});
    json!({
        "openapi": "3.0.0", "info": {"title": name, "version": "1"},
        "paths": {
            "/things/": {"get": operation("list"), "post": operation("make")},
            "/things/{id}/": {"get": operation("read")},
        },
    })
    .to_string()
}

pub(crate) fn open(path: Slice) -> Result<Deployment, Told> {
    let mut place = MaybeUninit::<Deployment>::uninit();
    told(|error| buildly_open(path, Slice::NONE, Some(&mut place), error))?;
    // SAFETY: written by the function.
    Ok(unsafe { place.assume_init() })
}

pub(crate) fn sign_in(deployment: Deployment, name: &str) -> Result<String, Told> {
    given(|place, error| buildly_sign_in(deployment, text(name), text(PASSWORD), place, error))
}

/// Status, body and content type of what the gateway answers.
pub(crate) fn request(
    deployment: Deployment,
    caller: Slice,
    method: &str,
    target: &str,
    body: &[u8],
) -> Result<(u16, String, Option<String>), Told> {
    let mut place = MaybeUninit::<Response>::uninit();
    let json = Header { name: "Content-Type".into(), value: "application/json".into() };
    told(|error| {
        let (method, target, body) = (text(method), text(target), bytes(body));
        buildly_request(
            deployment,
            caller,
            method,
            target,
            &raw const json,
            1,
            body,
            0,
            Some(&mut place),
            error,
        )
    })?;
    // SAFETY: written by the function.
    let mut response = unsafe { place.assume_init() };
    let found = buildly_header_find(response.headers, response.headers_count, "content-type".into());
    let (status, body) = (response.status, response.body.to_text());
    let kind = string(found);
    buildly_response_free(Some(&mut response));
    buildly_response_free(Some(&mut response));
    Ok((status, body, kind))
}

/// The text of a slice; `None` where there is none.
pub(crate) fn string(slice: Slice) -> Option<String> {
    // The fields are C's; so is this view of them.
    #[repr(C)]
    struct Seen {
        data: *const u8,
        length: usize,
    }
    // SAFETY: the same two fields.
    let seen: Seen = unsafe { std::mem::transmute(slice) };
    if seen.data.is_null() {
        return None;
    }
    // SAFETY: what made it says so.
    let bytes = unsafe { std::slice::from_raw_parts(seen.data, seen.length) };
    Some(String::from_utf8_lossy(bytes).into_owned())
}
