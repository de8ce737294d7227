use std::collections::BTreeMap;

use buildly_model::SessionId;
use buildly_model::system::System;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::token::{DeploymentKey, RefreshToken, Session};

const WINDOW: Duration = Duration::from_secs(10);
const LIFETIME: Duration = Duration::from_secs(1000);

/// A family as a storage keeps it: hashes, when each was used, whether it was revoked.
#[derive(Clone)]
struct Family {
    key: hmac::Key,
    session: Session,
    tokens: BTreeMap<[u8; 32], RefreshToken>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Successor(String),
    Refused,
}

impl Family {
    fn start() -> (Self, String) {
        let session = Session {
            id: SessionId::from_uuid(Uuid::nil()),
            organization: None,
            user: None,
            application: None,
            credential_version: 0,
            started_at: Timestamp::EPOCH,
            revoked_at: None,
        };
        let key = DeploymentKey::from_bytes([3; 32]).succession_key();
        let mut family = Self { key, session, tokens: BTreeMap::new() };
        let text = first(&System).expose().to_owned();
        family.insert(&text, 1, Timestamp::EPOCH);
        (family, text)
    }

    fn insert(&mut self, text: &str, generation: i64, now: Timestamp) {
        let hash = hash_of(text);
        let token = RefreshToken {
            hash,
            number: 0,
            generation,
            issued_at: now,
            expires_at: now.after(LIFETIME),
            used_at: None,
        };
        self.tokens.insert(*hash.as_bytes(), token);
    }

    fn find(&self, text: &str) -> Option<FoundRefreshToken> {
        let token = self.tokens.get(hash_of(text).as_bytes())?.clone();
        let next = token.generation + 1;
        let successor_used =
            self.tokens.values().any(|other| other.generation == next && other.used_at.is_some());
        Some(FoundRefreshToken { session: self.session.clone(), token, successor_used })
    }

    /// Writes what was decided on a read; `None` if the read is out of date, as a storage
    /// refuses it.
    fn write(&mut self, text: &str, decided: Rotation, now: Timestamp) -> Option<Answer> {
        let next = successor(&self.key, text).expose().to_owned();
        match decided {
            Rotation::Advance => {
                let token = self.tokens.get_mut(hash_of(text).as_bytes())?;
                if token.used_at.is_some() || self.session.revoked_at.is_some() {
                    return None;
                }
                token.used_at = Some(now);
                let generation = token.generation + 1;
                self.insert(&next, generation, now);
                Some(Answer::Successor(next))
            }
            Rotation::Repeat if self.session.revoked_at.is_some() => None,
            Rotation::Repeat => Some(Answer::Successor(next)),
            Rotation::Reused => {
                self.session.revoked_at = Some(now);
                Some(Answer::Refused)
            }
            Rotation::Ended => Some(Answer::Refused),
        }
    }

    fn present(&mut self, text: &str, now: Timestamp) -> Answer {
        loop {
            let Some(found) = self.find(text) else { return Answer::Refused };
            if let Some(answer) = self.write(text, rotate(&found, WINDOW, now), now) {
                return answer;
            }
        }
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp::EPOCH.after(Duration::from_secs(second))
}

fn text(answer: Answer) -> String {
    match answer {
        Answer::Successor(text) => text,
        Answer::Refused => panic!("refused"),
    }
}

#[test]
fn a_retry_within_the_window_gets_the_same_successor() {
    let (mut family, first) = Family::start();
    let second = text(family.present(&first, at(100)));
    assert_eq!(text(family.present(&first, at(109))), second);
    assert!(text(family.present(&second, at(110))) != second, "the successor still works");
}

#[test]
fn a_late_retry_ends_the_family() {
    let (mut family, first) = Family::start();
    let second = text(family.present(&first, at(100)));
    assert_eq!(family.present(&first, at(110)), Answer::Refused);
    assert_eq!(family.present(&second, at(111)), Answer::Refused);
}

#[test]
fn reuse_after_the_successor_was_used_ends_the_family_even_within_the_window() {
    let (mut family, first) = Family::start();
    let second = text(family.present(&first, at(100)));
    let third = text(family.present(&second, at(101)));
    assert_eq!(family.present(&first, at(102)), Answer::Refused);
    assert_eq!(family.present(&third, at(103)), Answer::Refused);
}

#[test]
fn an_ended_token_is_refused_and_ends_nothing() {
    let (mut family, first) = Family::start();
    assert_eq!(family.present(&first, at(1000)), Answer::Refused);
    assert_eq!(family.session.revoked_at, None);
    assert_eq!(family.present("nonsense", at(1)), Answer::Refused);
    assert_eq!(family.session.revoked_at, None);
}

proptest! {
    /// Whoever presents what, whenever: a family never has two tokens that both lead on, and
    /// once it has ended nothing leads on.
    #[test]
    fn at_most_one_token_of_a_family_leads_on(steps in prop::collection::vec((0_usize..8, 0_u64..25), 1..40)) {
        let (mut family, first) = Family::start();
        let (mut known, mut second) = (vec![first], 0);
        for (choice, wait) in steps {
            second += wait;
            let presented = known[choice % known.len()].clone();
            let was_revoked = family.session.revoked_at.is_some();
            let answer = family.present(&presented, at(second));
            if was_revoked {
                prop_assert_eq!(answer, Answer::Refused);
                continue;
            }
            if let Answer::Successor(next) = answer && !known.contains(&next) {
                known.push(next);
            }
            let unused = family.tokens.values().filter(|token| token.used_at.is_none()).count();
            prop_assert!(unused <= 1, "{} tokens lead on", unused);
        }
    }

    /// Two who present the same token at once both decide on the same read; the storage takes
    /// one, the other decides again and gets the same successor.
    #[test]
    fn concurrent_retries_get_the_same_successor(rounds in 1_u64..10, gap in 0_u64..9) {
        let (mut family, mut current) = Family::start();
        for round in 0..rounds {
            let (now, later) = (at(round * 20), at(round * 20 + gap));
            let read = family.find(&current).unwrap();
            let (one, other) = (rotate(&read, WINDOW, now), rotate(&read, WINDOW, later));
            let won = text(family.write(&current, one, now).unwrap());
            prop_assert_eq!(family.write(&current, other, later), None, "the second write is stale");
            prop_assert_eq!(text(family.present(&current, later)), won.clone());
            current = won;
        }
        prop_assert_eq!(family.session.revoked_at, None);
    }
}
