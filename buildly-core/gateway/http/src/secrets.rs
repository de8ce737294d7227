//! Where a service's own credential comes from.

use std::io::Read as _;

use buildly_model::Secret;
use http::HeaderValue;

/// More than any key or token has.
const SECRET_BYTES_MAX: u64 = 16 * 1024;

/// Finds secrets by reference; asked when a service changes, never on a call.
pub trait Secrets: Send + Sync {
    /// The secret behind a reference such as `env:CRM_KEY`; `None` if there is none.
    fn find(&self, reference: &str) -> Option<Secret>;
}

/// Secrets of this machine: `env:NAME`, a variable of the environment, and `file:PATH`, a file
/// (its last line break does not count).
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineSecrets;

impl Secrets for MachineSecrets {
    fn find(&self, reference: &str) -> Option<Secret> {
        let text = match reference.split_once(':')? {
            ("env", name) => std::env::var(name).ok()?,
            ("file", path) => {
                let mut text = String::new();
                std::fs::File::open(path).ok()?.take(SECRET_BYTES_MAX).read_to_string(&mut text).ok()?;
                text
            }
            _ => return None,
        };
        let text = text.trim_end_matches(['\r', '\n']);
        (!text.is_empty()).then(|| Secret::new(text))
    }
}

/// The `Authorization` that a secret stands for: itself if it names a scheme (`Basic …`,
/// `ApiKey …`), else a bearer token.
pub(crate) fn authorization(secret: &Secret) -> Option<HeaderValue> {
    let text = secret.expose();
    let mut value = if text.contains(' ') {
        HeaderValue::from_str(text).ok()?
    } else {
        HeaderValue::try_from(format!("Bearer {text}")).ok()?
    };
    value.set_sensitive(true);
    Some(value)
}
