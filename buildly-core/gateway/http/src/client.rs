//! The client: the services of the snapshot, and everything a call needs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use buildly_gateway::Snapshot;
use buildly_gateway::traffic::forwarded::Trust;
use buildly_model::{
    Body, CallError, Clock, OrganizationId, Principal, ServiceCall, ServiceClient, ServiceId,
};
use http::{Method, Response};
use rustls::pki_types::CertificateDer;

use crate::connection::Connection;
use crate::exchange;
use crate::live::{InstanceHealth, Live, Surroundings};
use crate::open_streams::{OpenStreams, StreamJudge};
use crate::secrets::Secrets;
use crate::transport::{TlsError, Transports};
use crate::tunnel::Tunnels;

/// What a client needs from outside.
pub struct Options {
    /// Time, for decisions; waits use tokio's.
    pub clock: Arc<dyn Clock>,
    /// Where services' own credentials come from.
    pub secrets: Arc<dyn Secrets>,
    /// Which proxies before us are believed about the client.
    pub trust: Trust,
    /// Certificates of authorities that are trusted beside those of the web.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// Calls services; cheap to clone. Needs a tokio runtime.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) trust: Trust,
    pub(crate) streams: Arc<OpenStreams>,
    pub(crate) tunnels: Tunnels,
    pub(crate) transports: Transports,
    live: ArcSwap<Live>,
    secrets: Arc<dyn Secrets>,
    /// Also the lock of whoever replaces `live`.
    connections: Mutex<HashMap<String, Arc<dyn Connection>>>,
}

impl Client {
    /// A client that knows no service yet; let it [follow](Self::follow) a snapshot.
    ///
    /// # Errors
    /// [`TlsError`] if one of the extra roots is no certificate.
    pub fn new(options: Options) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(Shared {
            transports: Transports::new(&options.extra_roots)?,
            clock: options.clock,
            trust: options.trust,
            streams: Arc::default(),
            tunnels: Tunnels::default(),
            live: ArcSwap::default(),
            secrets: options.secrets,
            connections: Mutex::default(),
        })))
    }

    /// Takes the services of a snapshot. Calls and streams under way go on as they began;
    /// what was learned about instances that stay is kept.
    pub fn follow(&self, snapshot: &Snapshot) {
        self.0.replace(|_| {}, |live, surroundings| live.follow(snapshot, surroundings));
    }

    /// Reaches instances whose base URL has this host and port (`crm.localhost`,
    /// `127.0.0.1:8001`) through `connection` in place of a socket.
    pub fn attach(&self, authority: &str, connection: Arc<dyn Connection>) {
        let attach =
            |connections: &mut HashMap<_, _>| drop(connections.insert(authority.to_owned(), connection));
        self.0.replace(attach, Live::rebuilt);
    }

    /// Ends every open stream whose principal may not go on with its call, and says how many.
    /// Ask when a right was taken away; `may_go_on` is asked once a stream.
    pub fn end_streams_unless(&self, may_go_on: impl Fn(&Principal, ServiceId, &Method) -> bool) -> usize {
        self.0.streams.end_unless(may_go_on)
    }

    /// Ends every open stream whose token's time is over by now, and says how many. Ask often:
    /// it looks at no other stream.
    pub fn end_expired_streams(&self) -> usize {
        self.0.streams.end_expired(self.0.clock.now())
    }

    /// The organizations whose members have streams open.
    #[must_use]
    pub fn organizations_with_streams(&self) -> HashSet<OrganizationId> {
        self.0.streams.organizations()
    }

    /// Lets `judge` decide, by the rights of that moment, whether a stream that begins to wait
    /// may go on: so a right that ended while its call was under way ends the stream too. Set
    /// it once, at start; a second one is ignored.
    pub fn judge_streams_by(&self, judge: Arc<StreamJudge>) {
        self.0.streams.set_judge(judge);
    }

    /// How many streams are open: answers that wait for more of their body, and tunnels.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.0.streams.len()
    }

    /// What this node has observed of a service's instances; empty for an unknown service.
    #[must_use]
    pub fn instances(&self, service: ServiceId) -> Vec<InstanceHealth> {
        let now = self.0.clock.now();
        self.0.live.load().find(service).map(|service| service.health(now)).unwrap_or_default()
    }

    /// Calls under way and calls waiting for their turn, of one service.
    #[must_use]
    pub fn load(&self, service: ServiceId) -> (u32, u32) {
        self.0.live.load().find(service).map(|service| service.state.gate.load()).unwrap_or_default()
    }

    /// Ends the tunnels and waits for their tasks.
    pub async fn close(&self) {
        self.0.streams.end_unless(|_, _, _| false);
        self.0.tunnels.close().await;
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    fn replace(
        &self,
        change: impl FnOnce(&mut HashMap<String, Arc<dyn Connection>>),
        next: impl FnOnce(&Live, &Surroundings<'_>) -> Live,
    ) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut connections);
        let surroundings = Surroundings {
            connections: &connections,
            secrets: self.secrets.as_ref(),
            transports: &self.transports,
        };
        let live = next(&self.live.load(), &surroundings);
        self.live.store(Arc::new(live));
    }

    /// The connection that stands for a host and port.
    pub(crate) fn connection(&self, authority: &str) -> Option<Arc<dyn Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).get(authority).cloned()
    }
}

#[async_trait]
impl ServiceClient for Client {
    async fn call(&self, call: ServiceCall) -> Result<Response<Body>, CallError> {
        let service = self.0.live.load().find(call.service).cloned().ok_or(CallError::UnknownService)?;
        exchange::perform(&self.0, &service, call).await
    }
}
