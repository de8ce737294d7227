use proptest::prelude::*;

use super::*;

fn quota(requests: u32, seconds: u64) -> Quota {
    Quota::new(NonZeroU32::new(requests).unwrap(), Duration::from_secs(seconds))
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_microseconds(1_800_000_000_000_000 + milliseconds * 1000)
}

#[test]
fn a_burst_is_admitted_and_then_one_each_interval() {
    let quota = quota(5, 1);
    let mut state = FullAt::default();
    for remaining in (0..5).rev() {
        let (verdict, next) = decide(state, &quota, at(0));
        assert_eq!((verdict.decision, verdict.limit, verdict.remaining), (Decision::Admit, 5, remaining));
        state = next;
    }
    let (verdict, unchanged) = decide(state, &quota, at(0));
    assert_eq!(verdict.decision, Decision::Refuse { retry_after: Duration::from_millis(200) });
    assert_eq!(verdict.reset, Duration::from_secs(1));
    assert_eq!(unchanged, state, "a refused request costs nothing");
    assert_eq!(decide(state, &quota, at(200)).0.decision, Decision::Admit);
}

#[test]
fn a_clock_set_back_locks_nobody_out() {
    let quota = quota(5, 1);
    let (_, state) = decide(FullAt::default(), &quota, at(3_600_000));
    let (verdict, state) = decide(state, &quota, at(0));
    assert!(
        matches!(verdict.decision, Decision::Refuse { retry_after } if retry_after <= Duration::from_secs(1))
    );
    assert_eq!(decide(state, &quota, at(200)).0.decision, Decision::Admit);
}

#[test]
fn the_fields_read_as_the_draft_says() {
    let quota = quota(500, 1);
    let (verdict, _) = decide(FullAt::default(), &quota, at(0));
    let (mut item, mut policy) = (String::new(), String::new());
    verdict.write_item("principal", &mut item);
    quota.write_item("principal", &mut policy);
    verdict.write_item("address", &mut item);
    assert_eq!(item, "\"principal\";r=499;t=1, \"address\";r=499;t=1");
    assert_eq!(policy, "\"principal\";q=500;w=1");
}

proptest! {
    #[test]
    fn never_more_than_burst_and_rate_allow(
        requests in 1u32..50, burst in 1u32..50,
        gaps in prop::collection::vec(0i64..400, 1..200),
    ) {
        let quota = quota(requests, 1).with_burst(NonZeroU32::new(burst).unwrap());
        let (mut state, mut now, mut admitted) = (FullAt::default(), 0, 0_u64);
        for gap in gaps {
            now += gap;
            let (verdict, next) = decide(state, &quota, at(now));
            state = next;
            prop_assert!(verdict.remaining < burst || burst == 0);
            prop_assert!(verdict.reset <= quota.window());
            admitted += u64::from(verdict.decision == Decision::Admit);
            // + 1: intervals are whole nanoseconds, rounded down.
            let most = u64::from(burst) + now.unsigned_abs() * u64::from(requests) / 1000 + 1;
            prop_assert!(admitted <= most, "{admitted} of {most} in {now} ms");
        }
    }

    #[test]
    fn after_the_told_wait_a_request_is_admitted(
        requests in 1u32..2000, burst in 1u32..50, count in 1usize..60, start in 0i64..1_000_000,
    ) {
        let quota = quota(requests, 3).with_burst(NonZeroU32::new(burst).unwrap());
        let mut state = FullAt::default();
        for _ in 0..count {
            let (verdict, next) = decide(state, &quota, at(start));
            state = next;
            if let Decision::Refuse { retry_after } = verdict.decision {
                let later = at(start).after(retry_after + Duration::from_micros(1));
                prop_assert_eq!(decide(state, &quota, later).0.decision, Decision::Admit);
            }
        }
    }

    #[test]
    fn no_time_and_no_quota_breaks_it(
        state in any::<i64>(), now in any::<i64>(), requests in 1u32.., seconds in any::<u64>(), burst in 1u32..,
    ) {
        let quota = quota(requests, seconds).with_burst(NonZeroU32::new(burst).unwrap());
        let (verdict, _) = decide(FullAt(state), &quota, Timestamp::from_microseconds(now));
        prop_assert_eq!(verdict.limit, burst);
    }
}
