use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use buildly_model::{Clock, Timestamp};
use proptest::prelude::*;

use super::memory::ENTRIES_MAX;
use super::*;

const START: Timestamp = Timestamp::EPOCH;

fn at(seconds: u64) -> Timestamp {
    START.after(Duration::from_secs(seconds))
}

/// How long an attempt would have to wait; none is made.
fn wait(throttle: &Throttle, account: &str, address: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
    let (account, address) = (Fingerprint::of(&comparison_key(account)), address.map(subscriber));
    let admission = throttle.lock().admit(account, address, now);
    match admission {
        Ok(_) => {
            Attempt::new(throttle, account, address, now).not_made();
            None
        }
        Err(Refused::Limited(wait)) => Some(wait),
        Err(Refused::Busy) => panic!("nobody else is there"),
    }
}

fn failed_at(throttle: &Throttle, address: Option<IpAddr>, now: Timestamp) {
    if let Some(address) = address.map(subscriber) {
        throttle.lock().addresses.count(address, Memory::Address, now);
    }
}

fn failed(throttle: &Throttle, account: &str, address: Option<IpAddr>, now: Timestamp) {
    failed_at(throttle, address, now);
    let account = Fingerprint::of(&comparison_key(account));
    drop(Attempt::new(throttle, account, address.map(subscriber), now));
}

fn failed_known(throttle: &Throttle, account: &str, now: Timestamp) {
    let mut attempt = Attempt::new(throttle, Fingerprint::of(&comparison_key(account)), None, now);
    attempt.account_exists();
}

fn succeeded(throttle: &Throttle, account: &str) {
    Attempt::new(throttle, Fingerprint::of(&comparison_key(account)), None, START).succeeded();
}

struct Stopped(AtomicI64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.load(Ordering::SeqCst))
    }
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
        assert_eq!(wait(&throttle, &format!("user {number}"), Some(address), at(1)), None);
        failed(&throttle, &format!("user {number}"), Some(address), at(1));
    }
    assert_eq!(wait(&throttle, "somebody", Some(address), at(100)), Some(Duration::from_secs(201)));
    assert_eq!(wait(&throttle, "somebody", Some(address), at(301)), None);
    assert_eq!(wait(&throttle, "somebody", "192.0.2.8".parse().ok(), at(100)), None, "another address");
}

#[test]
fn an_address_of_version_6_counts_with_its_neighbours_of_one_subscriber() {
    let throttle = Throttle::default();
    for number in 0..ADDRESS_FAILURES_MAX {
        let address = format!("2001:db8::{number:x}").parse().ok();
        failed_at(&throttle, address, START);
    }
    assert!(wait(&throttle, "ada", "2001:db8::ffff".parse().ok(), START).is_some());
    assert!(wait(&throttle, "ada", "2001:db8:0:1::1".parse().ok(), START).is_none());
}

#[test]
fn memory_stays_bounded_however_long_the_names_are() {
    let throttle = Throttle::default();
    let long = "x".repeat(200);
    for number in 0..ENTRIES_MAX * 3 {
        failed(&throttle, &format!("{number}{long}"), None, START);
        throttle.admit_mail(&format!("{number}{long}"), None, START).unwrap();
    }
    let state = throttle.lock();
    assert!(state.accounts.entries() <= 2 * ENTRIES_MAX);
    assert!(state.mail.entries() <= 2 * ENTRIES_MAX);
    assert_eq!(state.lines.count(), 0, "nothing is under way");
}

#[test]
fn made_up_names_never_push_out_what_is_remembered_of_real_accounts() {
    let throttle = Throttle::default();
    for _ in 0..9 {
        failed_known(&throttle, "ada", START);
        let _limited_in_the_end = throttle.admit_mail("ada@example.org", None, START);
    }
    throttle.mail_is_known("ada@example.org");
    for number in 0..ENTRIES_MAX * 3 {
        failed(&throttle, &number.to_string(), None, START);
        throttle.admit_mail(&number.to_string(), None, START).unwrap();
    }
    assert_eq!(wait(&throttle, "Ada", None, START), Some(Duration::from_secs(32)));
    let refused = throttle.admit_mail("ada@example.org", None, START);
    assert_eq!(refused, Err(Refused::Limited(MAIL_DELAY_FIRST)));
}

#[test]
fn mail_to_one_address_is_slowed_down_whoever_asks_for_it_and_delays_no_sign_in() {
    let throttle = Throttle::default();
    for number in 0..MAIL_FREE {
        let address = format!("192.0.2.{number}").parse().ok();
        throttle.admit_mail("ada@example.org", address, START).unwrap();
    }
    let refused = throttle.admit_mail(" ADA@example.org", None, START);
    assert_eq!(refused, Err(Refused::Limited(MAIL_DELAY_FIRST)));
    throttle.admit_mail("bob@example.org", None, START).unwrap();
    throttle.admit_mail("ada@example.org", None, START.after(MAIL_DELAY_FIRST)).unwrap();
    assert_eq!(wait(&throttle, "ada@example.org", None, START), None);
}

