//! What the tests share: a run on a bench, where everything outside of it is a list that the
//! test can look at, and every step is checked.

mod bench;
mod shape;
mod sound;

pub(crate) use bench::{Bench, RUN, at, compiled};
pub(crate) use shape::{Shape, shaped, shaped_with};
pub(crate) use sound::{World, assert_sound};
