//! The name of a schema, parsed once.

use buildly_model::StoreError;

/// Leaves room for what is built from the name, below PostgreSQL's 63 bytes.
const LENGTH_MAX: usize = 48;

/// A name that needs no quotes: small letters, digits and `_`, not beginning with a digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schema(String);

impl Schema {
    pub(super) fn parse(name: &str) -> Result<Self, StoreError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins_well = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        // PostgreSQL keeps `pg_…` for itself.
        if begins_well && name.len() <= LENGTH_MAX && name.bytes().all(plain) && !name.starts_with("pg_") {
            return Ok(Self(name.to_owned()));
        }
        Err(super::unavailable(format!(
            "`{name}` cannot be the name of a schema: expected at most {LENGTH_MAX} small letters, digits and `_`"
        )))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }
}
