//! What workflows ask of the other areas, answered from the snapshot; and how their calls are made.

mod access;
mod call;
mod calls;
mod outcome;
mod world;

pub(crate) use access::WorkflowAccess;
pub(crate) use calls::Calls;
