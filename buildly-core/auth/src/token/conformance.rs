//! The promises of a token store, as a suite that any storage must pass.
//!
//! `buildly_auth::token_store_conformance!(open_empty_store);` makes a test of each case.
//! What `open_empty_store().await` returns has the fields `storage` (an `Arc` of the store)
//! and `commits` (a `Commit<Change>`), and removes what it made when it is dropped.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a suite reports by panicking")]

mod people;

use std::time::Duration;

use buildly_journal::{Commit, Event, Part};
use buildly_model::system::System;
use buildly_model::{
    ApplicationId, GroupId, OrganizationId, Principal, ServiceAccountId, SessionId, StoreError, Timestamp,
    TokenId, UserId,
};
use uuid::Uuid;

use super::{
    AccessToken, Algorithm, ApiKey, Application, ApplicationGrant, Change, ClientType, KeyId, RefreshToken,
    SecretHash, ServiceAccount, Session, Store, StoredKey,
};

/// Makes a test of each case; see [`mod@crate::token::conformance`].
#[macro_export]
macro_rules! token_store_conformance {
    ($open:path) => {
        $crate::token_store_conformance!(
            @cases $open:
            keys_are_read_back_and_a_generation_is_taken_once,
            issuers_are_remembered_once,
            applications_are_numbered_changed_and_removed,
            a_session_begins_with_its_tokens,
            a_refresh_token_is_used_once,
            a_revoked_session_goes_on_no_more,
            a_session_needs_the_password_that_it_was_opened_with,
            another_organization_cannot_touch_a_session,
            ended_sessions_are_forgotten_and_others_stay,
            tokens_are_listed_by_user_and_number,
            a_service_account_keeps_its_groups_and_keys,
            another_organization_cannot_touch_a_service_account,
        );
    };
    (@cases $open:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let opened = $open().await;
            $crate::token::conformance::$case(&*opened.storage, &opened.commits).await;
        }
    )*};
}

type Commits<'a> = &'a dyn Commit<crate::Change>;

async fn commit(
    commits: Commits<'_>,
    organization: Option<OrganizationId>,
    change: Change,
) -> Result<(), StoreError> {
    let event = Event::new("auth.test.happened", "test", (), &Principal::ANONYMOUS, &System, &System);
    commits.commit(Part::of(organization, change.into(), event)).await.map(drop)
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn acme() -> Option<OrganizationId> {
    Some(OrganizationId::from_uuid(uuid(0xac)))
}

fn globex() -> Option<OrganizationId> {
    Some(OrganizationId::from_uuid(uuid(0x60)))
}

fn at(second: u64) -> Timestamp {
    Timestamp::EPOCH.after(Duration::from_secs(second))
}

fn hash(text: &str) -> SecretHash {
    SecretHash::of(text.as_bytes())
}

/// One user in each organization, and one in none.
fn user_of(organization: Option<OrganizationId>) -> UserId {
    UserId::from_uuid(uuid(
        0xada_0000 + organization.map_or(0, |organization| organization.as_uuid().as_u128()),
    ))
}

fn session(number: u128, organization: Option<OrganizationId>) -> Session {
    Session {
        id: SessionId::from_uuid(uuid(number)),
        organization,
        user: Some(user_of(organization)),
        application: Some(ApplicationId::from_uuid(uuid(0xa))),
        credential_version: 3,
        started_at: at(100),
        revoked_at: None,
    }
}

fn access(number: u128, expires_at: u64) -> AccessToken {
    AccessToken {
        id: TokenId::from_uuid(uuid(number)),
        number: 0,
        issued_at: at(100),
        expires_at: at(expires_at),
    }
}

fn refresh(text: &str, generation: i64, issued_at: u64) -> RefreshToken {
    RefreshToken {
        hash: hash(text),
        number: 0,
        generation,
        issued_at: at(issued_at),
        expires_at: at(issued_at + 1000),
        used_at: None,
    }
}

fn started(session: &Session, first: &str) -> Change {
    Change::SessionStarted {
        session: session.clone(),
        access: access(session.id.as_uuid().as_u128() + 1000, 200),
        refresh: Some(refresh(first, 1, 100)),
    }
}

async fn start(commits: Commits<'_>, session: &Session, first: &str) {
    people::make_user_of(commits, session).await;
    commit(commits, session.organization, started(session, first)).await.expect("a new session");
}

fn traded(session: &Session, presented: &str, successor: &str, generation: i64, jti: u128) -> Change {
    Change::SessionRefreshed {
        session: session.id,
        presented: hash(presented),
        successor: refresh(successor, generation, 150),
        access: access(jti, 300),
    }
}

/// Keys come back as they were written, by generation; another key of the same generation
/// is refused.
pub async fn keys_are_read_back_and_a_generation_is_taken_once(store: &dyn Store, commits: Commits<'_>) {
    let key = |name: &str, generation| StoredKey {
        id: KeyId::from_text(name),
        generation,
        algorithm: Algorithm::EdDsa,
        public: vec![1, 2, 3],
        sealed: vec![0, 255],
        created_at: at(1),
        signs_from: at(2),
        verifies_until: None,
    };
    for added in [key("two", 2), key("one", 1)] {
        commit(commits, None, Change::KeyAdded(added)).await.expect("a new key");
    }
    let again = commit(commits, None, Change::KeyAdded(key("other", 2))).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "generation" })), "got {again:?}");
    assert_eq!(store.signing_keys().await.expect("keys"), [key("one", 1), key("two", 2)]);
    let id = KeyId::from_text("one");
    let retired = Change::KeyRetired { key: id.clone(), verifies_until: at(9) };
    commit(commits, None, retired).await.expect("a known key");
    assert_eq!(store.signing_keys().await.expect("keys")[0].verifies_until, Some(at(9)));
    commit(commits, None, Change::KeyRemoved { key: id }).await.expect("a known key");
    assert_eq!(store.signing_keys().await.expect("keys"), [key("two", 2)]);
}

