//! Delivers mail: by SMTP where a server is configured, else into files.

use std::path::{Path, PathBuf};

use buildly_auth::identity::{Mail, Mailer};
use buildly_model::{Clock as _, Random as _, Secret, system::System};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::Error;

/// How many messages may wait; more are dropped with an error in the log.
const QUEUE_LENGTH_MAX: usize = 1000;

/// Where mail goes, and from whom it is.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The sender, such as `Buildly <no-reply@example.org>`.
    pub from: String,
    /// The server; without one, messages become files in `mail/` of the data folder.
    pub smtp: Option<SmtpSettings>,
}

/// A mail server (RFC 5321).
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether and when the connection is encrypted.
    pub encryption: SmtpEncryption,
    /// Who signs in, if anybody.
    pub username: Option<String>,
    /// With which password.
    pub password: Option<Secret>,
}

/// Whether and when a connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpEncryption {
    /// It begins in the clear and must then be encrypted (RFC 3207).
    StartTls,
    /// It is encrypted from the first byte (RFC 8314).
    Tls,
    /// Never; only for a relay on this machine.
    None,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self { from: "Buildly <no-reply@localhost>".to_owned(), smtp: None }
    }
}

/// Hands messages to the task that delivers them.
pub(crate) struct Outbox(mpsc::Sender<Mail>);

impl Mailer for Outbox {
    fn send(&self, mail: Mail) {
        if self.0.try_send(mail).is_err() {
            error!("a message was dropped: too many wait, or the deployment is closing");
        }
    }
}

/// The other end: delivers one message after the other.
pub(crate) struct Delivery {
    messages: mpsc::Receiver<Mail>,
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Files(PathBuf),
}

/// Prepares the delivery of mail.
pub(crate) fn outbox(settings: &MailSettings, folder: &Path) -> Result<(Outbox, Delivery), Error> {
    let wrong =
        |setting, error: &dyn std::error::Error| Error::Setting { setting, reason: error.to_string() };
    let from = settings.from.parse().map_err(|error| wrong("mail.from", &error))?;
    let way = match &settings.smtp {
        None => Way::Files(folder.to_path_buf()),
        Some(smtp) => Way::Smtp(Box::new(transport(smtp).map_err(|error| wrong("mail.smtp", &error))?)),
    };
    let (sender, messages) = mpsc::channel(QUEUE_LENGTH_MAX);
    Ok((Outbox(sender), Delivery { messages, from, way }))
}

fn transport(
    smtp: &SmtpSettings,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let builder = match smtp.encryption {
        SmtpEncryption::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host),
        SmtpEncryption::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&smtp.host)?,
        SmtpEncryption::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&smtp.host)?,
    };
    let builder = builder.port(smtp.port);
    Ok(match (&smtp.username, &smtp.password) {
        (Some(username), Some(password)) => {
            builder.credentials(Credentials::new(username.clone(), password.expose().to_owned())).build()
        }
        _ => builder.build(),
    })
}

impl Delivery {
    /// Delivers until the deployment closes; what waits then is still delivered.
    pub(crate) async fn run(mut self, mut stop: tokio::sync::watch::Receiver<bool>) {
        loop {
            let mail = tokio::select! {
                biased;
                mail = self.messages.recv() => mail,
                _ = stop.wait_for(|stop| *stop) => self.messages.try_recv().ok(),
            };
            let Some(mail) = mail else { return };
            self.deliver(&mail).await;
        }
    }

    async fn deliver(&self, mail: &Mail) {
        let subject = mail.subject.as_str();
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(error) => return warn!(subject, %error, "a message cannot be written"),
        };
        match &self.way {
            Way::Smtp(transport) => match transport.send(message).await {
                Ok(_) => info!(subject, "mail sent"),
                Err(error) => error!(subject, %error, "mail could not be sent"),
            },
            Way::Files(folder) => {
                let name = format!("{}-{:016x}.eml", System.now().as_microseconds(), System.number());
                let path = folder.join(name);
                match tokio::fs::write(&path, message.formatted()).await {
                    Ok(()) => {
                        info!(subject, path = %path.display(), "no mail server is configured: the message is in this file")
                    }
                    Err(error) => {
                        error!(subject, path = %path.display(), %error, "mail could not be written")
                    }
                }
            }
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
        let to: Mailbox = mail.to.parse()?;
        Ok(Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            .body(mail.text.clone())?)
    }
}
