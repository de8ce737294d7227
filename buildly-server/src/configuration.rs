//! What an operator can set: `buildly.toml`, `BUILDLY_*`, flags; the later wins.
//!
//! Every setting is named once, in `Configuration::read`, with its default and what it
//! does. Unknown names are refused, since a setting that is misspelt and silently ignored
//! is worse than a server that does not start.

mod duration;
mod reader;
mod sources;
mod suggestion;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use buildly_core::auth::token::Algorithm;
use buildly_core::gateway::traffic::cors::OriginPattern;
use buildly_core::gateway::traffic::forwarded::Trust;
use buildly_model::Secret;

pub use reader::{Entry, Error};
pub use sources::{FlagValue, Source, Sources};
pub use value::{LogFormat, MailEncryption, TrustedProxies};

use reader::Reader;

/// Every setting of the server, with its value.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where the server listens: address and port; port 0 picks a free one.
    pub listen: String,
    /// The folder that holds keys, mail and, without a database URL, the database.
    pub data_dir: PathBuf,
    /// The PostgreSQL database to use instead of a file in the folder; may hold a password.
    pub database_url: Option<Secret>,
    /// The schema in that database; its default is `buildly`.
    pub database_schema: String,
    /// The key under which signing keys are sealed, 64 hexadecimal digits; by default a file
    /// in the folder. Several nodes need the same.
    pub deployment_key: Option<Secret>,
    /// The folder of the files that services' own secrets are in; by default `secrets` in the
    /// data folder.
    pub secrets_dir: Option<PathBuf>,
    /// The URL that clients reach the server by, without a slash at its end.
    pub public_url: Option<String>,
    /// Where the front end is, for links in mails.
    pub front_end_url: Option<String>,
    /// Who is told of new organizations.
    pub support_email: Option<String>,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// Who reads the metrics must show this; without it anybody may.
    pub metrics_token: Option<Secret>,
    /// Addresses and networks of the proxies that are believed about the client's address.
    pub trusted_proxies: TrustedProxies,
    /// How tokens are issued.
    pub tokens: Tokens,
    /// How mail leaves.
    pub smtp: Smtp,
    /// Who may call from a browser page of another origin.
    pub cors: Cors,
    /// Encryption of what comes in.
    pub tls: Tls,
    /// What is logged.
    pub log: Log,
    /// Limits on what comes in and goes out.
    pub limits: Limits,
    /// Where webhooks may lead.
    pub webhooks: Webhooks,
    /// Where the journal goes beside.
    pub nats: Nats,
    /// What `buildly service run` runs.
    pub service: OwnService,
}

/// How tokens are issued.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What new tokens are signed with.
    pub algorithm: Algorithm,
    /// How long an access token lives.
    pub access_lifetime: Duration,
    /// How long a refresh token lives.
    pub refresh_lifetime: Duration,
    /// How long a key signs before the next one does.
    pub key_rotation: Duration,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// The mail server; without one, mails are files in the data folder.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// The account to sign in with.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// A PEM file of certificate authorities that are trusted beside the public ones.
    pub authorities: Option<PathBuf>,
    /// Whether and when the connection is encrypted.
    pub encryption: MailEncryption,
    /// Who mails come from.
    pub from: String,
}

/// Who may call from a browser page of another origin.
#[derive(Debug, Clone)]
pub struct Cors {
    /// The allowed origins: `https://app.example.org`, `http://dev.example.org:*` for any port,
    /// `localhost` for the user's own machine, `*` for all (these without credentials).
    pub origins: Vec<OriginPattern>,
    /// Whether their requests may carry cookies; tokens that a page sends itself need it not.
    pub credentials: bool,
}

/// Encryption of what comes in.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate chain, a PEM file; read again on SIGHUP.
    pub certificate: Option<PathBuf>,
    /// Its private key, a PEM file.
    pub key: Option<PathBuf>,
}

