use buildly_model::{ApplicationId, Timestamp};
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
    Snapshot::of(Rows { applications, ..Rows::default() }).unwrap()
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
        scope: None,
        client,
    }
}

fn outcome(request: &TokenRequest) -> String {
    match decide(&snapshot(), request) {
        Ok((application, Grant::Password { username, .. })) => {
            format!("{} for {username}", application.client_id)
        }
        Ok((application, Grant::Refresh { .. })) => format!("{} refreshes", application.client_id),
        Ok((application, Grant::ClientCredentials)) => format!("{} itself", application.client_id),
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
        ("a public client is no robot", "client_credentials", "spa", "", "unauthorized_client"),
    ] {
        assert_eq!(outcome(&request(grant_type, client(id, secret))), expected, "{case}");
    }
}

#[test]
fn a_missing_parameter_is_named() {
    let nothing = TokenRequest { password: None, ..request("password", client("spa", "")) };
    let error = decide(&snapshot(), &nothing).err().unwrap();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("invalid_request", "Request is missing password parameter.")
    );
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
