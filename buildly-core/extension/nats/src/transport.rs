//! The transport: one connection, one stream.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use async_trait::async_trait;
use buildly_extension::{Batch, Outcome, Transport};
use buildly_journal::StoredEvent;
use buildly_model::Secret;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use crate::message::{message_of, subject_of};

/// How long one message may take until the stream has it.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(4);
/// After that long no further event of a batch is begun, so that all end in a transport's time.
const BEGIN_WITHIN: Duration = Duration::from_secs(4);
/// For how long the stream remembers the ids of messages; longer than a restart takes.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);

/// Where the journal goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server, such as `nats://127.0.0.1:4222` or `tls://user:password@nats.example.org`.
    pub url: Secret,
    /// The stream. It is made, for `PREFIX.>` and in files, if there is none; one that is there
    /// is left as it is.
    pub stream: String,
    /// What subjects begin with.
    pub prefix: String,
}

/// NATS cannot be used as the settings say.
#[derive(Debug, thiserror::Error)]
#[error("NATS cannot be used: {reason}")]
pub struct Error {
    reason: String,
}

/// Carries the journal to NATS JetStream.
///
/// Positions are kept for each stream and prefix: with others the journal is carried anew.
#[derive(Clone)]
pub struct Nats {
    name: String,
    settings: Settings,
    client: Client,
    context: Context,
    /// Whether the stream is there.
    stream: Arc<OnceCell<()>>,
}

impl Nats {
    /// Connects in the background: a server that is away does not keep a deployment from starting.
    ///
    /// # Errors
    /// [`Error`] if the URL, the prefix or the name of the stream cannot be one.
    pub async fn connect(settings: Settings) -> Result<Self, Error> {
        let refused = |reason: &str| Error { reason: reason.to_owned() };
        if !settings.prefix.split('.').all(is_word) {
            return Err(refused("a prefix has letters, digits, `_` and `-`, with full stops between"));
        }
        if !is_word(&settings.stream) {
            return Err(refused("the name of a stream has letters, digits, `_` and `-`"));
        }
        let options = ConnectOptions::new().name("buildly").retry_on_initial_connect();
        let connected = options.connect(settings.url.expose()).await;
        let client = connected.map_err(|error| Error { reason: error.to_string() })?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ACKNOWLEDGED_WITHIN);
        let name = format!("nats {} {}", settings.stream, settings.prefix);
        Ok(Self { name, settings, client, context, stream: Arc::default() })
    }

    async fn require_stream(&self) -> Result<(), String> {
        let made = self.stream.get_or_try_init(|| async {
            let config = Config {
                name: self.settings.stream.clone(),
                subjects: vec![format!("{}.>", self.settings.prefix)],
                storage: StorageType::File,
                duplicate_window: DUPLICATE_WINDOW,
                ..Config::default()
            };
            self.context.get_or_create_stream(config).await.map(drop)
        });
        within(ACKNOWLEDGED_WITHIN, made).await.map(drop)
    }

    /// Sends one event and waits until the stream has it.
    async fn send(&self, event: &StoredEvent) -> Result<(), String> {
        let (headers, body) = message_of(event, self.client.server_info().max_payload);
        let subject = subject_of(&self.settings.prefix, event);
        let sent = async {
            let sent = self.context.publish_with_headers(subject, headers, body.into()).await?;
            sent.await.map(drop)
        };
        within(ACKNOWLEDGED_WITHIN, sent).await
    }
}

#[async_trait]
impl Transport for Nats {
    fn name(&self) -> &str {
        &self.name
    }

    async fn carry(&self, batch: Batch<'_>) -> Outcome {
        let began = Instant::now();
        if let Err(fault) = self.require_stream().await {
            return Outcome::failed(0, fault);
        }
        for (place, event) in batch.events.iter().enumerate() {
            if began.elapsed() > BEGIN_WITHIN {
                return Outcome { carried: place, fault: None };
            }
            if let Err(fault) = self.send(event).await {
                return Outcome::failed(place, fault);
            }
        }
        Outcome::all(&batch)
    }
}

async fn within<T, E: Display>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match timeout(limit, work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("NATS did not answer within {} s", limit.as_secs())),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
