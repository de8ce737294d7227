//! The example as a process: it does all that it says, and leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

use std::path::Path;
use std::process::Command;

const TOLD: &str = "\
Ada has founded Acme and signed in.
Service `crm` is registered; it answers inside this process.
Service `archive` is registered; it answers inside this process.
Ada has made the group Managers, and Grace a member of it.
Grace may read documents: group `Managers` allows to read.
Grace may not delete documents: group `Managers` allows create, read only, and no other group of yours \
that is attached to the service allows to delete.
Grace reads contacts with their documents: [{\"id\":1,\"title\":\"Offer to Bob\"}]
Version 1 of the template `onboarding` is published.
The run waits for a person: Grace finds `approve` in her inbox.
Grace approves. The run is completed.
";

const UNDONE: &str =
    "One command does not fit, so nothing is written: there is no published template `offboarding`.";

#[test]
fn it_does_what_it_tells_and_leaves_nothing_behind() {
    let output = Command::new(env!("CARGO_BIN_EXE_example-embedded-headless")).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}{complaints}");
    let (first, rest) = told.split_once('\n').unwrap();
    let folder = first.strip_prefix("Opened ").and_then(|rest| rest.split_once(": ")).unwrap().0;
    assert!(!Path::new(folder).exists(), "{folder} is still there");
    let rest = rest.strip_prefix(TOLD).unwrap_or_else(|| panic!("expected\n{TOLD}\ngot\n{rest}"));
    let last: Vec<&str> = rest.lines().collect();
    assert!(last[0].starts_with("Its history has "), "{last:?}");
    assert_eq!(last[1], UNDONE);
    assert_eq!(last[2], "One commit: an organization, its group, a route, 1 link and 1 run.");
    assert!(last[3].starts_with("The journal holds: ") && last[3].ends_with(" in 3 chains."), "{last:?}");
    if cfg!(target_os = "linux") {
        assert_eq!(last[4], "All this went through 0 sockets of the network.");
    }
}
