//! What a deployment decides about its people.

use std::time::Duration;

/// What a deployment decides about its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the front end's sign-in is; links in mail begin with it.
    pub frontend_url: String,
    /// Whether anybody may register, and see the names of the organizations.
    pub registration_is_open: bool,
    /// Who is told of new organizations.
    pub support_email: Option<String>,
    /// How long an invitation counts.
    pub invitation_lifetime: Duration,
    /// How long a link to set a new password counts.
    pub password_reset_lifetime: Duration,
    /// How long a link to verify an address counts.
    pub email_verification_lifetime: Duration,
    /// Outside issuers whose word counts for whose an address is: who signs in through one of them
    /// with a verified address is taken for the account here that has verified the same. None
    /// unless you say so: such an issuer can sign in as anybody whose address it hands out.
    pub issuers_trusted_with_email: Vec<String>,
    /// The fewest characters of a password (NIST SP 800-63B section 3.1.1).
    pub password_length_min: usize,
    /// The most rows of a list that has no pages.
    pub rows_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            frontend_url: "http://localhost:3000/login/".to_owned(),
            registration_is_open: true,
            support_email: None,
            invitation_lifetime: HOUR * 50,
            password_reset_lifetime: HOUR * 24,
            email_verification_lifetime: HOUR * 72,
            issuers_trusted_with_email: Vec::new(),
            password_length_min: 8,
            rows_max: 1000,
        }
    }
}
