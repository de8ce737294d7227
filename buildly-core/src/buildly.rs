//! The handle that applications hold.

use std::path::PathBuf;
use std::sync::Arc;

use buildly_auth::Auth;
use buildly_auth::token::{DeploymentKey, Signing};
use buildly_extension::{Deliveries, Webhooks};
use buildly_gateway::Gateway;
use buildly_gateway::traffic::limits::Limits;
use buildly_gateway_http::{Client, Connection, MachineSecrets, Options};
use buildly_mesh::{LocalRecords, Mesh};
use buildly_model::system::System;
use buildly_model::{Body, Clock, Random, ServiceClient, StoreError};
use buildly_unit::Storage;
use buildly_workflow::levels::Levels;
use buildly_workflow::{Bells, Engine, Workflow};
use http::{Request, Response};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::carrying::{Carrier, Touched};
use crate::commits::{CommitTogether, Commits, Together};
use crate::data_plane::{DataPlane, JoinedCalls};
use crate::extensions::Extensions;
use crate::follower::Follower;
use crate::freshness::Freshness;
use crate::local_records::AttachedRecords;
use crate::performing::{Calls, WorkflowAccess};
use crate::reading::Reading;
use crate::rights::Rights;
use crate::snapshot::{Hot, Snapshot};
use crate::streams::Streams;
use crate::tasks::Tasks;
use crate::webhooks::{Administrators, DerivedSecrets, Network};
use crate::{Builder, Error, Folder, Journal, Settings, keeping, mail, partners};

/// A running deployment, or one node of it; cheap to clone.
///
/// It runs on the host's tokio runtime. [`Buildly::close`] ends what it started.
#[derive(Clone)]
pub struct Buildly {
    inner: Arc<Inner>,
}

struct Inner {
    folder: Folder,
    storage: Arc<dyn Storage>,
    journal: Journal,
    hot: Arc<Hot>,
    commits: Commits,
    freshness: Arc<Freshness>,
    data_plane: DataPlane,
    client: Client,
    workflow: Workflow,
    levels: Levels,
    webhooks: Webhooks,
    local_records: Arc<AttachedRecords>,
    /// What works for runs: it ends first, since it writes until its calls have ended.
    working: Tasks,
    tasks: Tasks,
}

