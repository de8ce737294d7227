use std::sync::Arc;

use buildly_model::system::System;
use buildly_model::{ApplicationId, OrganizationId, Proof, ServiceAccountId, SessionId, TokenId, UserId};
use uuid::Uuid;

use super::*;
use crate::identity::{DeploymentRows, Member, Organization, OrganizationDetails, OrganizationRows};
use crate::token::signing_key::PrivateKey;
use crate::token::snapshot::Rows;
use crate::token::{
    Algorithm, ApiKey, Application, ClientType, DeploymentKey, SecretHash, ServiceAccount, StoredKey,
};

const USER: UserId = UserId::from_uuid(Uuid::from_u128(1));
const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(2));
const SESSION: SessionId = SessionId::from_uuid(Uuid::from_u128(3));
const FRONT_END: ApplicationId = ApplicationId::from_uuid(Uuid::from_u128(4));
const ROBOT: ApplicationId = ApplicationId::from_uuid(Uuid::from_u128(5));
const SCRIPT: ServiceAccountId = ServiceAccountId::from_uuid(Uuid::from_u128(6));
const API_KEY: TokenId = TokenId::from_uuid(Uuid::from_u128(7));

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn later() -> Timestamp {
    Timestamp::from_seconds(1_800_000_060)
}

/// What a snapshot is made of, to be changed.
struct World {
    rows: Rows,
    member: Member,
    has_organization: bool,
}

impl World {
    fn new() -> Self {
        let application = |id, grant| Application {
            id,
            number: 1,
            client_id: id.to_string(),
            secret: None,
            name: String::new(),
            client_type: ClientType::Confidential,
            grant,
            redirect_uris: String::new(),
            user: None,
            created_at: Timestamp::EPOCH,
        };
        let key = ApiKey {
            id: API_KEY,
            name: String::new(),
            secret: SecretHash::of(b"secret"),
            created_at: Timestamp::EPOCH,
            expires_at: None,
            last_used_at: None,
        };
        let script = ServiceAccount {
            id: SCRIPT,
            organization: ACME,
            name: String::new(),
            description: String::new(),
            is_active: true,
            groups: Vec::new(),
            keys: vec![key],
            created_at: Timestamp::EPOCH,
        };
        let rows = Rows {
            keys: vec![signing_key()],
            applications: vec![
                application(FRONT_END, ApplicationGrant::Password),
                application(ROBOT, ApplicationGrant::ClientCredentials),
            ],
            accounts: vec![script],
            ..Rows::default()
        };
        let member = Member {
            user: USER,
            number: 1,
            organization: Some(ACME),
            username: "ann".to_owned(),
            is_active: true,
            is_superuser: false,
            credential_version: 1,
            groups: Vec::new(),
        };
        Self { rows, member, has_organization: true }
    }

    fn snapshot(self) -> crate::Snapshot {
        let nobody = DeploymentRows { groups: Vec::new(), attachments: Vec::new(), members: Vec::new() };
        let mut identity = crate::identity::Snapshot::of_deployment(nobody);
        let organization = Organization {
            id: ACME,
            name: "Acme".to_owned(),
            details: OrganizationDetails::default(),
            version: 1,
            created_at: Timestamp::EPOCH,
            edited_at: Timestamp::EPOCH,
        };
        if self.has_organization {
            let members = vec![self.member];
            identity.put_organization(OrganizationRows { organization, groups: Vec::new(), members });
        }
        let token = crate::token::Snapshot::of(self.rows).unwrap();
        crate::Snapshot { identity, token, ..crate::Snapshot::default() }
    }
}

fn signing_key() -> StoredKey {
    use std::sync::OnceLock;
    static KEY: OnceLock<StoredKey> = OnceLock::new();
    let make = || {
        let private = PrivateKey::generate(Algorithm::EdDsa).unwrap();
        let deployment_key = DeploymentKey::generate(&System);
        private.store(1, Timestamp::EPOCH, Timestamp::EPOCH, &deployment_key, &System).unwrap()
    };
    KEY.get_or_init(make).clone()
}

