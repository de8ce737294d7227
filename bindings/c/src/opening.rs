//! Opened and closed.
#![expect(unsafe_code, reason = "functions keep their names for the linker")]

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::path::Path;

use buildly_deployment::{Deployment as Opened, Opening};

use crate::border::{Slice, wanted};
use crate::error::{Code, Error, cross};
use crate::handles::Deployment;

/// Opens the data folder at `path`, and makes it if there is none.
///
/// Without a path it is a temporary folder, which is gone once the deployment is closed. A folder
/// belongs to one process at a time, and any number of its threads may use the handle at once.
/// `options` is NULL, or a JSON object: `public_url` (for links in mail), `works_for_runs`
/// (default true), `threads` (default 2), `database_url` and `database_schema` (a PostgreSQL
/// database instead of a file in the folder: any number of processes may use it at once), and
/// `deployment_key` (64 hexadecimal digits that all of them share; else the folder keeps it).
#[unsafe(no_mangle)]
pub extern "C" fn buildly_open(
    path: Slice,
    options: Slice,
    deployment: Option<&mut MaybeUninit<Deployment>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(deployment, "deployment")?;
        let path = path.optional_text("path")?;
        let opening = match options.optional_text("options")? {
            None => Opening::default(),
            Some(text) => Opening::from_json(text)?,
        };
        *place = Deployment::of(Opened::open(path.map(Path::new), opening)?);
        Ok(())
    })
}

/// Whether the handle can be used: open, in this process.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_is_open(deployment: Deployment) -> bool {
    deployment.find().is_ok_and(|opened| opened.is_open())
}

/// Ends all work; what was acknowledged is on disk.
///
/// What other threads wait for ends with `BUILDLY_CODE_CLOSED`, as does every later use of the
/// handle, closing again included.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_close(deployment: Deployment, error: Option<&mut MaybeUninit<Error>>) -> Code {
    cross(error, || {
        let opened = deployment.find()?;
        opened.close()?;
        deployment.forget();
        Ok(())
    })
}

/// The version of the library, such as `0.1.0`. Never free it.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    CStr::from_bytes_with_nul(VERSION.as_bytes()).unwrap_or_default().as_ptr()
}
