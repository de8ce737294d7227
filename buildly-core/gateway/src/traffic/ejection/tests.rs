use proptest::prelude::*;

use super::*;

const POLICY: Policy = Policy {
    failures_max: 3,
    first: Duration::from_secs(10),
    longest: Duration::from_secs(60),
    forgiven_after: Duration::from_secs(100),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn after_failures(count: usize, others: usize) -> Record {
    (0..count).fold(Record::default(), |record, _| record.failed(others, &POLICY, at(0)))
}

#[test]
fn enough_failures_in_a_row_eject_for_a_time() {
    assert!(!after_failures(2, 1).is_ejected(&POLICY, at(0)));
    let ejected = after_failures(3, 1);
    assert!(ejected.is_ejected(&POLICY, at(0)));
    assert!(ejected.is_ejected(&POLICY, at(9)));
    assert!(!ejected.is_ejected(&POLICY, at(10)));
}

#[test]
fn a_success_between_starts_the_count_again() {
    let record = after_failures(2, 1).succeeded(&POLICY, at(0));
    assert!(!record.failed(1, &POLICY, at(0)).is_ejected(&POLICY, at(0)));
}

#[test]
fn the_last_instance_is_never_ejected() {
    assert!(!after_failures(1000, 0).is_ejected(&POLICY, at(0)));
}

#[test]
fn each_further_ejection_is_longer_up_to_the_longest() {
    let mut record = after_failures(3, 1);
    let mut now = 10;
    for length in [20, 30, 40, 50, 60, 60] {
        assert!(!record.is_ejected(&POLICY, at(now)));
        record = record.failed(1, &POLICY, at(now)); // one failure is enough now
        assert!(record.is_ejected(&POLICY, at(now + length - 1)), "for {length} s");
        now += length;
        assert!(!record.is_ejected(&POLICY, at(now)), "no longer than {length} s");
    }
}

#[test]
fn a_long_good_time_forgives() {
    let back = after_failures(3, 1);
    assert_ne!(back.succeeded(&POLICY, at(50)).ejections, 0);
    assert_eq!(back.succeeded(&POLICY, at(111)).ejections, 0);
}

#[test]
fn a_clock_set_back_does_not_prolong_an_ejection() {
    assert!(!after_failures(3, 1).is_ejected(&POLICY, at(-3600)));
}

proptest! {
    #[test]
    fn packing_loses_nothing(steps in prop::collection::vec((any::<bool>(), 0i64..100), 0..60)) {
        let mut record = Record::default();
        let mut now = 0;
        for (good, later) in steps {
            now += later;
            record = if good { record.succeeded(&POLICY, at(now)) } else { record.failed(1, &POLICY, at(now)) };
            prop_assert_eq!(Record::from_bits(record.to_bits()), record);
        }
    }

    #[test]
    fn every_ejection_ends(failures in 0usize..3000, policy_max in 1u16..=1023) {
        let policy = Policy { failures_max: policy_max, ..POLICY };
        let record = (0..failures).fold(Record::default(), |record, _| record.failed(2, &policy, at(0)));
        prop_assert_eq!(record.is_ejected(&policy, at(0)), failures >= usize::from(policy_max));
        prop_assert!(!record.is_ejected(&policy, at(60)));
    }
}