/// A user with a token of an application, an application for itself, a script with a token and
/// one with its key.
fn callers() -> [Principal; 4] {
    let signing_key = Some(Arc::from(signing_key().id.as_str()));
    let with_token = |identity, organization, proof| Principal {
        identity,
        organization,
        session: Some(SESSION),
        expires_at: Some(later()),
        proof: Proof { signing_key: signing_key.clone(), ..proof },
    };
    let of_user = Proof { application: Some(FRONT_END), credential_version: Some(1), ..Proof::NONE };
    let of_script = Proof { api_key: Some(API_KEY), ..Proof::NONE };
    [
        with_token(Identity::User(USER), Some(ACME), of_user),
        with_token(Identity::Application(ROBOT), None, Proof { application: Some(ROBOT), ..Proof::NONE }),
        with_token(Identity::ServiceAccount(SCRIPT), Some(ACME), of_script.clone()),
        Principal {
            identity: Identity::ServiceAccount(SCRIPT),
            organization: Some(ACME),
            proof: of_script,
            ..Principal::ANONYMOUS
        },
    ]
}

#[test]
fn a_principal_stands_no_longer_than_what_proved_it() {
    use Refusal::{ApiKey, Application, Expired, Revoked, UnknownKey, User};
    type Change = fn(&mut World);
    let cases: [(&str, Timestamp, Change, [Option<Refusal>; 4]); 14] = [
        ("nothing happened", now(), |_| {}, [None; 4]),
        ("time", later(), |_| {}, [Some(Expired), Some(Expired), Some(Expired), None]),
        (
            "the session was revoked",
            now(),
            |world| world.rows.revoked.push(SESSION),
            [Some(Revoked), Some(Revoked), Some(Revoked), None],
        ),
        (
            "the signing key was revoked",
            now(),
            |world| world.rows.keys.clear(),
            [Some(UnknownKey), Some(UnknownKey), Some(UnknownKey), None],
        ),
        (
            "the password was changed",
            now(),
            |world| world.member.credential_version = 2,
            [Some(User), None, None, None],
        ),
        ("deactivated", now(), |world| world.member.is_active = false, [Some(User), None, None, None]),
        (
            "moved to another organization",
            now(),
            |world| world.member.organization = None,
            [Some(User), None, None, None],
        ),
        (
            "the application was deleted",
            now(),
            |world| world.rows.applications.clear(),
            [Some(Application), Some(Application), None, None],
        ),
        (
            "the application has another grant",
            now(),
            |world| world.rows.applications[1].grant = ApplicationGrant::Password,
            [None, Some(Application), None, None],
        ),
        (
            "the API key was deleted",
            now(),
            |world| world.rows.accounts[0].keys.clear(),
            [None, None, Some(ApiKey), Some(ApiKey)],
        ),
        (
            "the API key has ended",
            now(),
            |world| world.rows.accounts[0].keys[0].expires_at = Some(now()),
            [None, None, Some(Expired), Some(Expired)],
        ),
        (
            "the account was switched off",
            now(),
            |world| world.rows.accounts[0].is_active = false,
            [None, None, Some(ApiKey), Some(ApiKey)],
        ),
        (
            "the account was deleted",
            now(),
            |world| world.rows.accounts.clear(),
            [None, None, Some(ApiKey), Some(ApiKey)],
        ),
        (
            "the organization was deleted",
            now(),
            |world| world.has_organization = false,
            [Some(User), None, Some(ApiKey), Some(ApiKey)],
        ),
    ];
    for (case, at, change, expected) in cases {
        let mut world = World::new();
        change(&mut world);
        let snapshot = world.snapshot();
        assert_eq!(callers().map(|caller| check(&snapshot, &caller, at).err()), expected, "{case}");
    }
}

#[test]
fn a_key_speaks_for_its_own_account_only() {
    let [.., script] = callers();
    let snapshot = World::new().snapshot();
    let forged = Principal { organization: None, ..script.clone() };
    assert_eq!(check(&snapshot, &forged, now()), Err(Refusal::ApiKey));
    let without_key = Principal { proof: Proof::NONE, ..forged };
    assert_eq!(check(&snapshot, &without_key, now()), Err(Refusal::ApiKey));
    let in_background = Principal { organization: script.organization, ..without_key };
    assert_eq!(check(&snapshot, &in_background, now()), Ok(()));
}
