use proptest::prelude::*;

use super::*;

const POLICY: Policy = Policy { per_call_thousandths: 200, per_second: 1, saved_max: 10, attempts_max: 3 };

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_microseconds(1_800_000_000_000_000 + milliseconds * 1000)
}

fn emptied() -> Budget {
    let mut budget = Budget::default();
    while let Some(next) = budget.withdraw(&POLICY, at(0)) {
        budget = next;
    }
    budget
}

#[test]
fn five_calls_earn_a_retry() {
    let budget = (0..4).fold(emptied(), |budget, _| budget.deposit(&POLICY, at(0)));
    assert_eq!(budget.withdraw(&POLICY, at(0)), None);
    assert!(budget.deposit(&POLICY, at(0)).withdraw(&POLICY, at(0)).is_some());
}

#[test]
fn time_earns_a_retry_too() {
    assert_eq!(emptied().withdraw(&POLICY, at(999)), None);
    assert!(emptied().withdraw(&POLICY, at(1000)).is_some());
}

#[test]
fn a_clock_set_back_neither_earns_nor_locks() {
    let back = emptied().deposit(&POLICY, at(-3_600_000));
    assert_eq!(back.withdraw(&POLICY, at(-3_600_000)), None);
    assert!(back.withdraw(&POLICY, at(-3_599_000)).is_some());
}

#[test]
fn without_a_budget_nothing_is_repeated() {
    assert_eq!(Budget::default().deposit(&Policy::NONE, at(0)).withdraw(&Policy::NONE, at(0)), None);
}

#[test]
fn only_what_is_safe_twice_is_repeatable() {
    let (plain, mut keyed) = (HeaderMap::new(), HeaderMap::new());
    keyed.insert("Idempotency-Key", "1".try_into().unwrap());
    for (method, headers, expected) in [
        (Method::GET, &plain, true),
        (Method::HEAD, &plain, true),
        (Method::PUT, &plain, true),
        (Method::DELETE, &plain, true),
        (Method::POST, &plain, false),
        (Method::PATCH, &plain, false),
        (Method::CONNECT, &plain, false),
        (Method::POST, &keyed, true),
    ] {
        assert_eq!(is_repeatable(&method, headers), expected, "{method}");
    }
}

proptest! {
    #[test]
    fn retries_stay_within_ratio_floor_and_what_was_saved(
        steps in prop::collection::vec((any::<bool>(), 0i64..300), 1..400),
    ) {
        let (mut budget, mut now, mut calls, mut retries) = (Budget::default(), 0, 0_u64, 0_u64);
        for (call, later) in steps {
            now += later;
            if call {
                calls += 1;
                budget = budget.deposit(&POLICY, at(now));
            } else if let Some(next) = budget.withdraw(&POLICY, at(now)) {
                retries += 1;
                budget = next;
            }
            prop_assert_eq!(Budget::from_bits(budget.to_bits()), budget);
            prop_assert!(retries * 1000 <= 10_000 + calls * 200 + now.unsigned_abs());
        }
    }
}
