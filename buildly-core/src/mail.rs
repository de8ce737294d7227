//! Delivers mail: by SMTP where a server is configured, else into files.
//!
//! What is promised: a message that was handed over leaves by SMTP or stands as a file in
//! `mail/`, whose path is logged, unless the process is killed while it waits in memory, or more
//! wait than [`QUEUE_LENGTH_MAX`]; then whoever asked for it asks again. A mail server that is away
//! for a while gets it again, [`ATTEMPTS_MAX`] times. Texts hold secret links and are never logged.

#[cfg_attr(feature = "mail", path = "mail/smtp.rs")]
#[cfg_attr(not(feature = "mail"), path = "mail/files.rs")]
mod post;

use std::path::{Path, PathBuf};
use std::time::Duration;

use buildly_auth::identity::{Mail, Mailer};
use buildly_model::{Clock as _, Random as _, Secret, system::System};
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::Error;
use post::Post;

/// How many messages may wait; more are dropped with an error in the log.
const QUEUE_LENGTH_MAX: usize = 1000;
/// How often a message is tried before it becomes a file.
const ATTEMPTS_MAX: u32 = 5;
/// The pause after the first failure; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// How long messages may still leave once the deployment closes; the rest become files.
const CLOSING_MAX: Duration = Duration::from_secs(3);

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
    /// A PEM file of certificate authorities that are trusted beside the public ones.
    pub authorities: Option<PathBuf>,
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

/// Why a message did not leave.
#[cfg_attr(not(feature = "mail"), expect(dead_code, reason = "nothing is sent"))]
enum Trouble {
    /// It can be no message, for example since its address is none.
    Unwritable(String),
    /// The mail server will never take it.
    Refused(String),
    /// The mail server did not take it this time.
    Away(String),
}

/// Hands messages to the task that delivers them.
pub(crate) struct Outbox(mpsc::Sender<Mail>);

impl Mailer for Outbox {
    fn send(&self, mail: Mail) {
        if let Err(refused) = self.0.try_send(mail) {
            let (mpsc::error::TrySendError::Full(mail) | mpsc::error::TrySendError::Closed(mail)) = refused;
            error!(
                subject = mail.subject,
                "a message was dropped: too many wait, or the deployment is closing"
            );
        }
    }
}

/// The other end: delivers one message after the other.
pub(crate) struct Delivery {
    messages: mpsc::Receiver<Mail>,
    /// The one that is being delivered.
    current: Option<Mail>,
    post: Post,
    folder: PathBuf,
}

/// Prepares the delivery of mail.
pub(crate) fn outbox(settings: &MailSettings, folder: &Path) -> Result<(Outbox, Delivery), Error> {
    let post = Post::new(settings)?;
    let (sender, messages) = mpsc::channel(QUEUE_LENGTH_MAX);
    Ok((Outbox(sender), Delivery { messages, current: None, post, folder: folder.to_path_buf() }))
}

impl Delivery {
    /// Delivers until the deployment closes, and what waits then for at most [`CLOSING_MAX`];
    /// what has not left by SMTP until then becomes files.
    pub(crate) async fn run(mut self, stop: watch::Receiver<bool>) {
        let mut closing = stop.clone();
        tokio::select! {
            () = self.deliver_all(stop) => return,
            () = async {
                // A handle that is gone counts, too.
                drop(closing.wait_for(|stop| *stop).await);
                tokio::time::sleep(CLOSING_MAX).await;
            } => {}
        }
        self.messages.close();
        let current = self.current.take();
        let waiting = std::iter::from_fn(|| self.messages.try_recv().ok());
        for mail in current.into_iter().chain(waiting).collect::<Vec<_>>() {
            self.keep(&mail, "the deployment closes").await;
        }
    }

    /// Ends when nothing waits any more and nothing more can come.
    async fn deliver_all(&mut self, mut stop: watch::Receiver<bool>) {
        let mut is_closing = false;
        loop {
            let mail = tokio::select! {
                biased;
                mail = self.messages.recv() => mail,
                _ = stop.wait_for(|stop| *stop), if !is_closing => {
                    is_closing = true;
                    self.messages.close();
                    continue;
                }
            };
            let Some(mail) = mail else { return };
            self.current = Some(mail.clone());
            self.deliver(&mail).await;
            self.current = None;
        }
    }

    async fn deliver(&self, mail: &Mail) {
        if !self.post.has_server() {
            return self.keep(mail, "no mail server is configured").await;
        }
        let subject = mail.subject.as_str();
        let mut pause = PAUSE_FIRST;
        for attempt in 1..=ATTEMPTS_MAX {
            match self.post.send(mail).await {
                Ok(()) => return info!(subject, attempt, "mail sent"),
                Err(Trouble::Unwritable(error)) => {
                    return warn!(subject, %error, "a message cannot be written");
                }
                Err(Trouble::Refused(error)) => {
                    error!(subject, attempt, %error, "the mail server refuses a message");
                    return self.keep(mail, "the mail server refuses it").await;
                }
                Err(Trouble::Away(error)) => warn!(subject, attempt, %error, "mail could not be sent"),
            }
            if attempt < ATTEMPTS_MAX {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        error!(subject, attempts = ATTEMPTS_MAX, "mail could not be sent");
        self.keep(mail, "the mail server does not take it").await;
    }

    /// Puts a message into a file; the operator, who can read the folder, can send it on.
    async fn keep(&self, mail: &Mail, reason: &'static str) {
        let subject = mail.subject.as_str();
        let message = match self.post.write(mail) {
            Ok(message) => message,
            Err(error) => return warn!(subject, %error, "a message cannot be written"),
        };
        let name = format!("{}-{:016x}.eml", System.now().as_microseconds(), System.number());
        let path = self.folder.join(name);
        match tokio::fs::write(&path, message).await {
            Ok(()) => info!(subject, path = %path.display(), reason, "the message is in this file"),
            Err(error) => {
                error!(subject, path = %path.display(), reason, %error, "mail could not be written")
            }
        }
    }
}
