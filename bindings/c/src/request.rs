//! Requests through the gateway.
#![expect(unsafe_code, reason = "functions keep their names for the linker")]

use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use buildly_deployment::{Asked, BodyMax, Failure, Fields};
use bytes::Bytes;

use crate::border::{self, Buffer, Header, Slice, wanted};
use crate::error::{Code, Error, cross};
use crate::handles::Deployment;

/// What the gateway has answered. Free it with `buildly_response_free`.
#[repr(C)]
#[derive(Debug)]
pub struct Response {
    /// The status; 0 if there is no answer.
    pub status: u16,
    /// The body.
    pub body: Buffer,
    /// The header fields, for `buildly_header_find`.
    pub headers: *mut Header,
    /// How many there are.
    pub headers_count: usize,
    /// What the header fields point into.
    storage: Buffer,
}

impl Default for Response {
    fn default() -> Self {
        let (body, storage) = (Buffer::default(), Buffer::default());
        Self { status: 0, body, headers: ptr::null_mut(), headers_count: 0, storage }
    }
}

/// Sends a request through the gateway and reads the whole answer, at most 64 MiB of it.
///
/// `target` begins with the name of a service, as in `/crm/contact/?limit=5`; with `?join` the answer
/// holds the linked records of other services. Any status is an answer, for which the function
/// returns `BUILDLY_CODE_OK`. `timeout_ms` 0 waits as long as the gateway does.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_request(
    deployment: Deployment,
    caller: Slice,
    method: Slice,
    target: Slice,
    headers: *const Header,
    headers_count: usize,
    body: Slice,
    timeout_ms: u64,
    response: Option<&mut MaybeUninit<Response>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(response, "response")?;
        let opened = deployment.find()?;
        let mut fields = fields(border::headers(headers, headers_count)?)?;
        if let Some(token) = caller.optional_text("caller")? {
            fields.push((b"authorization".to_vec(), format!("Bearer {token}").into_bytes()));
        }
        let asked = Asked {
            method: method.text("method")?.to_owned(),
            target: target.text("target")?.to_owned(),
            fields,
            body: Bytes::copy_from_slice(body.bytes("body")?),
            peer: None,
            timeout: (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms)),
        };
        let answered = opened.request(asked, BodyMax::default())?.wait()?;
        let (headers, headers_count, storage) = border::copied(&answered.fields);
        let body = Buffer::of(&answered.body);
        *place = Response { status: answered.status, body, headers, headers_count, storage };
        Ok(())
    })
}

/// The header fields of the host's, copied.
pub(crate) fn fields(headers: &[Header]) -> Result<Fields, Failure> {
    let copied = headers
        .iter()
        .map(|header| Ok((header.name.bytes("headers")?.to_vec(), header.value.bytes("headers")?.to_vec())));
    copied.collect()
}

/// Frees what an answer holds, and empties it: freeing it again does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_response_free(response: Option<&mut Response>) {
    let Some(response) = response else { return };
    response.body.free();
    response.storage.free();
    border::free_headers(&mut response.headers);
    response.headers_count = 0;
    response.status = 0;
}
