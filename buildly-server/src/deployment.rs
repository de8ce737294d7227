//! Opens the deployment that the configuration describes.

use buildly_core::auth::identity;
use buildly_core::auth::token::{self, DeploymentKey};
use buildly_core::gateway::{RateLimit, RateLimits};
use buildly_core::{Builder, Buildly, MailSettings, Postgres, Settings, SmtpEncryption, SmtpSettings};
use buildly_model::Secret;

use crate::compat::CoreRecords;
use crate::configuration::{Configuration, MailEncryption, Nats, Smtp};
use crate::server::cors_policy;

/// Opens the deployment that the configuration describes.
///
/// # Errors
/// [`buildly_core::Error`] says what is in the way.
pub async fn open(configuration: &Configuration) -> Result<Buildly, buildly_core::Error> {
    open_with(configuration, settings(configuration)?).await
}

/// Opens it for one command, which works for no run: calls of services are a server's.
///
/// # Errors
/// As [`open`].
pub async fn open_for_command(configuration: &Configuration) -> Result<Buildly, buildly_core::Error> {
    open_with(configuration, Settings { works_for_runs: false, ..settings(configuration)? }).await
}

async fn open_with(
    configuration: &Configuration,
    settings: Settings,
) -> Result<Buildly, buildly_core::Error> {
    let works_for_runs = settings.works_for_runs;
    let mut builder = Buildly::builder().folder(&configuration.data_dir).settings(settings);
    if let Some(url) = &configuration.database_url {
        builder = builder.storage(Postgres::connect_in(url.expose(), &configuration.database_schema).await?);
    }
    if let Some(url) = configuration.nats.url.as_ref().filter(|_| works_for_runs) {
        builder = carried_to_nats(builder, url, &configuration.nats).await?;
    }
    let buildly = builder.build().await?;
    buildly
        .attach_local_records(Box::new(CoreRecords::new(buildly.auth().clone(), buildly.levels().clone())));
    Ok(buildly)
}

#[cfg(feature = "nats")]
async fn carried_to_nats(
    builder: Builder,
    url: &Secret,
    nats: &Nats,
) -> Result<Builder, buildly_core::Error> {
    let settings = buildly_extension_nats::Settings {
        url: url.clone(),
        stream: nats.stream.clone(),
        prefix: nats.prefix.clone(),
    };
    let connected = buildly_extension_nats::Nats::connect(settings).await;
    let refused = |error: buildly_extension_nats::Error| buildly_core::Error::Setting {
        setting: "nats.url",
        reason: error.to_string(),
    };
    Ok(builder.transport(connected.map_err(refused)?))
}

#[cfg(not(feature = "nats"))]
async fn carried_to_nats(_: Builder, _: &Secret, _: &Nats) -> Result<Builder, buildly_core::Error> {
    Err(buildly_core::Error::Setting {
        setting: "nats.url",
        reason: "this program was built without NATS; build it with `--features nats`".to_owned(),
    })
}

fn settings(configuration: &Configuration) -> Result<Settings, buildly_core::Error> {
    let usual = Settings::default();
    let deployment_key = configuration.deployment_key.as_ref().map(|key| {
        DeploymentKey::from_hexadecimal(key.expose()).ok_or(buildly_core::Error::Setting {
            setting: "deployment_key",
            reason: "expected 64 hexadecimal digits".to_owned(),
        })
    });
    let limits = &configuration.limits;
    Ok(Settings {
        public_url: configuration.public_url.clone(),
        tokens: token::Settings {
            algorithm: configuration.tokens.algorithm,
            access_lifetime: configuration.tokens.access_lifetime,
            refresh_lifetime: configuration.tokens.refresh_lifetime,
            key_rotation: configuration.tokens.key_rotation,
            ..usual.tokens
        },
        identity: identity::Settings {
            frontend_url: configuration.front_end_url.clone().unwrap_or(usual.identity.frontend_url),
            registration_is_open: configuration.registration_open,
            support_email: configuration.support_email.clone(),
            rows_max: limits.list_rows_max,
            ..usual.identity
        },
        mail: mail(&configuration.smtp),
        rate_limits: RateLimits {
            principal: Some(RateLimit::per_second(limits.requests_per_second)),
            ..usual.rate_limits
        },
        secrets: configuration.secrets_dir.clone(),
        cors: cors_policy(configuration),
        deployment_key: deployment_key.transpose()?,
        trust: configuration.trust(),
        works_for_runs: usual.works_for_runs,
        workflow: usual.workflow,
        webhooks_reach_private: configuration.webhooks.reach_private,
    })
}

fn mail(smtp: &Smtp) -> MailSettings {
    let server = smtp.host.as_ref().map(|host| SmtpSettings {
        host: host.clone(),
        port: smtp.port,
        encryption: match smtp.encryption {
            MailEncryption::StartTls => SmtpEncryption::StartTls,
            MailEncryption::Tls => SmtpEncryption::Tls,
            MailEncryption::None => SmtpEncryption::None,
        },
        username: smtp.username.clone(),
        password: smtp.password.clone(),
        authorities: smtp.authorities.clone(),
    });
    MailSettings { from: smtp.from.clone(), smtp: server }
}
