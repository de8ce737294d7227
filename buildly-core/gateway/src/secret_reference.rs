//! Where a service's own secret may be.
//!
//! Who may register services is not thereby allowed to read every variable and file of this
//! machine by having them sent to a service, so only what was put there for it counts.

use std::path::{Component, Path};

/// The variables that may be secrets of services begin so.
pub const SECRET_VARIABLE_PREFIX: &str = "BUILDLY_SECRET_";

/// A reference to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretReference<'a> {
    /// A variable of the environment.
    Variable(&'a str),
    /// A file, by its path in the folder for secrets.
    File(&'a Path),
}

impl<'a> SecretReference<'a> {
    /// Reads `env:BUILDLY_SECRET_NAME` or `file:NAME`.
    ///
    /// # Errors
    /// What was expected.
    ///
    /// ```
    /// use buildly_gateway::SecretReference;
    /// assert!(SecretReference::parse("env:BUILDLY_SECRET_CRM").is_ok());
    /// assert!(SecretReference::parse("file:crm/key").is_ok());
    /// for refused in ["env:DATABASE_URL", "env:BUILDLY_SECRET_", "file:/etc/passwd", "file:../core.db"] {
    ///     assert!(SecretReference::parse(refused).is_err());
    /// }
    /// ```
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected `env:` and a variable such as `BUILDLY_SECRET_CRM`, or `file:` and the \
                                path of a file in the folder for secrets such as `crm.key`";
        match text.split_once(':') {
            Some(("env", name)) => {
                let rest = name.strip_prefix(SECRET_VARIABLE_PREFIX).filter(|rest| !rest.is_empty());
                rest.map(|_| Self::Variable(name)).ok_or(EXPECTED)
            }
            Some(("file", path)) => {
                let path = Path::new(path);
                let mut parts = path.components().peekable();
                let stays = parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)));
                if stays { Ok(Self::File(path)) } else { Err(EXPECTED) }
            }
            _ => Err(EXPECTED),
        }
    }
}
