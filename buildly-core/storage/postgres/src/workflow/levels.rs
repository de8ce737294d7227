//! Levels: the rows that Buildly Core 1.2.0 called workflows.

mod read;
mod select;
mod write;

pub(super) use write::apply;