/// A name may be used again and stands once.
pub async fn issuers_are_remembered_once(store: &dyn Store, commits: Commits<'_>) {
    for issuer in ["https://b", "https://a", "https://b"] {
        let used = Change::IssuerUsed { issuer: issuer.to_owned(), at: at(1) };
        commit(commits, None, used).await.expect("any name");
    }
    assert_eq!(store.issuers().await.expect("issuers"), ["https://a", "https://b"]);
}

/// Numbers rise and are never given again; a client id is unique.
pub async fn applications_are_numbered_changed_and_removed(store: &dyn Store, commits: Commits<'_>) {
    let application = |id: u128, client_id: &str| Application {
        id: ApplicationId::from_uuid(uuid(id)),
        number: 0,
        client_id: client_id.to_owned(),
        secret: Some(hash("secret")),
        name: "Ünïcode".to_owned(),
        client_type: ClientType::Confidential,
        grant: ApplicationGrant::ClientCredentials,
        redirect_uris: String::new(),
        user: Some(UserId::from_uuid(uuid(7))),
        created_at: at(5),
    };
    for (id, client_id) in [(1, "a"), (2, "b")] {
        let created = Change::ApplicationCreated(application(id, client_id));
        commit(commits, None, created).await.expect("a free name");
    }
    let taken = commit(commits, None, Change::ApplicationCreated(application(3, "a"))).await;
    assert!(matches!(taken, Err(StoreError::Taken { field: "client_id" })), "got {taken:?}");
    let all = store.applications().await.expect("applications");
    assert!(0 < all[0].number && all[0].number < all[1].number);
    assert_eq!(all[0], Application { number: all[0].number, ..application(1, "a") });
    let changed = Application {
        secret: None,
        client_type: ClientType::Public,
        grant: ApplicationGrant::Password,
        ..all[1].clone()
    };
    let update = |before: &Application, after: &Application| Change::ApplicationUpdated {
        before: Box::new(before.clone()),
        after: Box::new(after.clone()),
    };
    commit(commits, None, update(&all[1], &changed)).await.expect("a known one");
    let late = Application { name: "late".to_owned(), ..all[1].clone() };
    let refused = commit(commits, None, update(&all[1], &late)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "it has moved on: {refused:?}");
    let gone = Change::ApplicationDeleted { application: all[0].id };
    commit(commits, None, gone.clone()).await.expect("a known one");
    let again = commit(commits, None, gone).await;
    assert!(matches!(again, Err(StoreError::Missing { .. })), "got {again:?}");
    assert_eq!(store.applications().await.expect("applications"), [changed]);
}

