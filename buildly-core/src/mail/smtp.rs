//! Messages by SMTP (RFC 5321).

use std::time::Duration;

use buildly_auth::identity::Mail;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::{MailSettings, SmtpEncryption, SmtpSettings, Trouble};
use crate::Error;

/// How long the mail server may take for one message.
const SMTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Writes messages, and sends them where a server is configured.
pub(super) struct Post {
    from: Mailbox,
    smtp: Option<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Post {
    pub(super) fn new(settings: &MailSettings) -> Result<Self, Error> {
        let wrong = |setting, reason: String| Error::Setting { setting, reason };
        let from = settings.from.parse();
        let from =
            from.map_err(|error: lettre::address::AddressError| wrong("mail.from", error.to_string()))?;
        let smtp = settings.smtp.as_ref().map(transport).transpose();
        Ok(Self { from, smtp: smtp.map_err(|reason| wrong("mail.smtp", reason))? })
    }

    pub(super) const fn has_server(&self) -> bool {
        self.smtp.is_some()
    }

    pub(super) async fn send(&self, mail: &Mail) -> Result<(), Trouble> {
        let smtp =
            self.smtp.as_ref().ok_or_else(|| Trouble::Refused("there is no mail server".to_owned()))?;
        let message = self.message(mail).map_err(Trouble::Unwritable)?;
        match smtp.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Trouble::Refused(error.to_string())),
            Err(error) => Err(Trouble::Away(error.to_string())),
        }
    }

    /// The message as it stands in a file (RFC 5322).
    pub(super) fn write(&self, mail: &Mail) -> Result<Vec<u8>, String> {
        Ok(self.message(mail)?.formatted())
    }

    fn message(&self, mail: &Mail) -> Result<Message, String> {
        let to = mail.to.parse().map_err(|error: lettre::address::AddressError| error.to_string())?;
        let builder = Message::builder().from(self.from.clone()).to(to).subject(&mail.subject);
        builder.body(mail.text.clone()).map_err(|error| error.to_string())
    }
}

fn transport(smtp: &SmtpSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let mut parameters = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.authorities {
        let pem = std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        let authority = Certificate::from_pem(&pem);
        let authority =
            authority.map_err(|error| format!("`{}` holds no PEM certificate: {error}", path.display()))?;
        parameters = parameters.add_root_certificate(authority);
    }
    let parameters = parameters.build().map_err(|error| error.to_string())?;
    let tls = match smtp.encryption {
        SmtpEncryption::None => Tls::None,
        SmtpEncryption::Tls => Tls::Wrapper(parameters),
        SmtpEncryption::StartTls => Tls::Required(parameters),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(SMTP_TIMEOUT));
    Ok(match (&smtp.username, &smtp.password) {
        (Some(username), Some(password)) => {
            builder.credentials(Credentials::new(username.clone(), password.expose().to_owned())).build()
        }
        _ => builder.build(),
    })
}
