use buildly_model::{ApplicationId, OrganizationId, ServiceAccountId, Timestamp, TokenId};
use uuid::Uuid;

use super::*;
use crate::token::snapshot::Rows;
use crate::token::{SecretHash, Snapshot};

fn application(number: u8, client_id: &str, client_type: ClientType, grant: ApplicationGrant) -> Application {
    let confidential = client_type == ClientType::Confidential;
    Application {
        id: ApplicationId::from_uuid(Uuid::from_u128(u128::from(number))),
        number: i64::from(number),
        client_id: client_id.to_owned(),
        secret: confidential.then(|| SecretHash::of(b"right")),
        name: client_id.to_owned(),
        client_type,
        grant,
        redirect_uris: String::new(),
        user: None,
        created_at: Timestamp::EPOCH,
    }
}

fn snapshot() -> Snapshot {
    let (public, confidential) = (ClientType::Public, ClientType::Confidential);
    let applications = vec![
        application(1, "spa", public, ApplicationGrant::Password),
        application(2, "desk", confidential, ApplicationGrant::Password),
        application(3, "robot", confidential, ApplicationGrant::ClientCredentials),
        application(4, "site", public, ApplicationGrant::AuthorizationCode),
    ];
    let accounts = ACCOUNTS.map(|(number, is_active, ends)| ServiceAccount {
        id: account_id(number),
        organization: OrganizationId::from_uuid(Uuid::from_u128(9)),
        name: number.to_string(),
        description: String::new(),
        is_active,
        groups: Vec::new(),
        keys: vec![ApiKey {
            id: TokenId::from_uuid(Uuid::from_u128(number)),
            name: String::new(),
            secret: api_key_of(number).1,
            created_at: Timestamp::EPOCH,
            expires_at: ends.then(now),
            last_used_at: None,
        }],
        created_at: Timestamp::EPOCH,
    });
    Snapshot::of(Rows { applications, accounts: accounts.to_vec(), ..Rows::default() }).unwrap()
}

/// Number, whether it is active, whether its key has ended.
const ACCOUNTS: [(u128, bool, bool); 3] = [(1, true, false), (2, true, true), (3, false, false)];

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn account_id(number: u128) -> ServiceAccountId {
    ServiceAccountId::from_uuid(Uuid::from_u128(number))
}

/// Draws the same key each time it is asked for one.
fn api_key_of(number: u128) -> (Secret, SecretHash) {
    struct Fixed(u8);
    impl buildly_model::Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }
    api_key::draw(TokenId::from_uuid(Uuid::from_u128(number)), &Fixed(u8::try_from(number).unwrap()))
}

fn client(id: &str, secret: &str) -> ClientCredentials {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ClientCredentials { client_id: some(id), client_secret: some(secret).map(Secret::new) }
}

fn request(grant_type: &str, client: ClientCredentials) -> TokenRequest {
    TokenRequest {
        grant_type: (!grant_type.is_empty()).then(|| grant_type.to_owned()),
        username: Some("ann".to_owned()),
        password: Some(Secret::new("secret")),
        refresh_token: Some(Secret::new("refresh")),
        code: Some(Secret::new("code")),
        redirect_uri: None,
        code_verifier: Some(Secret::new("v".repeat(43))),
        scope: None,
        client,
    }
}

fn outcome(request: &TokenRequest) -> String {
    match decide(&snapshot(), request, now()) {
        Ok(Grant::Password { application, username, .. }) => {
            format!("{} for {username}", application.client_id)
        }
        Ok(Grant::Refresh { application, .. }) => format!("{} refreshes", application.client_id),
        Ok(Grant::AuthorizationCode { application, .. }) => format!("{} redeems", application.client_id),
        Ok(Grant::Application(application)) => format!("{} itself", application.client_id),
        Ok(Grant::ServiceAccount(account, _)) => format!("account {}", account.name),
        Err(error) => error.code().to_owned(),
    }
}

