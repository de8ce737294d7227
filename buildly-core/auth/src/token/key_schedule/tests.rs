use super::*;
use crate::token::Algorithm;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn day(number: u32) -> Timestamp {
    Timestamp::EPOCH.after(DAY * number)
}

fn key(name: &str, generation: i64, signs_from: Timestamp) -> StoredKey {
    StoredKey {
        id: KeyId::from_text(name),
        generation,
        algorithm: Algorithm::EdDsa,
        public: Vec::new(),
        sealed: Vec::new(),
        created_at: Timestamp::EPOCH,
        signs_from,
        verifies_until: None,
    }
}

fn settings() -> Settings {
    Settings { algorithm: Algorithm::EdDsa, ..Settings::default() }
}

fn due_at(keys: &[StoredKey], now: Timestamp) -> Vec<Due> {
    due(keys.iter(), &settings(), now)
}

#[test]
fn a_life_of_keys() {
    let retired = |key: StoredKey, until| StoredKey { verifies_until: Some(until), ..key };
    let lifetime = settings().access_lifetime + SLACK;
    let (one, two) = (key("one", 1, day(0)), key("two", 2, day(90)));
    let name = |text: &str| KeyId::from_text(text);
    for (case, keys, now, expected) in [
        ("at the start", vec![], day(0), vec![Due::Add { signs_from: day(0) }]),
        ("while it is young", vec![one.clone()], day(88), vec![]),
        ("the next is announced", vec![one.clone()], day(89), vec![Due::Add { signs_from: day(90) }]),
        ("the next waits", vec![one.clone(), two.clone()], day(89), vec![]),
        (
            "the next signs",
            vec![one.clone(), two.clone()],
            day(90),
            vec![Due::Retire { key: name("one"), verifies_until: day(90).after(lifetime) }],
        ),
        ("the old one rests", vec![retired(one.clone(), day(91)), two.clone()], day(90), vec![]),
        (
            "the old one goes",
            vec![retired(one.clone(), day(91)), two],
            day(91),
            vec![Due::Remove { key: name("one") }],
        ),
        ("after a long sleep", vec![one], day(300), vec![Due::Add { signs_from: day(301) }]),
    ] {
        assert_eq!(due_at(&keys, now), expected, "{case}");
    }
}

#[test]
fn another_algorithm_takes_over_at_once() {
    let old = StoredKey { algorithm: Algorithm::Rs256, ..key("old", 1, day(0)) };
    assert_eq!(due_at(std::slice::from_ref(&old), day(1)), [Due::Add { signs_from: day(1) }]);
    let both = [old, key("new", 2, day(1))];
    assert!(matches!(due_at(&both, day(1)).as_slice(), [Due::Retire { key, .. }] if key.as_str() == "old"));
}
