//! Templates: what a person writes, as a tree of levels in JSON.
//!
//! The types mirror the format one to one (serde), so the Rust builder, the parser and the
//! published JSON Schema ([`json_schema`]) describe the same thing. Names that begin with a
//! CEL expression's meaning (`when`, `request`, `result`) hold its source text.

mod build;
mod hash;
mod kind;
mod level;
mod limits;
mod parse;
mod published;
mod walk;
mod words;

pub use hash::TemplateHash;
pub use kind::{
    Any, Call, Choice, Decide, Emit, ForEach, Kind, LocalDate, Loop, Read, SubRun, Task, Wait, WaitSignal,
};
pub use level::{Branch, BranchEvent, FaultFilter, Level, LinkJoin, StartEvent, Template, Unhandled};
pub use limits::{
    BOUND_MAX, EVENT_BYTES_MAX, LEVEL_DEPTH_MAX, LEVELS_MAX, NAME_BYTES_MAX, TEMPLATE_BYTES_MAX, WINDOW_MAX,
    is_name,
};
pub use parse::ParseError;
pub use published::json_schema;
pub use words::{Actor, Delay, Retry};

#[cfg(test)]
pub(crate) mod tests;
