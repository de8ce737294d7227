//! Mail that identity sends; the facade delivers it, by SMTP or into files.

use buildly_model::Secret;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// The text. It may hold a secret link: keep it out of logs.
    pub text: String,
}

/// Delivers mail.
pub trait Mailer: Send + Sync {
    /// Takes a message for delivery. Never waits, so that an answer takes the same time
    /// whether mail was sent or not; what cannot be delivered is logged by the mailer.
    fn send(&self, mail: Mail);
}

/// Asks an administrator to let a new user in.
pub(crate) fn approval_request(to: &str, username: &str, organization: &str, frontend: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "Approval Request".to_owned(),
        text: format!(
            "{username} has registered in the organization {organization}.\n\n\
             Sign in to see the account, and to approve it if it is not active yet:\n{frontend}\n"
        ),
    }
}

/// Invites somebody.
pub(crate) fn invitation(to: &str, organization: &str, link: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "Application Access".to_owned(),
        text: format!("You are invited to the organization {organization}. Register here:\n{link}\n"),
    }
}

/// Sends a link that lets a user set a new password.
pub(crate) fn password_reset(to: &str, username: &str, link: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "Reset your password".to_owned(),
        text: format!(
            "Somebody, probably you, wants to set a new password for the account {username}.\n\
             If it was you, follow this link; otherwise do nothing.\n{link}\n"
        ),
    }
}

/// Sends a link that shows that an address belongs to a user.
pub(crate) fn email_verification(to: &str, username: &str, link: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "Verify your address".to_owned(),
        text: format!("Follow this link to verify the address of the account {username}:\n{link}\n"),
    }
}

/// Passes on what an administrator has to say.
pub(crate) fn notice(to: &str, subject: &str, text: &str) -> Mail {
    Mail { to: to.to_owned(), subject: subject.to_owned(), text: format!("{text}\n") }
}

/// Appends a path and a secret to the front end's address.
pub(crate) fn link(frontend: &str, path: &str, secret: &Secret) -> String {
    format!("{}/{path}{}", frontend.trim_end_matches('/'), secret.expose())
}
