//! The example as a process: it ends well, and leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

use std::path::Path;
use std::process::Command;

#[test]
fn it_ends_well_and_leaves_nothing_behind() {
    let output = Command::new(env!("CARGO_BIN_EXE_example-embedded-headless")).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*complaints), (Some(0), ""), "{told}");
    let first = told.lines().next().unwrap();
    let folder = first.strip_prefix("Opened ").and_then(|rest| rest.split_once(": ")).unwrap().0;
    assert!(!Path::new(folder).exists(), "{folder} is still there");
    if cfg!(target_os = "linux") {
        assert!(told.contains("All this went through 0 sockets of the network."), "{told}");
    }
}
