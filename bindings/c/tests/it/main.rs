//! The functions of the header, called as C calls them, and C itself.
#![expect(unsafe_code, reason = "the functions are called as C calls them")]

mod callbacks;
mod example;
mod handles;
mod harness;
mod header;
mod input;
mod operations;
