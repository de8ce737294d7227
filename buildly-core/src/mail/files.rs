//! Messages as files alone, in a build without the feature `mail`.

use buildly_auth::identity::Mail;

use super::{MailSettings, Trouble};
use crate::Error;

/// Writes messages, and sends none.
pub(super) struct Post {
    from: String,
}

impl Post {
    pub(super) fn new(settings: &MailSettings) -> Result<Self, Error> {
        if settings.smtp.is_some() {
            return Err(Error::Setting {
                setting: "mail.smtp",
                reason: "this build sends no mail; build `buildly-core` with the feature `mail`".to_owned(),
            });
        }
        Ok(Self { from: in_one_line(&settings.from) })
    }

    pub(super) const fn has_server(&self) -> bool {
        false
    }

    pub(super) async fn send(&self, _: &Mail) -> Result<(), Trouble> {
        Err(Trouble::Refused("this build sends no mail".to_owned()))
    }

    /// The message for whoever reads the folder.
    pub(super) fn write(&self, mail: &Mail) -> Result<Vec<u8>, String> {
        let (from, to, subject) = (&self.from, in_one_line(&mail.to), in_one_line(&mail.subject));
        Ok(format!("From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n{}", mail.text).into_bytes())
    }
}

/// No text of a head can begin another line of it.
fn in_one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
