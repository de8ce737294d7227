//! What an application adds to a deployment: its extensions, as the builder collects them.

use std::sync::Arc;

use buildly_auth::security::{Guards, Security, Unproven};
use buildly_auth::token::Issued;
use buildly_extension::{Partner, Transport};

use crate::{Buildly, Error};

/// The extensions that the builder was given.
#[derive(Default)]
pub(crate) struct Extensions {
    /// Carry events out.
    pub(crate) transports: Vec<Arc<dyn Transport>>,
    /// Take part in sign-in and in decisions.
    pub(crate) security: Vec<Arc<dyn Security>>,
    /// Exchange with third parties.
    pub(crate) partners: Vec<Arc<dyn Partner>>,
}

impl Extensions {
    /// Those who are asked before anything is allowed.
    ///
    /// # Errors
    /// [`Error::Setting`] if two have the same name: nobody could say who refused, or who proves.
    pub(crate) fn guards(&self) -> Result<Guards, Error> {
        let mut names: Vec<&str> = self.security.iter().map(|extension| extension.name()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair.first() == pair.last());
        if let Some(name) = twice.and_then(|pair| pair.first()) {
            let reason = format!("two extensions are called `{name}`; rename one");
            return Err(Error::Setting { setting: "security", reason });
        }
        Ok(Guards::new(self.security.clone()))
    }
}

impl Buildly {
    /// Signs in whoever sent this request, if the security extension of that name says who it is:
    /// with tokens of this deployment, as a user of its own.
    ///
    /// # Errors
    /// [`Error::Auth`]: unproven, switched off, or an identity that cannot be taken, as
    /// [`Auth::open_session_of`](buildly_auth::Auth::open_session_of) says.
    pub async fn sign_in_by(&self, extension: &str, request: &http::request::Parts) -> Result<Issued, Error> {
        let snapshot = self.snapshot();
        let unknown = || Unproven::Refused(format!("there is no security extension `{extension}`"));
        let found = snapshot.auth.guards.find(extension).ok_or_else(unknown);
        let outside = found.map_err(buildly_auth::Error::from)?.identify(request).await;
        let outside = outside.map_err(buildly_auth::Error::from)?;
        Ok(self.auth().open_session_of(&outside).await?)
    }
}
