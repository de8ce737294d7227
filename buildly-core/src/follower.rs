//! The follower: turns the journal's feed into the next snapshot.
//!
//! One task reads the feed in order, reads again only what the events touched, and swaps
//! the snapshot. Nobody else publishes, so what a request sees never goes backwards.

use std::sync::Arc;
use std::time::Duration;

use buildly_auth::security::Guards;
use buildly_gateway_http::Client;
use buildly_journal::{FeedEvent, FeedPosition};
use buildly_model::{Revision, StoreError};
use buildly_unit::Storage;
use buildly_workflow::Bells;
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use crate::carrying::Touched;
use crate::reading::Reading;
use crate::snapshot::{Hot, OrganizationWanted, Snapshot};
use crate::streams::Streams;

/// Without any sign of a change the feed is looked at this often all the same.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How many events are read at once.
const EVENTS_MAX: u32 = 1000;
/// How long to wait after the storage failed, before trying again.
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(100);

/// What the follower works with.
pub(crate) struct Follower {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) hot: Arc<Hot>,
    /// Come into every snapshot.
    pub(crate) guards: Guards,
    /// Gets new services.
    pub(crate) client: Client,
    /// Has those ended whose right has ended.
    pub(crate) streams: Arc<Streams>,
    /// Wakes who works for runs, and who waits for them.
    pub(crate) bells: Arc<Bells>,
    /// Wakes who carries events out.
    pub(crate) touched: Vec<Arc<Touched>>,
    pub(crate) wanted: mpsc::Receiver<OrganizationWanted>,
    /// What the lease's keeper asks for, and is told.
    pub(crate) reading: Arc<Reading>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Follower {
    /// Reads everything anew and publishes it; where the feed goes on from.
    pub(crate) async fn load(&self) -> Result<FeedPosition, StoreError> {
        let position = self.storage.feed_end().await?;
        let auth_store: Arc<dyn buildly_auth::Store> = self.storage.clone();
        let gateway_store: Arc<dyn buildly_gateway::Store> = self.storage.clone();
        let mesh_store: Arc<dyn buildly_mesh::Store> = self.storage.clone();
        let mut auth = buildly_auth::Snapshot {
            identity: buildly_auth::identity::Snapshot::load(&auth_store).await?,
            token: buildly_auth::token::Snapshot::load(&auth_store).await?,
            guards: self.guards.clone(),
        };
        // Else members with streams open would be taken for strangers.
        for organization in self.streams.organizations() {
            auth = auth.load_organization(organization, &auth_store).await?;
        }
        let gateway = buildly_gateway::Snapshot::load(&gateway_store).await?;
        let mesh = buildly_mesh::Snapshot::load(&mesh_store).await?;
        self.client.follow(&gateway);
        self.hot.publish(Snapshot {
            revision: position.revision,
            auth: Arc::new(auth),
            gateway: Arc::new(gateway),
            gateway_revision: position.revision,
            mesh: Arc::new(mesh),
        });
        self.reading.saw_end();
        Ok(position)
    }

    /// Follows the feed until told to stop.
    pub(crate) async fn follow(mut self, mut position: FeedPosition) {
        let mut requests = self.reading.requests();
        while !*self.stop.borrow() {
            // However many organizations are wanted, the feed is followed.
            if self.reading.silence() >= LOOK_INTERVAL {
                self.catch_up(&mut position).await;
            }
            tokio::select! {
                biased;
                _ = self.stop.changed() => {}
                Ok(()) = requests.changed() => {
                    if let Some(request) = self.reading.next_request(&mut requests) {
                        self.load_again(&mut position, request).await;
                    }
                }
                Some(wanted) = self.wanted.recv() => self.load_organization(wanted).await,
                () = self.storage.feed_changed(LOOK_INTERVAL) => self.catch_up(&mut position).await,
            }
        }
    }

    async fn load_again(&self, position: &mut FeedPosition, request: u64) {
        let loaded = self.load().await;
        self.reading.end(request, loaded.is_ok());
        match loaded {
            Ok(loaded) => {
                self.streams.judge_all();
                self.touched.iter().for_each(|touched| touched.tell_all());
                *position = loaded;
                info!(revision = %loaded.revision, "state read anew after this node was out of touch");
            }
            Err(error) => warn!(%error, "state could not be read anew"),
        }
    }

    async fn load_organization(&self, wanted: OrganizationWanted) {
        let current = self.hot.load();
        if current.auth.has_organization(wanted.organization) {
            let _ = wanted.loaded.send(Ok(()));
            return;
        }
        let store: Arc<dyn buildly_auth::Store> = self.storage.clone();
        let loaded = current.auth.load_organization(wanted.organization, &store).await.map(|auth| {
            self.hot.publish(Snapshot { auth: Arc::new(auth), ..Snapshot::clone(&current) });
        });
        // Whoever asked may have gone away meanwhile.
        let _ = wanted.loaded.send(loaded);
    }

    async fn catch_up(&self, position: &mut FeedPosition) {
        loop {
            match self.apply_page(position).await {
                Ok(true) => {}
                Ok(false) => return self.reading.saw_end(),
                Err(error) => {
                    warn!(%error, "the journal's feed cannot be followed; trying again");
                    tokio::time::sleep(PAUSE_AFTER_FAULT).await;
                    return;
                }
            }
        }
    }

    /// Applies one page; says whether there may be more.
    async fn apply_page(&self, position: &mut FeedPosition) -> Result<bool, StoreError> {
        let page = self.storage.read_feed(*position, EVENTS_MAX).await?;
        let current = self.hot.load();
        let revision = page.complete_to.max(current.revision);
        if page.events.is_empty() {
            if revision > current.revision {
                self.hot.publish(Snapshot { revision, ..Snapshot::clone(&current) });
            }
            *position = page.next;
            return Ok(false);
        }
        let next = self.next_snapshot(&current, &page.events, revision).await?;
        debug!(%revision, events = page.events.len(), "snapshot moved on");
        if !Arc::ptr_eq(&current.gateway, &next.gateway) {
            self.client.follow(&next.gateway);
        }
        self.hot.publish(next);
        self.streams.follow(&page.events);
        self.tell_of_runs(&page.events);
        self.touched.iter().for_each(|touched| touched.tell(&page.events));
        *position = page.next;
        Ok(page.events.len() >= EVENTS_MAX as usize)
    }

    /// What another node has written is work for this one, too.
    fn tell_of_runs(&self, events: &[FeedEvent]) {
        for event in events.iter().filter(|event| event.kind.starts_with("workflow.")) {
            if let Ok(run) = event.subject.parse() {
                self.bells.heard_of(run, event.kind == buildly_workflow::FINISHED);
            }
        }
    }

    async fn next_snapshot(
        &self,
        current: &Snapshot,
        events: &[FeedEvent],
        revision: Revision,
    ) -> Result<Snapshot, StoreError> {
        let mut next = Snapshot { revision, ..current.clone() };
        let auth = of_area(events, "auth.");
        if !auth.is_empty() {
            let store: Arc<dyn buildly_auth::Store> = self.storage.clone();
            next.auth = Arc::new(buildly_auth::Snapshot {
                identity: current.auth.identity.follow(&auth, &store).await?,
                token: current.auth.token.follow(&auth, &store).await?,
                guards: current.auth.guards.clone(),
            });
        }
        let gateway = of_area(events, "gateway.");
        if !gateway.is_empty() {
            let store: Arc<dyn buildly_gateway::Store> = self.storage.clone();
            next.gateway = Arc::new(current.gateway.follow(&gateway, &store).await?);
            next.gateway_revision = revision;
        }
        let mesh = of_area(events, "mesh.");
        if !mesh.is_empty() {
            let store: Arc<dyn buildly_mesh::Store> = self.storage.clone();
            next.mesh = Arc::new(current.mesh.follow(&mesh, &store).await?);
        }
        Ok(next)
    }
}

fn of_area(events: &[FeedEvent], prefix: &str) -> Vec<FeedEvent> {
    events.iter().filter(|event| event.kind.starts_with(prefix)).cloned().collect()
}
