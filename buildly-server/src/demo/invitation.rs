//! What is told at the end, when the server stays up: where it is, and what to try.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::stage::Stage;
use super::story::{ADMIN, MANAGER, PASSWORD, SUPERUSER, VIEWER};

/// Who can sign in, and as what.
const SIGN_INS: [(&str, &str); 4] = [
    (ADMIN, "admin of the organization"),
    (MANAGER, "approves what runs ask for"),
    (VIEWER, "no role left"),
    (SUPERUSER, "operator"),
];

/// Where the server stays up, and what to try.
pub struct Invitation {
    url: String,
    mail: PathBuf,
}

impl Invitation {
    /// Invites to a running stage.
    #[must_use]
    pub fn to(stage: &Stage) -> Self {
        let folder = stage.running.server().buildly().folder();
        Self { url: stage.url(), mail: std::path::absolute(folder.mail()).unwrap_or_else(|_| folder.mail()) }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn lines(&self) -> [String; 3] {
        let url = &self.url;
        let json = r#"sed 's/.*"access":"\([^"]*\).*/\1/'"#;
        [
            format!("TOKEN=$(curl -s {url}/token/ -d username={ADMIN} -d password={PASSWORD} | {json})"),
            format!("curl -s -H \"Authorization: Bearer $TOKEN\" '{url}/crm/contacts/?limit=2&join'"),
            format!("curl -s -H \"Authorization: Bearer $TOKEN\" '{url}/audit/events/?limit=3'"),
        ]
    }

    /// To a program.
    pub(super) fn json(&self) -> Value {
        let sign_in = |(username, role)| json!({ "username": username, "password": PASSWORD, "role": role });
        json!({
            "address": self.url,
            "documentation": format!("{}/docs/", self.url),
            "sign_ins": SIGN_INS.map(sign_in),
            "mail": self.mail,
            "try": self.lines(),
        })
    }

    /// To a person; `note` says how to end it.
    pub(super) fn text(&self, note: &str) -> String {
        let (url, mail) = (&self.url, self.mail.display());
        let sign_ins = SIGN_INS.map(|(username, role)| format!("`{username}` ({role})")).join(", ");
        let lines = self.lines().join("\n");
        format!(
            "\nThe server stays up at {url}{note}. Its API: {url}/docs/\n\
             Sign in as {sign_ins}; the password is `{PASSWORD}`.\n\
             Mail that it sends is in {mail}\n\n{lines}"
        )
    }
}
