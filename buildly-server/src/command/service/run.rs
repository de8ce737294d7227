//! `buildly service run`

use std::process::ExitCode;

use buildly_documents::{Limits, ORGANIZATION_BYTES_MAX};
use buildly_kit::command::ServiceFlags;
use clap::{Args, ValueEnum};

use crate::command::{Failure, Settings};
use crate::logging;

/// A service that comes with Buildly.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// Calendars, appointments, free and busy times.
    Appointments,
    /// Companies, contacts, notes and leads.
    Crm,
    /// Documents in folders, with versions and content.
    Documents,
}

#[derive(Debug, Args)]
pub(in crate::command) struct Run {
    /// Which service.
    #[arg(value_name = "SERVICE")]
    name: Name,
    /// Listen on this address and port; port 0 picks a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    listen: String,
    /// The public keys that tokens are checked with: an address or a file.
    #[arg(long, value_name = "URL|FILE")]
    jwks: String,
    /// Accept only tokens of this issuer.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Ask here whether a token still holds, at most every 10 s a token.
    #[arg(long, value_name = "URL")]
    introspect: Option<http::Uri>,
    /// Documents: how many bytes of content one organization may keep.
    #[arg(
        long,
        env = "BUILDLY_DOCUMENTS_MAX_BYTES_PER_ORGANIZATION",
        default_value_t = ORGANIZATION_BYTES_MAX,
        value_name = "BYTES"
    )]
    max_bytes_per_organization: u64,
}

impl Run {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let configuration = settings.load(Vec::new())?;
        logging::begin(&configuration.log)?;
        let flags = ServiceFlags {
            listen: self.listen,
            jwks: self.jwks,
            issuer: self.issuer,
            introspect: self.introspect,
            data_dir: configuration.data_dir,
            database_url: configuration.database_url.map(|url| url.expose().to_owned()),
        };
        let declaration = match self.name {
            Name::Appointments => buildly_appointments::declaration(),
            Name::Crm => buildly_crm::declaration(),
            Name::Documents => {
                let organization_bytes_max = self.max_bytes_per_organization;
                let limits = Limits { organization_bytes_max, ..Limits::default() };
                buildly_documents::declaration(&flags.data_dir, limits)
                    .map_err(|error| format!("the folder of contents cannot be opened: {error}"))?
            }
        };
        flags.run(declaration).await?;
        Ok(ExitCode::SUCCESS)
    }
}
