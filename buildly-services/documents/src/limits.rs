//! How much may be kept.

/// The largest content when nobody says otherwise: 1 GiB.
pub const CONTENT_BYTES_MAX: u64 = 1 << 30;

/// How much an organization may keep when nobody says otherwise: 100 GiB.
pub const ORGANIZATION_BYTES_MAX: u64 = 100 << 30;

/// How much may be kept; by default [`CONTENT_BYTES_MAX`] and [`ORGANIZATION_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of one content.
    pub content_bytes_max: u64,
    /// The bytes of all contents of one organization, those being received included; the same
    /// content is kept, and counted, once. `u64::MAX` for no limit.
    pub organization_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { content_bytes_max: CONTENT_BYTES_MAX, organization_bytes_max: ORGANIZATION_BYTES_MAX }
    }
}
