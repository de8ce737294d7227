//! `buildly service run`

use std::process::ExitCode;

use buildly_documents::Limits;
use buildly_kit::command::ServiceFlags;
use clap::{Args, ValueEnum};

use crate::command::{Failure, Settings, flag};
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
    /// Listen on this address and port; port 0 picks a free one [default: 127.0.0.1:0].
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// The public keys that tokens are checked with: an address or a file.
    #[arg(long, value_name = "URL|FILE")]
    jwks: Option<String>,
    /// Accept only tokens of this issuer.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Ask here whether a token still holds, at most every 10 s a token.
    #[arg(long, value_name = "URL")]
    introspect: Option<String>,
    /// Documents: how many bytes of content one organization may keep [default: 100 GiB].
    #[arg(long, value_name = "BYTES")]
    max_bytes_per_organization: Option<String>,
}

impl Run {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let flags = [
            self.listen.map(|value| flag("--listen", "service.listen", value)),
            self.jwks.map(|value| flag("--jwks", "service.jwks", value)),
            self.issuer.map(|value| flag("--issuer", "service.issuer", value)),
            self.introspect.map(|value| flag("--introspect", "service.introspect", value)),
            self.max_bytes_per_organization.map(|value| {
                flag("--max-bytes-per-organization", "service.max_bytes_per_organization", value)
            }),
        ];
        let configuration = settings.load(flags.into_iter().flatten().collect())?;
        logging::begin(&configuration.log)?;
        let service = configuration.service;
        let flags = ServiceFlags {
            listen: service.listen,
            jwks: service.jwks.ok_or(
                "which keys sign the tokens? Say `--jwks URL|FILE` (or `service.jwks` in buildly.toml, or \
                 BUILDLY_SERVICE_JWKS); a server has them at /.well-known/jwks.json",
            )?,
            issuer: service.issuer,
            introspect: service.introspect,
            data_dir: configuration.data_dir,
            database_url: configuration.database_url.map(|url| url.expose().to_owned()),
        };
        let declaration = match self.name {
            Name::Appointments => buildly_appointments::declaration(),
            Name::Crm => buildly_crm::declaration(),
            Name::Documents => {
                let organization_bytes_max = service.max_bytes_per_organization;
                let default = Limits::default();
                let limits = Limits {
                    organization_bytes_max: organization_bytes_max.unwrap_or(default.organization_bytes_max),
                    ..default
                };
                buildly_documents::declaration(&flags.data_dir, limits)
                    .map_err(|error| format!("the folder of contents cannot be opened: {error}"))?
            }
        };
        flags.run(declaration).await?;
        Ok(ExitCode::SUCCESS)
    }
}