/// Session and tokens are found, the refresh token by its hash only.
pub async fn a_session_begins_with_its_tokens(store: &dyn Store, commits: Commits<'_>) {
    for (number, organization) in [(1, acme()), (2, None)] {
        let session = session(number, organization);
        let first = format!("first {number}");
        start(commits, &session, &first).await;
        assert_eq!(store.find_session(session.id).await.expect("a read"), Some(session.clone()));
        let found = store.find_refresh_token(&hash(&first)).await.expect("a read").expect("it is there");
        assert_eq!((&found.session, found.successor_used), (&session, false));
        assert_eq!(found.token, RefreshToken { number: found.token.number, ..refresh(&first, 1, 100) });
    }
    assert_eq!(store.find_refresh_token(&hash("other")).await.expect("a read"), None);
    assert_eq!(store.find_session(SessionId::from_uuid(uuid(9))).await.expect("a read"), None);
}

/// The first to trade a token wins; the second is told to decide again.
pub async fn a_refresh_token_is_used_once(store: &dyn Store, commits: Commits<'_>) {
    let session = session(1, acme());
    start(commits, &session, "one").await;
    commit(commits, acme(), traded(&session, "one", "two", 2, 50)).await.expect("the first trade");
    let again = commit(commits, acme(), traded(&session, "one", "other", 2, 51)).await;
    assert!(matches!(again, Err(StoreError::Stale)), "got {again:?}");
    let found = store.find_refresh_token(&hash("one")).await.expect("a read").expect("it is there");
    assert_eq!((found.token.used_at, found.successor_used), (Some(at(150)), false));
    commit(commits, acme(), traded(&session, "two", "three", 3, 52)).await.expect("the next trade");
    let found = store.find_refresh_token(&hash("one")).await.expect("a read").expect("it is there");
    assert!(found.successor_used);
    let repeated = Change::SessionRepeated { session: session.id, access: access(53, 300) };
    commit(commits, acme(), repeated).await.expect("it lives");
}

/// Nothing is issued on a revoked session, and it is in the list until it is forgotten.
pub async fn a_revoked_session_goes_on_no_more(store: &dyn Store, commits: Commits<'_>) {
    let (ended, living) = (session(1, acme()), session(2, acme()));
    start(commits, &ended, "one").await;
    start(commits, &living, "other").await;
    let revoked = Change::SessionRevoked { session: ended.id, at: at(120) };
    commit(commits, acme(), revoked.clone()).await.expect("it lives");
    commit(commits, acme(), revoked).await.expect("it stays ended");
    assert_eq!(store.revoked_sessions().await.expect("a read"), [ended.id]);
    let repeated = Change::SessionRepeated { session: ended.id, access: access(53, 300) };
    for change in [traded(&ended, "one", "two", 2, 50), repeated] {
        let refused = commit(commits, acme(), change).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "got {refused:?}");
    }
    let user = ended.user.expect("of a user");
    assert_eq!(store.sessions_of(acme(), user, 10).await.expect("a read"), [living]);
}

/// A session neither begins nor goes on with a password that was changed, or once its user is
/// switched off, however long ago that was checked.
pub async fn a_session_needs_the_password_that_it_was_opened_with(store: &dyn Store, commits: Commits<'_>) {
    let before = session(1, acme());
    start(commits, &before, "one").await;
    let older = Session { credential_version: 2, ..session(2, acme()) };
    let nobody = Session { user: Some(UserId::from_uuid(uuid(0xbed))), ..session(3, acme()) };
    let elsewhere = Session { organization: None, ..session(4, acme()) };
    for (case, late) in [("older", older), ("of nobody", nobody), ("elsewhere", elsewhere)] {
        let refused = commit(commits, late.organization, started(&late, case)).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{case}: got {refused:?}");
        assert_eq!(store.find_session(late.id).await.expect("a read"), None, "{case}");
    }
    people::set_password(commits, &before).await;
    let repeated = Change::SessionRepeated { session: before.id, access: access(53, 300) };
    let again = started(&session(5, acme()), "again");
    for (case, change) in
        [("refreshed", traded(&before, "one", "two", 2, 50)), ("repeated", repeated), ("begun", again)]
    {
        let refused = commit(commits, acme(), change).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{case}: got {refused:?}");
    }
    let new = Session { credential_version: 4, ..session(6, acme()) };
    commit(commits, acme(), started(&new, "new")).await.expect("the new password counts");
    people::switch_off(commits, &new).await;
    let refused = commit(commits, acme(), traded(&new, "new", "newer", 2, 54)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "switched off: got {refused:?}");
    let application = Session { user: None, credential_version: 0, ..session(7, None) };
    commit(commits, None, started(&application, "own")).await.expect("an application has no password");
}

