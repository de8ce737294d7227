use proptest::prelude::*;

use super::*;

const MINUTES: i64 = 40;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_seconds(minute * 60)
}

fn intervals() -> impl Strategy<Value = Vec<Interval>> {
    let one = (0..MINUTES, 1..10_i64);
    let one = one.prop_map(|(from, length)| Interval { starts: at(from), ends: at(from + length) });
    prop::collection::vec(one, 0..8)
}

fn has(set: &[Interval], minute: i64) -> bool {
    set.iter().any(|interval| interval.starts <= at(minute) && at(minute) < interval.ends)
}

fn is_set(set: &[Interval]) -> bool {
    set.iter().all(|interval| interval.starts < interval.ends)
        && set.iter().zip(set.iter().skip(1)).all(|(one, next)| one.ends < next.starts)
}

proptest! {
    #[test]
    fn sets_hold_what_each_minute_says(one in intervals(), other in intervals()) {
        let (left, right) = (union(one.clone()), union(other.clone()));
        let both = intersection(&left, &right);
        let rest = difference(&left, &right);
        prop_assert!(is_set(&left) && is_set(&both) && is_set(&rest), "{left:?} {both:?} {rest:?}");
        for minute in 0..MINUTES + 10 {
            prop_assert_eq!(has(&left, minute), has(&one, minute));
            prop_assert_eq!(has(&both, minute), has(&one, minute) && has(&other, minute));
            prop_assert_eq!(has(&rest, minute), has(&one, minute) && !has(&other, minute));
        }
    }
}
