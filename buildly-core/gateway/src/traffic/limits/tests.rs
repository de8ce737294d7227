use std::num::NonZeroU32;

use buildly_model::{UserId, system::System};

use super::*;

fn quota(requests: u32) -> Option<Quota> {
    Some(Quota::per_second(NonZeroU32::new(requests).unwrap()))
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn user(organization: OrganizationId) -> Principal {
    Principal {
        identity: Identity::User(UserId::generate(now(), &System)),
        organization: Some(organization),
        ..Principal::ANONYMOUS
    }
}

fn organization() -> OrganizationId {
    OrganizationId::generate(now(), &System)
}

const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

#[test]
fn each_principal_has_a_bucket_of_its_own() {
    let limits = Limits::default();
    let quotas = Quotas { principal: quota(2), ..Quotas::default() };
    let (ann, bob) = (user(organization()), user(organization()));
    for expected in [None, None, Some("principal")] {
        assert_eq!(limits.admit(&quotas, &ann, HERE, now()).refused().map(|(name, _)| name), expected);
    }
    assert_eq!(limits.admit(&quotas, &bob, HERE, now()).refused(), None);
    assert_eq!(limits.admit(&quotas, &Principal::ANONYMOUS, HERE, now()).refused(), None);
}

#[test]
fn the_members_of_an_organization_share_its_bucket() {
    let limits = Limits::default();
    let quotas = Quotas { principal: quota(9), organization: quota(3), ..Quotas::default() };
    let acme = organization();
    let refused: Vec<_> = (0..5).map(|_| limits.admit(&quotas, &user(acme), HERE, now()).refused()).collect();
    assert_eq!(refused.iter().filter(|refused| refused.is_none()).count(), 3);
    assert_eq!(limits.admit(&quotas, &user(organization()), HERE, now()).refused(), None);
}

#[test]
fn what_one_quota_refuses_costs_nothing_at_the_others() {
    let limits = Limits::default();
    let quotas = Quotas { principal: quota(2), organization: quota(1), ..Quotas::default() };
    let ann = user(organization());
    assert_eq!(limits.admit(&quotas, &ann, None, now()).refused(), None);
    for _ in 0..20 {
        assert!(limits.admit(&quotas, &ann, None, now()).refused().is_some());
    }
    let without_organization = Quotas { organization: None, ..quotas };
    assert_eq!(limits.admit(&without_organization, &ann, None, now()).refused(), None);
}

#[test]
fn addresses_of_one_ipv6_network_count_as_one() {
    let limits = Limits::default();
    let quotas = Quotas { address: quota(1), ..Quotas::default() };
    let from = |address: &str| {
        limits.admit(&quotas, &Principal::ANONYMOUS, Some(address.parse().unwrap()), now()).refused()
    };
    assert_eq!(from("2001:db8::1"), None);
    assert!(from("2001:db8::2").is_some());
    assert_eq!(from("2001:db8:0:1::1"), None);
    assert_eq!(from("192.0.2.1"), None);
    assert!(from("::ffff:192.0.2.1").is_some(), "the same address, mapped");
}

#[test]
fn a_service_s_quota_is_beside_the_deployment_s() {
    let limits = Limits::default();
    let (narrow, wide) = (
        Quotas { principal: quota(1), ..Quotas::default() },
        Quotas { principal: quota(9), ..Quotas::default() },
    );
    let ann = user(organization());
    let service = |_| ServiceId::generate(now(), &System);
    let [crm, documents] = [1, 2].map(service);
    let ask = |service| {
        let outcome = limits.admit(&wide, &ann, None, now());
        outcome.and(limits.admit_to_service(service, &narrow, &ann, None, now()))
    };
    assert_eq!(ask(crm).refused(), None);
    let refused = ask(crm);
    assert_eq!(refused.refused().map(|(name, _)| name), Some("service-principal"));
    let mut headers = HeaderMap::new();
    refused.write(&mut headers);
    assert_eq!(headers["ratelimit"], "\"principal\";r=7;t=1, \"service-principal\";r=0;t=1");
    assert_eq!(ask(documents).refused(), None);
}

#[test]
fn a_refusal_says_when_to_come_back() {
    let limits = Limits::default();
    let quotas = Quotas { principal: quota(1), ..Quotas::default() };
    let ann = user(organization());
    let mut headers = HeaderMap::new();
    limits.admit(&quotas, &ann, None, now()).write(&mut headers);
    assert_eq!(headers["ratelimit"], "\"principal\";r=0;t=1");
    assert_eq!(headers["ratelimit-policy"], "\"principal\";q=1;w=1");
    assert!(!headers.contains_key("retry-after"));
    limits.admit(&quotas, &ann, None, now()).write(&mut headers);
    assert_eq!(headers["retry-after"], "1");
}

#[test]
fn nothing_is_written_where_nothing_is_limited() {
    let mut headers = HeaderMap::new();
    Limits::default().admit(&Quotas::default(), &user(organization()), HERE, now()).write(&mut headers);
    assert!(headers.is_empty());
}

#[test]
fn memory_is_bounded_and_a_caller_that_is_refused_is_not_forgotten_at_once() {
    let limits = Limits::default();
    let quotas = Quotas { address: quota(3), ..Quotas::default() };
    for number in 0..300_000_u32 {
        let _ = limits.admit(&quotas, &Principal::ANONYMOUS, Some(IpAddr::V4(number.into())), now());
    }
    assert!(limits.len() <= SHARDS * KEYS_PER_SHARD_MAX, "{}", limits.len());
    let later = now().after(Duration::from_secs(2));
    for number in 0..1_000_u32 {
        let _ =
            limits.admit(&quotas, &Principal::ANONYMOUS, Some(IpAddr::V4((1 << 24 | number).into())), later);
    }
    assert!(limits.len() < SHARDS * KEYS_PER_SHARD_MAX / 2, "full buckets are forgotten: {}", limits.len());
}

#[test]
fn many_threads_together_get_exactly_the_quota() {
    let limits = Limits::default();
    let quotas = Quotas { principal: quota(500), ..Quotas::default() };
    let ann = user(organization());
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let admit = |_: &i32| limits.admit(&quotas, &ann, None, now()).refused().is_none();
                    (0..400).filter(admit).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 500);
}