#[test]
fn a_blank_name_is_slowed_down_and_keeps_nobody_from_asking_for_mail() {
    let throttle = Throttle::default();
    for _ in 0..20 {
        failed(&throttle, "  ", None, START);
    }
    assert!(wait(&throttle, "", None, START).is_some());
    assert_eq!(wait(&throttle, "ada", None, START), None);
    throttle.admit_mail("ada@example.org", None, START).unwrap();
}

#[test]
fn what_asks_for_mail_counts_for_its_address() {
    let throttle = Throttle::default();
    let address: Option<IpAddr> = "192.0.2.7".parse().ok();
    for number in 0..ADDRESS_FAILURES_MAX {
        throttle.admit_mail(&format!("{number}@example.org"), address, at(1)).unwrap();
    }
    let refused = throttle.admit_mail("ada@example.org", address, at(1));
    assert_eq!(refused, Err(Refused::Limited(ADDRESS_WINDOW)));
    assert!(wait(&throttle, "ada", address, at(1)).is_some());
    throttle.admit_mail("ada@example.org", None, at(1)).unwrap();
}

#[test]
fn whoever_is_right_or_was_not_asked_leaves_nothing_at_the_address() {
    let throttle = Throttle::default();
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    for number in 0..ADDRESS_FAILURES_MAX * 2 {
        assert_eq!(wait(&throttle, &number.to_string(), Some(address), at(1)), None, "{number}");
    }
    assert_eq!(throttle.lock().addresses.get(&address).unwrap().count, 0);
}

#[tokio::test]
async fn of_many_guesses_at_once_no_more_are_looked_at_than_may_fail() {
    let throttle = Arc::new(Throttle::default());
    let clock = Arc::new(Stopped(AtomicI64::new(0)));
    let guesses = (0..100).map(|_| {
        let (throttle, clock) = (Arc::clone(&throttle), Arc::clone(&clock));
        tokio::spawn(async move {
            let attempt = throttle.admit("ada", None, &*clock).await;
            // As long as a hash takes.
            tokio::task::yield_now().await;
            attempt.is_ok()
        })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        looked_at += u32::from(guess.await.unwrap());
    }
    assert_eq!(looked_at, ACCOUNT_FAILURES_FREE);
}

#[test]
fn one_address_has_no_more_attempts_under_way_than_its_share() {
    let throttle = Throttle::default();
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let enter = |account: u32, address| {
        throttle.lock().admit(Fingerprint::of(&account.to_string()), Some(address), START)
    };
    for account in 0..ADDRESS_ATTEMPTS_MAX {
        assert!(matches!(enter(account, address), Ok(Admission::Granted)), "{account}");
    }
    assert!(matches!(enter(1000, address), Ok(Admission::InLine(_))));
    assert!(matches!(enter(1000, "192.0.2.8".parse().unwrap()), Ok(Admission::Granted)), "another address");
    drop(Attempt::new(&throttle, Fingerprint::of("0"), Some(address), START));
    assert!(matches!(enter(1001, address), Ok(Admission::Granted)), "one has ended");
    assert_eq!(throttle.lock().addresses.get(&address).unwrap().count, ADDRESS_ATTEMPTS_MAX + 1);
}

#[test]
fn notices_to_administrators_hold_up_no_mail_that_is_asked_for() {
    let throttle = Throttle::default();
    for _ in 0..MAIL_FREE {
        throttle.admit_notice("ada@example.org", START).unwrap();
    }
    assert!(throttle.admit_notice("ADA@example.org", START).is_err());
    throttle.admit_mail("ada@example.org", None, START).unwrap();
}

#[tokio::test]
async fn many_at_once_who_know_the_password_all_come_in() {
    let throttle = Arc::new(Throttle::default());
    let clock = Arc::new(Stopped(AtomicI64::new(0)));
    let address: Option<IpAddr> = "192.0.2.7".parse().ok();
    let people = (0..200).map(|_| {
        let (throttle, clock) = (Arc::clone(&throttle), Arc::clone(&clock));
        tokio::spawn(async move {
            let attempt = throttle.admit("ada", address, &*clock).await.unwrap();
            tokio::task::yield_now().await;
            attempt.succeeded();
        })
    });
    for person in people.collect::<Vec<_>>() {
        person.await.unwrap();
    }
    assert_eq!(throttle.lock().lines.count(), 0);
}

proptest! {
    #[test]
    fn one_accounts_failures_never_delay_another(failures in 0_u32..2000, seconds in 0_u64..10_000) {
        let throttle = Throttle::default();
        for _ in 0..failures {
            failed(&throttle, "mallory", None, at(seconds));
        }
        prop_assert_eq!(wait(&throttle, "ada", None, at(seconds)), None);
        prop_assert_eq!(wait(&throttle, "MALLORY ", None, at(seconds)).is_some(), failures >= 5);
        succeeded(&throttle, "Mallory");
        prop_assert_eq!(wait(&throttle, "mallory", None, at(seconds)), None);
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
