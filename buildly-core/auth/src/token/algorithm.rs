//! The signature algorithms that access tokens may be signed with.

use std::fmt;
use std::str::FromStr;

/// A signature algorithm of RFC 7518 and RFC 8037; always an asymmetric one, so that
/// services check tokens with a public key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 and a key of 2048 bits: what the oldest services expect.
    #[default]
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519: the fastest and shortest.
    EdDsa,
}

/// A text that should name an algorithm does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of `RS256`, `ES256` and `EdDSA`")]
pub struct ParseAlgorithmError;

impl Algorithm {
    /// Its name in the header of a token (RFC 7518 section 3.1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rs256 => Self::RS256,
            Algorithm::Es256 => Self::ES256,
            Algorithm::EdDsa => Self::EdDSA,
        }
    }
}

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    /// Names are case-sensitive, as in tokens.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Rs256, Self::Es256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or(ParseAlgorithmError)
    }
}
