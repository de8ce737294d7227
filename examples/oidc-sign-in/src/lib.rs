//! A security extension: people sign in with an account that they have elsewhere, at any
//! OpenID Connect provider, and this deployment says what they may.
//!
//! [`Oidc`] is the extension. It sends a browser to the provider ([`Oidc::begin`]) and, when the
//! browser comes back, asks the provider who that was ([`Security`]); what it has proven becomes a
//! user of Buildly's. [`Maintenance`] is the other half of what such an extension may do: it says
//! no to what would be allowed.
//!
//! [`Security`]: buildly_core::auth::security::Security

mod maintenance;
mod oidc;
mod web;

pub use maintenance::Maintenance;
pub use oidc::{Begun, Oidc, Settings};
pub use web::{Site, router};
