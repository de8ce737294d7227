use buildly_model::{Identity, Timestamp};
use uuid::Uuid;

use super::claims::{Claims, check};
use super::*;

const NOW: Timestamp = Timestamp::EPOCH;

fn claims() -> Claims {
    Claims {
        iss: Some("https://buildly.test".to_owned()),
        exp: Some(3600),
        token_type: Some("access".to_owned()),
        core_user_uuid: Some(Uuid::from_u128(1)),
        organization_uuid: Some(Uuid::from_u128(2)),
        ..Claims::default()
    }
}

#[test]
fn only_a_current_access_token_of_the_issuer_is_accepted() {
    let issuer = Some("https://buildly.test");
    let caller = check(&claims(), issuer, NOW).unwrap();
    assert!(matches!(caller.principal.identity, Identity::User(_)));
    for (case, claims) in [
        ("another issuer", Claims { iss: Some("https://evil.test".into()), ..claims() }),
        ("no issuer", Claims { iss: None, ..claims() }),
        ("refresh token", Claims { token_type: Some("refresh".into()), ..claims() }),
        ("no type", Claims { token_type: None, ..claims() }),
        ("no end", Claims { exp: None, ..claims() }),
        ("expired", Claims { exp: Some(-31), ..claims() }),
        ("not yet", Claims { nbf: Some(31), ..claims() }),
        ("nobody's", Claims { core_user_uuid: None, ..claims() }),
    ] {
        let refused = check(&claims, issuer, NOW);
        assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{case}: {refused:?}");
    }
    let client = |name: &str| Claims { core_user_uuid: None, sub: Some(name.into()), ..claims() };
    let names = ["one", "two"].map(|name| check(&client(name), issuer, NOW).unwrap().name());
    assert!(names[0].starts_with("application ") && names[0] != names[1], "{names:?}");
    let homeless = check(&Claims { organization_uuid: None, ..claims() }, issuer, NOW);
    assert!(matches!(homeless, Err(Error::Forbidden(_))), "got {homeless:?}");
}

#[test]
fn exactly_one_bearer_or_jwt_token_is_read() {
    for (case, values, expected) in [
        ("bearer", vec!["Bearer abc"], Some("abc")),
        ("old clients", vec!["JWT abc"], Some("abc")),
        ("none", vec![], None),
        ("two", vec!["Bearer abc", "Bearer def"], None),
        ("basic", vec!["Basic abc"], None),
        ("empty", vec!["Bearer "], None),
    ] {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        assert_eq!(token_of(&headers).ok(), expected, "{case}");
    }
}
