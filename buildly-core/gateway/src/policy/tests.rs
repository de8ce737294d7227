use super::*;

#[test]
fn the_defaults_are_sound() {
    assert_eq!(Policy::default().check(), Ok(()));
    assert_eq!(RateLimits::standard().check(), Ok(()));
}

#[test]
fn every_figure_that_cannot_work_is_named() {
    let mut policy = Policy { in_flight_max: 0, first_byte_timeout_ms: 0, ..Policy::default() };
    policy.rate_limits.address = Some(RateLimit { requests: 0, window_seconds: 1, burst: 1 });
    let refused = policy.check().unwrap_err();
    let fields: Vec<&str> = refused.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["first_byte_timeout_ms", "in_flight_max", "rate_limits.address.requests"]);
}

#[test]
fn a_policy_stored_by_an_older_server_is_read_with_the_defaults_of_what_it_lacks() {
    let policy: Policy =
        serde_json::from_str(r#"{"in_flight_max": 7, "retry": {"attempts_max": 1}}"#).unwrap();
    assert_eq!((policy.in_flight_max, policy.retry.attempts_max), (7, 1));
    assert_eq!(policy.retry.budget_percent, RetryPolicy::default().budget_percent);
}