#[test]
fn who_may_ask_for_what() {
    for (case, grant_type, id, secret, expected) in [
        ("a public client", "password", "spa", "", "spa for ann"),
        ("a confidential client", "password", "desk", "right", "desk for ann"),
        ("without its secret", "password", "desk", "", "invalid_client"),
        ("with a wrong secret", "password", "desk", "wrong", "invalid_client"),
        ("an unknown client", "password", "nobody", "", "invalid_client"),
        ("no client", "password", "", "", "invalid_client"),
        ("no grant type comes before no client", "", "", "", "unsupported_grant_type"),
        ("an unknown grant type", "implicit", "spa", "", "unsupported_grant_type"),
        ("refresh", "refresh_token", "spa", "", "spa refreshes"),
        ("refresh of an authorization code client", "refresh_token", "site", "", "site refreshes"),
        ("a robot", "client_credentials", "robot", "right", "robot itself"),
        ("a robot does not refresh", "refresh_token", "robot", "right", "unauthorized_client"),
        ("a robot does not know passwords", "password", "robot", "right", "unauthorized_client"),
        ("a site does not see passwords", "password", "site", "", "unauthorized_client"),
        ("a site redeems codes", "authorization_code", "site", "", "site redeems"),
        ("others do not", "authorization_code", "spa", "", "unauthorized_client"),
        ("a public client is no robot", "client_credentials", "spa", "", "unauthorized_client"),
    ] {
        assert_eq!(outcome(&request(grant_type, client(id, secret))), expected, "{case}");
    }
}

#[test]
fn a_missing_parameter_is_named() {
    let nothing = TokenRequest { password: None, ..request("password", client("spa", "")) };
    let error = decide(&snapshot(), &nothing, now()).err().unwrap();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("invalid_request", "Request is missing password parameter.")
    );
}

#[test]
fn a_code_needs_its_verifier_in_full() {
    let good = || request("authorization_code", client("site", ""));
    for (case, request) in [
        ("no code", TokenRequest { code: None, ..good() }),
        ("no verifier", TokenRequest { code_verifier: None, ..good() }),
        ("a short one", TokenRequest { code_verifier: Some(Secret::new("v".repeat(42))), ..good() }),
        ("a long one", TokenRequest { code_verifier: Some(Secret::new("v".repeat(129))), ..good() }),
    ] {
        assert_eq!(outcome(&request), "invalid_request", "{case}");
    }
}

#[test]
fn a_service_account_shows_a_key_that_is_good_and_gets_a_token_only_for_itself() {
    let [good, ended, off] = ACCOUNTS.map(|(number, ..)| account_id(number).to_string());
    let key = |number| api_key_of(number).0.expose().to_owned();
    for (case, grant_type, id, secret, expected) in [
        ("a good key", "client_credentials", &good, key(1), "account 1"),
        ("another grant", "password", &good, key(1), "unauthorized_client"),
        ("the key of another account", "client_credentials", &ended, key(1), "invalid_client"),
        ("an application's name", "client_credentials", &"robot".to_owned(), key(1), "invalid_client"),
        ("a key that has ended", "client_credentials", &ended, key(2), "invalid_client"),
        ("an account switched off", "client_credentials", &off, key(3), "invalid_client"),
        ("a wrong secret", "client_credentials", &good, format!("{}x", key(1)), "invalid_client"),
    ] {
        assert_eq!(outcome(&request(grant_type, client(id, &secret))), expected, "{case}");
    }
}

#[test]
fn scopes_beyond_ours_are_refused() {
    for (scope, expected) in [
        ("read", "spa for ann"),
        ("read write introspection", "spa for ann"),
        ("read admin", "invalid_scope"),
    ] {
        let request =
            TokenRequest { scope: Some(scope.to_owned()), ..request("password", client("spa", "")) };
        assert_eq!(outcome(&request), expected, "{scope}");
    }
}

#[test]
fn basic_credentials_are_read() {
    let read = ClientCredentials::from_basic(&STANDARD.encode("desk:a:b")).unwrap();
    assert_eq!(read.client_id.as_deref(), Some("desk"));
    assert_eq!(read.client_secret.unwrap().expose(), "a:b");
    for wrong in ["", "!!!", &STANDARD.encode("no colon"), &STANDARD.encode([0xff, b':'])] {
        assert!(ClientCredentials::from_basic(wrong).is_none(), "{wrong}");
    }
}
