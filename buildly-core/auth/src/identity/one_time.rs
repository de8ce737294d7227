//! Secrets that are used once: invitations, password resets, proofs of an address.
//!
//! Only a hash of each is stored, so that whoever reads the database cannot use one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::{InvitationId, OrganizationId, Random, Secret, Timestamp, UserId};

pub use crate::token::SecretHash;

/// Draws a secret of 256 bits.
#[must_use]
pub fn draw_secret(random: &dyn Random) -> Secret {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// An invitation to an organization, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Where to.
    pub organization: OrganizationId,
    /// Who is invited.
    pub email: String,
    /// What its token hashes to.
    pub secret: SecretHash,
    /// Who invites.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// Why an invitation does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationFault {
    /// None was given.
    #[error("No token is provided.")]
    Missing,
    /// There is none like it.
    #[error("Token is not valid.")]
    Unknown,
    /// Its time is over.
    #[error("Token is expired.")]
    Expired,
    /// It was used.
    #[error("Token has been used.")]
    Used,
}

impl Invitation {
    /// Whether it still counts.
    ///
    /// # Errors
    /// [`InvitationFault::Used`] or [`InvitationFault::Expired`].
    pub fn check(&self, now: Timestamp) -> Result<(), InvitationFault> {
        if self.used_at.is_some() {
            return Err(InvitationFault::Used);
        }
        if now >= self.expires_at {
            return Err(InvitationFault::Expired);
        }
        Ok(())
    }
}

/// What a proof is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofPurpose {
    /// Setting a new password without the old one.
    PasswordReset,
    /// Showing that mail to an address arrives.
    EmailVerification,
}

impl ProofPurpose {
    /// The word in storages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::EmailVerification => "email_verification",
        }
    }

    /// The purpose of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::PasswordReset, Self::EmailVerification].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A secret mailed to a user, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What it hashes to.
    pub secret: SecretHash,
    /// What for.
    pub purpose: ProofPurpose,
    /// Where the user belongs.
    pub organization: Option<OrganizationId>,
    /// Whose.
    pub user: UserId,
    /// The address it was mailed to.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

impl Proof {
    /// Whether it counts for this purpose now.
    #[must_use]
    pub fn counts(&self, purpose: ProofPurpose, now: Timestamp) -> bool {
        self.purpose == purpose && self.used_at.is_none() && now < self.expires_at
    }
}