/// What is logged.
#[derive(Debug, Clone)]
pub struct Log {
    /// What is worth a line: `error`, `warn`, `info`, `debug`, `trace`, or directives such as
    /// `info,buildly_mesh=debug`.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// A service that is run as a process of its own, by `buildly service run`.
#[derive(Debug, Clone)]
pub struct OwnService {
    /// Where it listens: address and port; port 0 picks a free one.
    pub listen: String,
    /// The public keys that tokens are checked with: an address or a file.
    pub jwks: Option<String>,
    /// The only issuer whose tokens are accepted.
    pub issuer: Option<String>,
    /// Where to ask whether a token still holds.
    pub introspect: Option<http::Uri>,
    /// How many bytes of content one organization may keep in `documents`.
    pub max_bytes_per_organization: Option<u64>,
}

/// Where webhooks may lead.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Whether to this machine, private networks and addresses without TLS. Whoever administers
    /// an organization may then make this server call what stands beside it.
    pub reach_private: bool,
}

/// NATS JetStream, to which the journal is carried.
#[derive(Debug, Clone)]
pub struct Nats {
    /// The server, such as `nats://127.0.0.1:4222`; without one nothing is carried. May hold a
    /// password. It needs a program with the feature `nats`.
    pub url: Option<Secret>,
    /// The stream; it is made if there is none.
    pub stream: String,
    /// What subjects begin with.
    pub prefix: String,
}

/// Limits on what comes in and goes out.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most bytes of a request's body to a resource of the core.
    pub body_bytes_max: usize,
    /// How long such a body may take to come in.
    pub body_timeout: Duration,
    /// The most bytes of a request's line and headers; at least 8192.
    pub head_bytes_max: usize,
    /// How long they may take to come in; also ends connections that nobody uses.
    pub head_timeout: Duration,
    /// How long nothing may come of a body that somebody waits for.
    pub body_idle_timeout: Duration,
    /// How long a stop may take; requests that are open then are cut off four seconds earlier,
    /// and mail that has not left is put into files. At least five seconds.
    pub stop_timeout: Duration,
    /// The most connections at once; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// The most rows of a plain list of the old wire.
    pub list_rows_max: u32,
    /// The most rows of a page.
    pub page_rows_max: u32,
    /// The most requests a second of one principal through the gateway.
    pub requests_per_second: u32,
}

impl Configuration {
    /// Reads all sources, the later winning.
    ///
    /// # Errors
    /// [`Error`] names every setting that is unknown or cannot be what it is set to.
    pub fn load(sources: Sources) -> Result<Self, Error> {
        Self::load_with_entries(sources).map(|(configuration, _)| configuration)
    }

    /// As [`Configuration::load`]; also every setting with its shown value and where it comes from.
    ///
    /// # Errors
    /// As [`Configuration::load`].
    pub fn load_with_entries(sources: Sources) -> Result<(Self, Vec<Entry>), Error> {
        let mut reader = Reader::new(sources);
        let configuration = Self::read(&mut reader);
        let entries = reader.finish()?;
        Ok((configuration, entries))
    }