impl Buildly {
    /// Begins to say how a deployment is opened.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Opens the embedded default: one folder with one SQLite file.
    ///
    /// # Errors
    /// [`Error`] if the folder cannot be used or is in use by another process.
    pub async fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::builder().folder(folder).build().await
    }

    pub(crate) async fn start(
        folder: Folder,
        storage: Arc<dyn Storage>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        extensions: Extensions,
    ) -> Result<Self, Error> {
        let guards = extensions.guards()?;
        let mut transports = extensions.transports;
        let random: Arc<dyn Random> = Arc::new(System);
        let (hot, wanted) = Hot::new();
        let (stop, stopped) = watch::channel(false);
        let reading = Arc::new(Reading::new());
        let apart = storage.apart().unwrap_or_else(|| storage.clone());
        let freshness = Arc::new(Freshness::new(apart.clone(), hot.clone(), clock.clone(), reading.clone()));
        let commits = Commits { storage: storage.clone(), hot: hot.clone(), freshness: freshness.clone() };
        let client = Client::new(Options {
            clock: clock.clone(),
            secrets: Arc::new(MachineSecrets::new(
                settings.secrets.clone().unwrap_or_else(|| folder.secrets()),
            )),
            trust: settings.trust.clone(),
            extra_roots: Vec::new(),
        })
        .map_err(|error| Error::Setting { setting: "tls", reason: error.to_string() })?;
        let streams = Arc::new(Streams::new(client.clone(), hot.clone(), clock.clone()));
        let bells = Arc::new(Bells::default());
        // One for each transport that is given, and one for webhooks.
        let touched: Vec<Arc<Touched>> = (0..=transports.len()).map(|_| Arc::default()).collect();
        let follower = Follower {
            storage: apart,
            hot: hot.clone(),
            guards,
            client: client.clone(),
            streams: streams.clone(),
            bells: bells.clone(),
            touched: touched.clone(),
            wanted,
            reading,
            stop: stopped.clone(),
        };
        let (outbox, delivery) = mail::outbox(&settings.mail, &folder.mail())?;
        let deployment_key = match settings.deployment_key {
            Some(key) => key,
            None => DeploymentKey::from_bytes(folder.deployment_key(random.as_ref())?),
        };
        let webhook_secrets = DerivedSecrets(deployment_key.clone());
        let auth = Auth::new(buildly_auth::Parts {
            store: storage.clone(),
            commits: Arc::new(commits.clone()),
            snapshots: hot.clone(),
            clock: clock.clone(),
            random: random.clone(),
            signing: Signing::new(deployment_key, settings.tokens),
        })
        .with_settings(settings.identity)
        .with_mailer(Arc::new(outbox));
        partners::attach(extensions.partners, &client, &auth)?;
        let gateway = Gateway::new(buildly_gateway::Parts {
            store: storage.clone(),
            commits: Arc::new(commits.clone()),
            snapshots: hot.clone(),
            access: Arc::new(Rights { hot: hot.clone() }),
            source: Arc::new(client.clone()),
            clock: clock.clone(),
            random: random.clone(),
        });
        let local_records = Arc::new(AttachedRecords::default());
        let limits = Arc::new(Limits::default());
        let counted: Arc<dyn ServiceClient> = Arc::new(JoinedCalls {
            hot: hot.clone(),
            client: client.clone(),
            limits: limits.clone(),
            clock: clock.clone(),
        });
        let mesh = Mesh::new(buildly_mesh::Parts {
            store: storage.clone(),
            commits: Arc::new(commits.clone()),
            views: hot.clone(),
            client: counted.clone(),
            local: local_records.clone(),
            clock: clock.clone(),
            random: random.clone(),
        });
        let workflow = Workflow::new(buildly_workflow::Parts {
            store: storage.clone(),
            work: storage.clone(),
            commits: Arc::new(commits.clone()),
            access: Arc::new(WorkflowAccess { hot: hot.clone(), gateway: gateway.clone() }),
            bells,
            clock: clock.clone(),
            random: random.clone(),
        });
        let levels = Levels::new(workflow.clone(), storage.clone());
        let webhook_parts = buildly_extension::Parts {
            store: storage.clone(),
            history: storage.clone(),
            commits: Arc::new(commits.clone()),
            access: Arc::new(Administrators(auth.clone())),
            post: Arc::new(Network::new(settings.webhooks_reach_private)?),
            secrets: Arc::new(webhook_secrets),
            clock: clock.clone(),
            random: random.clone(),
        };
        let webhooks = Webhooks::new(webhook_parts.clone());
        transports.push(Arc::new(Deliveries::new(webhook_parts)));
        let engine = Engine {
            workflow: workflow.clone(),
            services: Arc::new(Calls {
                hot: hot.clone(),
                auth: auth.clone(),
                gateway: gateway.clone(),
                mesh: mesh.clone(),
                client: counted,
                clock: clock.clone(),
            }),
            owner: {
                let freshness = freshness.clone();
                Arc::new(move || freshness.lease())
            },
            settings: settings.workflow,
        };

        let position = freshness.begin(follower.load()).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(follower.follow(position));
        tasks.spawn(freshness.clone().keep(stopped.clone()));
        tasks.spawn(streams.keep(freshness.clone(), stopped.clone()));
        tasks.spawn(delivery.run(stopped.clone()));
        tasks.spawn(keeping::keep_tokens(auth.clone(), clock.clone(), stopped.clone()));
        let issuer = settings.public_url.as_deref().unwrap_or(buildly_auth::token::ISSUER_DEFAULT);
        auth.issue_as(issuer).await?;
        let (stop_working, stopped_working) = watch::channel(false);
        let mut working = JoinSet::new();
        if settings.works_for_runs {
            for (transport, touched) in transports.into_iter().zip(touched) {
                let (freshness, storage) = (freshness.clone(), storage.clone());
                let owner = Arc::new(move || freshness.lease());
                let (clock, random) = (clock.clone(), random.clone());
                let carrier = Carrier { transport, storage, owner, clock, random, touched };
                tasks.spawn(carrier.run(stopped.clone()));
            }
            working.spawn(engine.run(stopped_working));
        }

        let data_plane = DataPlane {
            hot: hot.clone(),
            freshness: freshness.clone(),
            auth,
            gateway,
            mesh,
            services: Arc::new(client.clone()),
            limits,
            rate_limits: settings.rate_limits,
            cors: settings.cors,
            trust: settings.trust,
            clock,
            random,
        };
        let journal = Journal::new(storage.clone(), folder.clone(), data_plane.clock.clone());
        let inner = Inner {
            folder,
            storage,
            journal,
            hot,
            commits,
            freshness,
            data_plane,
            client,
            workflow,
            levels,
            webhooks,
            local_records,
            working: Tasks::new(stop_working, working),
            tasks: Tasks::new(stop, tasks),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Identity, tokens and permissions.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.inner.data_plane.auth
    }

    /// Services, routes and policies.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.inner.data_plane.gateway
    }

    /// The operations on services, each of which writes these parts with its own, all or nothing.
    #[must_use]
    pub fn gateway_with(&self, with: Together) -> Gateway {
        let commits = CommitTogether { commits: self.inner.commits.clone(), with };
        self.gateway().committing(Arc::new(commits))
    }

    /// Record types, relationships and joins.
    #[must_use]
    pub fn mesh(&self) -> &Mesh {
        &self.inner.data_plane.mesh
    }

    /// Templates, runs, people's tasks and signals.
    #[must_use]
    pub fn workflow(&self) -> &Workflow {
        &self.inner.workflow
    }

    /// The levels of Buildly Core 1.2.0: what old clients call workflows.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.inner.levels
    }

    /// Webhooks: events of an organization, sent to addresses that its administrators name.
    #[must_use]
    pub fn webhooks(&self) -> &Webhooks {
        &self.inner.webhooks
    }

    /// The audit trail, and the proof that it holds.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.inner.folder
    }

    /// What calls services, and what it has observed of them.
    #[must_use]
    pub fn services(&self) -> &Client {
        &self.inner.client
    }

    /// The snapshot now; take it once where a request enters.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.hot.load()
    }

    /// Answers a request for a service behind the gateway: who is asking, may it, where does
    /// it go, and with `?join` which records belong to it.
    ///
    /// A server in front puts a [`Peer`](buildly_gateway::traffic::forwarded::Peer) into the
    /// request's extensions, so that limits and `Forwarded` know the client's address.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        self.inner.data_plane.answer(request).await
    }

    /// Whether this node may answer now.
    ///
    /// # Errors
    /// [`StoreError::Behind`] while it is out of touch with the other nodes: refuse requests.
    pub fn require_fresh(&self) -> Result<(), StoreError> {
        self.inner.freshness.require()
    }

    /// Reaches service instances at this host and port through `connection`, such as a handler in
    /// this process.
    pub fn attach_service(&self, authority: &str, connection: Arc<dyn Connection>) {
        self.inner.client.attach(authority, connection);
    }

    /// Lets the mesh read the core's own records as the API shows them; the first reader stays.
    pub fn attach_local_records(&self, reader: Box<dyn LocalRecords>) {
        let _ = self.inner.local_records.0.set(reader);
    }

    /// Calls a service as everything else does: with turns, deadlines, bounds and retries.
    #[must_use]
    pub fn service_client(&self) -> Arc<dyn ServiceClient> {
        Arc::new(self.inner.client.clone())
    }

    /// The one way in which anything is written.
    pub(crate) fn commits(&self) -> &Commits {
        &self.inner.commits
    }

    /// Copies the whole state as it is at one moment to a new file, while it is in use.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file exists or cannot be written, or if the storage
    /// has a better way of its own, which the sentence names.
    pub async fn backup(&self, target: impl Into<PathBuf>) -> Result<(), StoreError> {
        self.inner.storage.backup(target.into()).await
    }

    /// Ends the tasks of this handle and its clones; what was acknowledged is on disk.
    pub async fn close(&self) {
        // What is written is waited for until the follower has seen it, so that ends after.
        self.inner.working.end().await;
        self.inner.tasks.end().await;
        self.inner.client.close().await;
        self.inner.storage.close().await;
    }
}
