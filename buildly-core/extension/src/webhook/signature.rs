//! Signatures as Standard Webhooks 1.0 says: HMAC-SHA256 over id, time and body.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildly_model::{Secret, Timestamp};

/// The header with the message's id: the same however often it is sent.
pub const WEBHOOK_ID: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since 1970.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signature.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// What a webhook's messages are signed with.
pub struct SigningSecret([u8; 32]);

impl SigningSecret {
    /// Takes 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What the receiver is told: `whsec_` and base64.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        Secret::new(format!("whsec_{}", STANDARD.encode(self.0)))
    }

    /// The value of [`WEBHOOK_SIGNATURE`] for a message.
    #[must_use]
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{}.", at.as_seconds()).as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value was computed apart from this code, with Python's `hmac`.
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let secret = SigningSecret::new([7; 32]);
        assert_eq!(secret.to_text().expose(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        let signature =
            secret.sign("msg_1", Timestamp::from_seconds(1_614_265_330), br#"{"test":2432232314}"#);
        assert_eq!(signature, "v1,V4NgCM+TrrMLQSfo7mIZrjkcBimTzZXcueuhwvhSXAQ=");
        assert_ne!(signature, secret.sign("msg_1", Timestamp::from_seconds(1_614_265_331), b"{}"));
    }
}
