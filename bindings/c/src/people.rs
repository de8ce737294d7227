//! People, sessions, rights.
#![expect(unsafe_code, reason = "functions keep their names for the linker")]

use serde_json::{Value, json};
use std::mem::MaybeUninit;

use crate::border::{Buffer, Slice, emptied, put, wanted};
use crate::error::{Code, Error, cross};
use crate::handles::Deployment;
use crate::perform::perform;

/// Makes the first user of a deployment, who may do everything, and the organization.
///
/// `user` may be NULL; else it is the user as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_create_superuser(
    deployment: Deployment,
    username: Slice,
    password: Slice,
    organization: Slice,
    email: Slice,
    user: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let user = emptied(user);
        let arguments = json!({
            "username": username.text("username")?,
            "password": password.text("password")?,
            "organization": organization.text("organization")?,
            "email": email.optional_text("email")?.unwrap_or_default(),
        });
        perform(deployment, "create_superuser", None, arguments, user)
    })
}

/// Registers a user. The organization is founded if there is none of that name, and its founder
/// administers it.
///
/// Without an administrator as `caller` (NULL: nobody), whoever joins an organization waits for
/// approval. `user` may be NULL; else it is the user as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_register(
    deployment: Deployment,
    caller: Slice,
    username: Slice,
    password: Slice,
    organization: Slice,
    email: Slice,
    user: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let user = emptied(user);
        let arguments = json!({
            "username": username.text("username")?,
            "password": password.text("password")?,
            "organization": organization.text("organization")?,
            "email": email.optional_text("email")?.unwrap_or_default(),
        });
        perform(deployment, "register", Some(caller), arguments, user)
    })
}

/// Signs a user in. The token is the `caller` of other functions.
///
/// The operation `sign_in` gives the refresh token, too.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_sign_in(
    deployment: Deployment,
    username: Slice,
    password: Slice,
    token: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(token, "token")?;
        let arguments =
            json!({"username": username.text("username")?, "password": password.text("password")?});
        let work = deployment.find()?.call("sign_in".to_owned(), arguments.to_string())?;
        let session: Value = read(&work.wait()?);
        put(Some(place), session.pointer("/token").and_then(Value::as_str).unwrap_or_default());
        Ok(())
    })
}

/// Who the caller is, as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_me(
    deployment: Deployment,
    caller: Slice,
    user: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(user, "user")?;
        perform(deployment, "me", Some(caller), json!({}), Some(place))
    })
}

/// Whether the caller may `create`, `read`, `update` or `delete` what a service has, and which rule decided.
///
/// A refusal is an answer: `is_allowed` is false, and the function returns `BUILDLY_CODE_OK`. `reason` may
/// be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_check_permission(
    deployment: Deployment,
    caller: Slice,
    action: Slice,
    service: Slice,
    is_allowed: Option<&mut MaybeUninit<bool>>,
    reason: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let (is_allowed, reason) = (wanted(is_allowed, "is_allowed")?, emptied(reason));
        let arguments = json!({"action": action.text("action")?, "service": service.text("service")?});
        let mut answer = Buffer::default();
        perform(deployment, "check_permission", Some(caller), arguments, Some(&mut answer))?;
        let permission = read(&answer.to_text());
        answer.free();
        *is_allowed = permission.pointer("/is_allowed").and_then(Value::as_bool).unwrap_or(false);
        put(reason, permission.pointer("/reason").and_then(Value::as_str).unwrap_or_default());
        Ok(())
    })
}

/// An answer of an operation, which is JSON.
fn read(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_default()
}
