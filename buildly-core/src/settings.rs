//! What a deployment decides; everything has a safe default.

use std::path::PathBuf;

use buildly_auth::{identity, token};
use buildly_gateway::RateLimits;
use buildly_gateway::traffic::{cors, forwarded};
use buildly_workflow::WorkerSettings;

use crate::mail::MailSettings;

/// What a deployment decides; everything has a safe default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address under which clients reach the deployment, such as `https://api.example.org`;
    /// tokens are issued in this name. Without one, an embedded deployment is called `buildly`.
    pub public_url: Option<String>,
    /// Keys and lifetimes of tokens.
    pub tokens: token::Settings,
    /// Registration, invitations, links in mail.
    pub identity: identity::Settings,
    /// Where mail goes.
    pub mail: MailSettings,
    /// Where the files are that hold services' own secrets (`own:file:NAME`); the folder `secrets`
    /// in the data folder when nobody says another.
    pub secrets: Option<PathBuf>,
    /// How often callers may call services, until somebody sets other limits.
    pub rate_limits: RateLimits,
    /// Which other origins' pages may call.
    pub cors: cors::Policy,
    /// Which proxies before this process are believed about the client's address.
    pub trust: forwarded::Trust,
    /// Whether this node works for runs of workflows: performs their calls, empties their inboxes,
    /// fires their timers; and whether it carries events out. One that does not still starts, shows
    /// and steers runs.
    pub works_for_runs: bool,
    /// How it works for them.
    pub workflow: WorkerSettings,
    /// Whether webhooks may reach this machine, private networks and addresses without TLS.
    pub webhooks_reach_private: bool,
    /// The key that seals secrets in the database. Without one, the file
    /// `keys/deployment.key` of the data folder holds it; several nodes need the same.
    pub deployment_key: Option<token::DeploymentKey>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            tokens: token::Settings::default(),
            identity: identity::Settings::default(),
            mail: MailSettings::default(),
            secrets: None,
            rate_limits: RateLimits::standard(),
            cors: cors::Policy::default(),
            trust: forwarded::Trust::default(),
            works_for_runs: true,
            workflow: WorkerSettings::default(),
            webhooks_reach_private: false,
            deployment_key: None,
        }
    }
}
