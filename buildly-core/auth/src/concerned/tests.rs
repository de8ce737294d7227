use buildly_journal::FeedPosition;
use buildly_model::Proof;
use uuid::Uuid;

use super::*;

const USER: Uuid = Uuid::from_u128(1);
const ACCOUNT: Uuid = Uuid::from_u128(2);
const APPLICATION: Uuid = Uuid::from_u128(3);
const SESSION: Uuid = Uuid::from_u128(4);
const ACME: Uuid = Uuid::from_u128(5);
const SERVICE: Uuid = Uuid::from_u128(6);
const OTHER: Uuid = Uuid::from_u128(7);

fn event(kind: &str, subject: Uuid, organization: Option<Uuid>) -> FeedEvent {
    FeedEvent {
        position: FeedPosition::default(),
        organization: organization.map(OrganizationId::from_uuid),
        kind: kind.to_owned(),
        subject: subject.to_string(),
    }
}

/// A user with a token of an application, and a script with a key.
fn callers() -> [Principal; 2] {
    let user = Principal {
        identity: Identity::User(UserId::from_uuid(USER)),
        organization: Some(OrganizationId::from_uuid(ACME)),
        session: Some(SessionId::from_uuid(SESSION)),
        expires_at: None,
        proof: Proof { application: Some(ApplicationId::from_uuid(APPLICATION)), ..Proof::NONE },
    };
    let script = Principal {
        identity: Identity::ServiceAccount(ServiceAccountId::from_uuid(ACCOUNT)),
        organization: Some(OrganizationId::from_uuid(ACME)),
        ..Principal::ANONYMOUS
    };
    [user, script]
}

#[test]
fn an_event_concerns_those_of_whom_it_speaks() {
    let service = ServiceId::from_uuid(SERVICE);
    for (kind, subject, organization, expected) in [
        ("auth.session.revoked", SESSION, Some(ACME), [true, false]),
        ("auth.session.revoked", OTHER, Some(ACME), [false, false]),
        ("auth.user.deactivated", USER, Some(ACME), [true, false]),
        ("auth.user.password_changed", USER, Some(ACME), [true, false]),
        ("auth.user.left", USER, Some(ACME), [true, false]),
        ("auth.user.deleted", OTHER, Some(ACME), [false, false]),
        ("auth.service_account.key_deleted", ACCOUNT, Some(ACME), [false, true]),
        ("auth.service_account.deleted", ACCOUNT, Some(ACME), [false, true]),
        ("auth.application.deleted", APPLICATION, None, [true, false]),
        ("auth.group.updated", OTHER, Some(ACME), [true, true]),
        ("auth.group.updated", OTHER, Some(OTHER), [false, false]),
        ("auth.group.deleted", OTHER, None, [true, true]),
        ("auth.organization.deleted", ACME, Some(ACME), [true, true]),
        ("auth.service_groups.updated", SERVICE, None, [true, true]),
        ("auth.service_groups.updated", OTHER, None, [false, false]),
        ("auth.signing_key.revoked", OTHER, None, [true, true]),
        ("auth.something.new", OTHER, None, [true, true]),
    ] {
        let concerned = Concerned::by(&[event(kind, subject, organization)]);
        assert_eq!(callers().map(|caller| concerned.includes(&caller, service)), expected, "{kind}");
    }
}

#[test]
fn what_happens_all_day_concerns_nobody() {
    for kind in [
        "auth.session.started",
        "auth.session.refreshed",
        "auth.session.repeated",
        "auth.session.forgotten",
        "auth.user.created",
        "auth.user.password_rehashed",
        "auth.service_account.key_used",
        "auth.invitation.used",
        "auth.password_reset.requested",
        "gateway.service.updated",
    ] {
        assert!(Concerned::by(&[event(kind, USER, Some(ACME))]).is_nobody(), "{kind}");
    }
}

#[test]
fn a_subject_that_cannot_be_read_concerns_everybody() {
    let unreadable = FeedEvent { subject: "?".to_owned(), ..event("auth.user.deleted", USER, None) };
    let concerned = Concerned::by(&[unreadable]);
    assert!(callers().iter().all(|caller| concerned.includes(caller, ServiceId::from_uuid(SERVICE))));
}