/// Changes in another organization's name miss.
pub async fn another_organization_cannot_touch_a_session(store: &dyn Store, commits: Commits<'_>) {
    let own = session(1, acme());
    start(commits, &own, "one").await;
    for other in [globex(), None] {
        let refused = commit(commits, other, traded(&own, "one", "two", 2, 50)).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "got {refused:?}");
        let revoked = Change::SessionRevoked { session: own.id, at: at(120) };
        commit(commits, other, revoked).await.expect("it misses");
        let user = own.user.expect("of a user");
        assert_eq!(store.sessions_of(other, user, 10).await.expect("a read"), []);
    }
    assert_eq!(store.find_session(own.id).await.expect("a read"), Some(own));
}

/// A session goes when its last token has ended; a revoked one with its last access token.
pub async fn ended_sessions_are_forgotten_and_others_stay(store: &dyn Store, commits: Commits<'_>) {
    let (revoked, living) = (session(1, acme()), session(2, None));
    start(commits, &revoked, "one").await;
    start(commits, &living, "other").await;
    let change = Change::SessionRevoked { session: revoked.id, at: at(120) };
    commit(commits, acme(), change).await.expect("it lives");
    assert!(!store.has_ended_tokens(at(200)).await.expect("a read"), "nothing ended before");
    assert!(store.has_ended_tokens(at(201)).await.expect("a read"));
    let forgotten = Change::SessionsForgotten { before: at(201), sessions_max: 10 };
    commit(commits, None, forgotten).await.expect("any");
    assert_eq!(store.revoked_sessions().await.expect("a read"), []);
    assert_eq!(store.find_session(revoked.id).await.expect("a read"), None);
    assert_eq!(store.find_refresh_token(&hash("one")).await.expect("a read"), None);
    assert!(store.find_refresh_token(&hash("other")).await.expect("a read").is_some());
    assert!(!store.has_ended_tokens(at(201)).await.expect("a read"), "all is done");
}

/// Lists page by number.
pub async fn tokens_are_listed_by_user_and_number(store: &dyn Store, commits: Commits<'_>) {
    let other = session(2, globex());
    start(commits, &session(1, acme()), "one").await;
    start(commits, &other, "two").await;
    let all = store.list_access_tokens(None, at(150), 0, 10).await.expect("a read");
    assert_eq!(all.len(), 2);
    assert!(0 < all[0].token.number && all[0].token.number < all[1].token.number);
    let rest = store.list_access_tokens(None, at(150), all[0].token.number, 10).await.expect("a read");
    assert_eq!(rest, all[1..]);
    let of_other = store.list_access_tokens(other.user, at(150), 0, 10).await.expect("a read");
    assert_eq!(of_other[0].session, other);
    assert_eq!(store.list_access_tokens(None, at(200), 0, 10).await.expect("a read"), [], "all ended");
    assert_eq!(store.list_access_tokens(None, at(150), 0, 1).await.expect("a read").len(), 1);
    let refreshes = store.list_refresh_tokens(other.user, 0, 10).await.expect("a read");
    assert_eq!((refreshes.len(), refreshes[0].token.hash), (1, hash("two")));
}

fn account(organization: OrganizationId, number: u128, name: &str, groups: &[u128]) -> ServiceAccount {
    ServiceAccount {
        id: ServiceAccountId::from_uuid(uuid(number)),
        organization,
        name: name.to_owned(),
        description: String::new(),
        is_active: true,
        groups: groups.iter().map(|group| GroupId::from_uuid(uuid(*group))).collect(),
        keys: Vec::new(),
        created_at: at(7),
    }
}

