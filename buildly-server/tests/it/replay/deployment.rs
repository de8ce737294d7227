//! The deployment that the recordings begin with, and what they need from outside the answers.

use std::time::Duration;

use buildly_core::auth::identity::NewSuperuser;
use buildly_core::auth::token::{ApplicationGrant, ClientType, NewApplication};
use buildly_model::{Identity, Principal, Secret};

use super::{PASSWORD, USERNAME};
use crate::harness::TestServer;

/// How long mail may take to become a file.
const MAIL_PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn start() -> TestServer {
    let server = TestServer::start_with(|configuration| {
        configuration.tokens.access_lifetime = Duration::from_secs(86_400);
        configuration.front_end_url = Some("http://localhost:3000/login/".to_owned());
        configuration.cors.origins = vec!["http://localhost:3000".parse().unwrap()];
    })
    .await;
    let auth = server.running().server().buildly().auth().clone();
    let new = NewSuperuser {
        username: USERNAME.to_owned(),
        email: "admin@example.com".to_owned(),
        password: Secret::new(PASSWORD),
        organization_name: "default organization".to_owned(),
    };
    auth.create_superuser(&new).await.unwrap();
    let superuser = superuser(&server).await;
    for name in ["Custodian", "Producer"] {
        auth.create_organization_type(&superuser, name).await.unwrap();
    }
    let application = NewApplication {
        client_id: Some("recorded-public-client".to_owned()),
        name: "recorded".to_owned(),
        client_type: ClientType::Public,
        grant: ApplicationGrant::Password,
        redirect_uris: String::new(),
    };
    auth.create_application(&superuser, application).await.unwrap();
    server
}

async fn superuser(server: &TestServer) -> Principal {
    let auth = server.running().server().buildly().auth();
    let user = auth.sign_in(USERNAME, &Secret::new(PASSWORD), None).await.unwrap();
    Principal { identity: Identity::User(user.id), organization: user.organization, ..Principal::ANONYMOUS }
}

/// The last two segments of the link in the newest mail to `address`.
pub(super) async fn password_reset_from_mail(server: &TestServer, address: &str) -> (String, String) {
    let waited = tokio::time::Instant::now() + MAIL_PATIENCE;
    loop {
        let mut mails: Vec<_> = std::fs::read_dir(server.folder.join("mail"))
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .filter(|mail| mail.contains(&format!("To: {address}")) && mail.contains("Reset your password"))
            .collect();
        if let Some(mail) = mails.pop() {
            // A long line is folded with `=` at its end (RFC 2045 section 6.7).
            let text = mail.replace("=\r\n", "").replace("=3D", "=");
            let link = text.lines().find(|line| line.starts_with("http")).unwrap().trim_end_matches('/');
            let mut segments = link.rsplit('/');
            let (token, uid) = (segments.next().unwrap(), segments.next().unwrap());
            return (uid.to_owned(), token.to_owned());
        }
        assert!(tokio::time::Instant::now() < waited, "no mail to {address} came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The secret of an invitation that ended a minute ago.
pub(super) async fn expired_invitation(server: &TestServer) -> String {
    let auth = server.running().server().buildly().auth();
    let email = "too-late@example.org".to_owned();
    let links = auth.invite(&superuser(server).await, std::slice::from_ref(&email)).await.unwrap();
    let file = rusqlite::Connection::open(server.folder.join("core.db")).unwrap();
    let changed = file
        .execute("UPDATE invitation SET expires_at = created_at - 60000000 WHERE email = ?1", [&email])
        .unwrap();
    assert_eq!(changed, 1);
    let link = links[0].expose();
    link.rsplit_once("token=").map_or(link, |(_, token)| token).to_owned()
}
