use std::net::IpAddr;
use std::time::Duration;

use buildly_model::Timestamp;
use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::EPOCH;

fn at(seconds: u64) -> Timestamp {
    START.after(Duration::from_secs(seconds))
}

#[test]
fn five_failures_are_free_and_then_the_delay_doubles_up_to_its_maximum() {
    let mut failures = None;
    let mut now = START;
    let mut waits = Vec::new();
    for _ in 0..15 {
        failures = Some(Failures::and_one_more(failures, Memory::Account, now));
        let wait = failures.unwrap().wait(Memory::Account, now).unwrap_or_default();
        waits.push(wait.as_secs());
        now = now.after(wait);
        assert_eq!(failures.unwrap().wait(Memory::Account, now), None, "after the wait it may be tried");
    }
    assert_eq!(waits, [0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
}

#[test]
fn failures_are_forgotten_after_quiet_time_and_a_clock_set_back_forgets_nothing() {
    let mut failures = None;
    for _ in 0..5 {
        failures = Some(Failures::and_one_more(failures, Memory::Account, at(1000)));
    }
    let failures = failures.unwrap();
    assert!(failures.wait(Memory::Account, at(1000)).is_some());
    assert!(failures.wait(Memory::Account, at(10)).is_some());
    assert_eq!(failures.wait(Memory::Account, at(1000).after(ACCOUNT_MEMORY)), None);
    assert_eq!(Failures::and_one_more(Some(failures), Memory::Account, at(5000)).count, 1);
}

#[test]
fn an_address_is_limited_after_300_failures_until_the_window_ends() {
    let throttle = Throttle::default();
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    for number in 0..ADDRESS_FAILURES_MAX {
        assert_eq!(throttle.wait(&format!("user {number}"), Some(address), at(1)), None);
        throttle.failed(&format!("user {number}"), Some(address), at(1));
    }
    assert_eq!(throttle.wait("somebody", Some(address), at(100)), Some(Duration::from_secs(201)));
    assert_eq!(throttle.wait("somebody", Some(address), at(301)), None);
    assert_eq!(throttle.wait("somebody", "192.0.2.8".parse().ok(), at(100)), None, "another address");
}

#[test]
fn an_address_of_version_6_counts_with_its_neighbours_of_one_subscriber() {
    let throttle = Throttle::default();
    for number in 0..ADDRESS_FAILURES_MAX {
        let address = format!("2001:db8::{number:x}").parse().ok();
        throttle.failed_at(address, START);
    }
    assert!(throttle.wait("ada", "2001:db8::ffff".parse().ok(), START).is_some());
    assert!(throttle.wait("ada", "2001:db8:0:1::1".parse().ok(), START).is_none());
}

#[test]
fn memory_stays_bounded() {
    let throttle = Throttle::default();
    for number in 0..ENTRIES_MAX * 3 {
        throttle.failed(&number.to_string(), None, START);
    }
    let accounts = throttle.accounts.lock().unwrap();
    assert!(accounts.young.len() + accounts.old.len() <= 2 * ENTRIES_MAX);
}

proptest! {
    #[test]
    fn one_accounts_failures_never_delay_another(failures in 0_u32..2000, seconds in 0_u64..10_000) {
        let throttle = Throttle::default();
        for _ in 0..failures {
            throttle.failed("mallory", None, at(seconds));
        }
        prop_assert_eq!(throttle.wait("ada", None, at(seconds)), None);
        prop_assert_eq!(throttle.wait("MALLORY ", None, at(seconds)).is_some(), failures >= 5);
        throttle.succeeded("Mallory");
        prop_assert_eq!(throttle.wait("mallory", None, at(seconds)), None);
    }

    #[test]
    fn a_wait_is_never_longer_than_the_maximum_and_ends(
        gaps in proptest::collection::vec(0_u64..2000, 1..60)
    ) {
        let mut now = START;
        let mut failures = None;
        for gap in gaps {
            now = now.after(Duration::from_secs(gap));
            let after = Failures::and_one_more(failures, Memory::Account, now);
            let wait = after.wait(Memory::Account, now).unwrap_or_default();
            prop_assert!(wait <= ACCOUNT_DELAY_MAX);
            prop_assert_eq!(after.wait(Memory::Account, now.after(wait)), None);
            failures = Some(after);
        }
    }
}