fn account_update(before: &ServiceAccount, after: &ServiceAccount) -> Change {
    Change::ServiceAccountUpdated { before: Box::new(before.clone()), after: Box::new(after.clone()) }
}

fn key(number: u128) -> ApiKey {
    ApiKey {
        id: TokenId::from_uuid(uuid(number)),
        name: "ci".to_owned(),
        secret: hash("key"),
        created_at: at(8),
        expires_at: Some(at(900)),
        last_used_at: None,
    }
}

/// Groups are replaced, keys come and go, the last use is noted and never goes back.
pub async fn a_service_account_keeps_its_groups_and_keys(store: &dyn Store, commits: Commits<'_>) {
    let organization = acme().expect("one");
    let first = account(organization, 1, "nightly", &[10, 11]);
    commit(commits, acme(), Change::ServiceAccountCreated(first.clone())).await.expect("a free name");
    let taken = Change::ServiceAccountCreated(account(organization, 2, "nightly", &[]));
    let taken = commit(commits, acme(), taken).await;
    assert!(matches!(taken, Err(StoreError::Taken { field: "name" })), "got {taken:?}");
    let elsewhere = account(globex().expect("one"), 3, "nightly", &[]);
    commit(commits, globex(), Change::ServiceAccountCreated(elsewhere)).await.expect("free there");
    for number in [20, 21] {
        let created = Change::ApiKeyCreated { account: first.id, key: key(number) };
        commit(commits, acme(), created).await.expect("a known account");
    }
    for (instant, expected) in [(500, 500), (400, 500)] {
        let used = Change::ApiKeysUsed { used: vec![(key(20).id, at(instant))] };
        commit(commits, acme(), used).await.expect("any");
        let found = store.find_service_account(organization, first.id).await.expect("a read");
        let used_key = ApiKey { last_used_at: Some(at(expected)), ..key(20) };
        assert_eq!(found, Some(ServiceAccount { keys: vec![used_key, key(21)], ..first.clone() }));
    }
    let changed = ServiceAccount { is_active: false, ..account(organization, 1, "weekly", &[12]) };
    commit(commits, acme(), account_update(&first, &changed)).await.expect("a known account");
    for (case, before) in [
        ("name", ServiceAccount { name: "nightly".to_owned(), ..changed.clone() }),
        ("activity", ServiceAccount { is_active: true, ..changed.clone() }),
        ("groups", ServiceAccount { groups: first.groups.clone(), ..changed.clone() }),
    ] {
        let refused = commit(commits, acme(), account_update(&before, &first)).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{case} has moved on: {refused:?}");
    }
    let deleted = Change::ApiKeyDeleted { account: first.id, key: key(20).id };
    commit(commits, acme(), deleted).await.expect("a known key");
    let found = store.find_service_account(organization, first.id).await.expect("a read");
    assert_eq!(found, Some(ServiceAccount { keys: vec![key(21)], ..changed }));
    assert_eq!(store.service_accounts().await.expect("a read").len(), 2);
    let gone = Change::ServiceAccountDeleted { account: first.id };
    commit(commits, acme(), gone).await.expect("a known account");
    assert_eq!(store.find_service_account(organization, first.id).await.expect("a read"), None);
    assert_eq!(store.service_accounts().await.expect("a read").len(), 1);
}

/// Changes in another organization's name are refused as missing.
pub async fn another_organization_cannot_touch_a_service_account(store: &dyn Store, commits: Commits<'_>) {
    let organization = acme().expect("one");
    let own = account(organization, 1, "nightly", &[10]);
    commit(commits, acme(), Change::ServiceAccountCreated(own.clone())).await.expect("a free name");
    for change in [
        account_update(&own, &account(organization, 1, "taken over", &[])),
        Change::ServiceAccountDeleted { account: own.id },
        Change::ApiKeyCreated { account: own.id, key: key(20) },
        Change::ApiKeyDeleted { account: own.id, key: key(20).id },
    ] {
        let refused = commit(commits, globex(), change).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
    }
    let other = store.find_service_account(globex().expect("one"), own.id).await;
    assert_eq!(other.expect("a read"), None);
    let found = store.find_service_account(organization, own.id).await.expect("a read");
    assert_eq!(found, Some(own));
}
