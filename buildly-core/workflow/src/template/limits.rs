//! How large a template may be, and what a name looks like.

/// The most levels of one template.
pub const LEVELS_MAX: usize = 10_000;
/// How deep levels may stand in each other.
pub const LEVEL_DEPTH_MAX: usize = 32;
/// The most bytes of a template's JSON text.
pub const TEMPLATE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most items of a for-each, and rounds of a loop.
pub const BOUND_MAX: u32 = 1_000_000;
/// The most items of a for-each that are worked on at once.
pub const WINDOW_MAX: u32 = 1_000;
/// The most bytes of the name of an event that starts runs.
pub const EVENT_BYTES_MAX: usize = 200;
/// The most bytes of a level's name.
pub const NAME_BYTES_MAX: usize = 64;

/// Whether `name` can be a level's name: a lower-case letter, then letters, digits and `_`, so
/// that expressions can say `levels.name`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let is_first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let is_rest = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_first && is_rest && name.len() <= NAME_BYTES_MAX
}
