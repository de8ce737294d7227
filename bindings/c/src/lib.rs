//! The C binding: what `include/buildly.h` declares.
//!
//! Every function takes handles, which are numbers that are looked up and never followed as
//! pointers, texts with their length, and places for what comes out; it returns a [`Code`] and
//! says in an [`Error`] what was wrong. Nothing that panics crosses the border, and a function of
//! the host's that never returns costs its own call only. `docs/c.md` is the guide.
//!
//! What C hands over is turned into safe types in [`border`], the one place with unsafe code
//! beside the call of the host's functions in [`service`].

mod border;
mod error;
mod handles;
mod opening;
mod people;
mod perform;
mod request;
mod service;
mod workflow;

pub use border::{Buffer, Header, Slice, buildly_buffer_free, buildly_header_find};
pub use error::{Code, Error, buildly_code_name, buildly_error_free};
pub use handles::{Deployment, Reply, buildly_handles_live};
pub use opening::{buildly_close, buildly_is_open, buildly_open, buildly_version};
pub use people::{
    buildly_check_permission, buildly_create_superuser, buildly_me, buildly_register, buildly_sign_in,
};
pub use perform::{buildly_events, buildly_json_at, buildly_operations, buildly_perform};
pub use request::{Response, buildly_request, buildly_response_free};
pub use service::{
    Incoming, ReleaseFunction, ServiceFunction, buildly_attach_function, buildly_register_function,
    buildly_register_service, buildly_reply_body, buildly_reply_header, buildly_reply_status,
};
pub use workflow::{
    buildly_complete_task, buildly_publish_template, buildly_start_run, buildly_tasks,
    buildly_wait_for_change, buildly_wait_for_run,
};