    /// Whom to believe about the client's address.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust { proxies: self.trusted_proxies.networks(), ..Trust::default() }
    }

    fn read(reader: &mut Reader) -> Self {
        Self {
            listen: reader.value("listen", "127.0.0.1:8080".to_owned(), "address and port; port 0 picks one"),
            data_dir: reader.value(
                "data_dir",
                PathBuf::from("buildly-data"),
                "the folder of keys, mail and databases",
            ),
            database_url: reader.optional("database_url", "postgres://… instead of a file in the folder"),
            database_schema: reader.value("database_schema", "buildly".to_owned(), "its schema"),
            deployment_key: reader
                .optional("deployment_key", "64 hexadecimal digits, the same on every node"),
            secrets_dir: reader.optional("secrets_dir", "files that `own:file:NAME` credentials name"),
            public_url: reader.optional("public_url", "the URL that clients use").map(without_slash),
            front_end_url: reader
                .optional("front_end_url", "where links in mails lead to")
                .map(without_slash),
            support_email: reader.optional("support_email", "who is told of new organizations"),
            registration_open: reader.value("registration_open", true, "whether anybody may register"),
            metrics_token: reader.optional("metrics_token", "must be shown to read /metrics"),
            trusted_proxies: reader.value(
                "trusted_proxies",
                TrustedProxies::default(),
                "addresses or networks of proxies in front",
            ),
            tokens: Tokens::read(reader),
            smtp: Smtp::read(reader),
            cors: Cors {
                origins: reader.value("cors.origins", Vec::new(), "allowed origins, localhost, or *"),
                credentials: reader.value("cors.credentials", false, "whether with cookies"),
            },
            tls: Tls {
                certificate: reader.optional("tls.certificate", "PEM file; read again on SIGHUP"),
                key: reader.optional("tls.key", "PEM file of its private key"),
            },
            log: Log {
                level: reader.value("log.level", "info".to_owned(), "error, warn, info, debug or trace"),
                format: reader.value("log.format", LogFormat::Pretty, "pretty or json"),
            },
            limits: Limits::read(reader),
            nats: Nats {
                url: reader.optional("nats.url", "nats://… to carry the journal to JetStream"),
                stream: reader.value("nats.stream", "BUILDLY".to_owned(), "made if there is none"),
                prefix: reader.value("nats.prefix", "buildly".to_owned(), "what subjects begin with"),
            },
            webhooks: Webhooks {
                reach_private: reader.value(
                    "webhooks.reach_private",
                    false,
                    "also this machine, private networks, http://",
                ),
            },
            service: OwnService {
                listen: reader.value("service.listen", "127.0.0.1:0".to_owned(), "of `service run`"),
                jwks: reader.optional("service.jwks", "its keys for tokens, an address or a file"),
                issuer: reader.optional("service.issuer", "the only issuer that it accepts"),
                introspect: reader.optional("service.introspect", "where it asks whether a token holds"),
                max_bytes_per_organization: reader
                    .optional("service.max_bytes_per_organization", "of content in documents"),
            },
        }
    }
}

impl Tokens {
    fn read(reader: &mut Reader) -> Self {
        let default = buildly_core::auth::token::Settings::default();
        Self {
            algorithm: reader.value("tokens.algorithm", default.algorithm, "RS256, ES256 or EdDSA"),
            access_lifetime: reader.value(
                "tokens.access_lifetime",
                default.access_lifetime,
                "of access tokens",
            ),
            refresh_lifetime: reader.value(
                "tokens.refresh_lifetime",
                default.refresh_lifetime,
                "of refresh tokens",
            ),
            key_rotation: reader.value("tokens.key_rotation", default.key_rotation, "how long a key signs"),
        }
    }
}

impl Smtp {
    fn read(reader: &mut Reader) -> Self {
        Self {
            host: reader.optional("smtp.host", "mail server; without one mails are files"),
            port: reader.value("smtp.port", 587, "its port"),
            username: reader.optional("smtp.username", "its account"),
            password: reader.optional("smtp.password", "the account's password"),
            authorities: reader.optional("smtp.authorities", "PEM file of more trusted authorities"),
            encryption: reader.value("smtp.encryption", MailEncryption::StartTls, "starttls, tls or none"),
            from: reader.value("smtp.from", "Buildly <buildly@localhost>".to_owned(), "the sender"),
        }
    }
}

impl Limits {
    fn read(reader: &mut Reader) -> Self {
        let seconds = Duration::from_secs;
        Self {
            body_bytes_max: reader.value("limits.body_bytes_max", 1_000_000, "of a body to the core"),
            body_timeout: reader.value("limits.body_timeout", seconds(30), "for such a body"),
            head_bytes_max: reader.at_least("limits.head_bytes_max", 64 * 1024, 8192, "of line and headers"),
            head_timeout: reader.value("limits.head_timeout", seconds(30), "for line and headers"),
            body_idle_timeout: reader.value("limits.body_idle_timeout", seconds(30), "between chunks"),
            stop_timeout: reader.at_least(
                "limits.stop_timeout",
                seconds(20),
                seconds(5),
                "for an orderly end",
            ),
            connections_max: reader.at_least("limits.connections_max", 10_000, 1, "open connections"),
            list_rows_max: reader.at_least("limits.list_rows_max", 1000, 1, "rows of a plain list"),
            page_rows_max: reader.at_least("limits.page_rows_max", 1000, 1, "rows of a page"),
            requests_per_second: reader.at_least("limits.requests_per_second", 500, 1, "of a principal"),
        }
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self::read(&mut Reader::new(Sources::default()))
    }
}

fn without_slash(url: String) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests;
