//! Operations by name, and their JSON.
#![expect(unsafe_code, reason = "functions keep their names for the linker")]

use buildly_deployment::{Failure, operation};
use serde_json::{Value, json};
use std::mem::MaybeUninit;

use crate::border::{Buffer, Slice, emptied, put, wanted};
use crate::error::{Code, Error, cross};
use crate::handles::Deployment;

/// Performs an operation by its name; arguments and answer are JSON.
///
/// `buildly_operations` names them all, `docs/c.md` says what they take. The argument `caller` says
/// who asks: `{"token": "..."}` (an access token or API key), `{"acting_as": "ada"}` (that user
/// without proof: whoever can open the folder owns it), or nobody who is signed in.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_perform(
    deployment: Deployment,
    operation: Slice,
    arguments: Slice,
    answer: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let answer = emptied(answer);
        let opened = deployment.find()?;
        let (operation, arguments) = (operation.text("operation")?, arguments.optional_text("arguments")?);
        let work = opened.call(operation.to_owned(), arguments.unwrap_or("{}").to_owned())?;
        put(answer, &work.wait()?);
        Ok(())
    })
}

/// The names of all operations, as a JSON array.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_operations(
    names: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        *wanted(names, "names")? = Buffer::of(json!(operation::NAMES).to_string().as_bytes());
        Ok(())
    })
}

/// A value in a JSON text, by its JSON Pointer (RFC 6901), such as `/live/0/phase`.
///
/// Of a text it is what the text says, of everything else its JSON. `BUILDLY_CODE_NOT_FOUND` if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_json_at(
    json: Slice,
    pointer: Slice,
    value: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(value, "value")?;
        let (json, pointer) = (json.json("json")?, pointer.text("pointer")?);
        let found = json.pointer(pointer);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no value at `{pointer}`")))?;
        *place = match found {
            Value::String(text) => Buffer::of(text.as_bytes()),
            other => Buffer::of(other.to_string().as_bytes()),
        };
        Ok(())
    })
}

/// Reads events of the journal of the caller's organization, newest first, as a JSON array.
///
/// The caller is an administrator. `before_sequence` 0 begins with the newest; the `sequence` of the
/// last one of a page goes on with the next. A page that is empty is the end.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_events(
    deployment: Deployment,
    caller: Slice,
    before_sequence: u64,
    limit: u32,
    events: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(events, "events")?;
        let before = (before_sequence > 0).then_some(before_sequence);
        let arguments = json!({"before_sequence": before, "limit": limit});
        perform(deployment, "events", Some(caller), arguments, Some(place))
    })
}

/// Performs an operation for a caller, and puts its answer where the host wants it.
pub(crate) fn perform(
    deployment: Deployment,
    operation: &str,
    caller: Option<Slice>,
    mut arguments: Value,
    place: Option<&mut Buffer>,
) -> Result<(), Failure> {
    let opened = deployment.find()?;
    if let Some(caller) = caller
        && let Some(arguments) = arguments.as_object_mut()
        && let Some(token) = caller.optional_text("caller")?
    {
        arguments.insert("caller".to_owned(), json!({"token": token}));
    }
    put(place, &opened.call(operation.to_owned(), arguments.to_string())?.wait()?);
    Ok(())
}
