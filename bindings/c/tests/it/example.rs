//! C itself.
