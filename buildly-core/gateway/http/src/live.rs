//! The services as calls see them: the snapshot's, each with the state that outlives snapshots.

use std::collections::HashMap;
use std::sync::Arc;

use buildly_gateway::traffic::{balance, concurrency, ejection, retry_budget};
use buildly_gateway::{
    BaseUrl, Credential, Instance, InstanceState as Declared, Policy, RegisteredService, Service, Snapshot,
    Version,
};
use buildly_model::{InstanceId, ServiceId, Timestamp};
use http::HeaderValue;

use crate::connection::Connection;
use crate::secrets::{self, Secrets};
use crate::state::{InstanceState, ServiceState};
use crate::transport::{Transport, Transports};

/// All services at one moment.
#[derive(Default)]
pub(crate) struct Live {
    services: HashMap<ServiceId, Arc<LiveService>>,
}

/// A service at one moment.
pub(crate) struct LiveService {
    registered: Arc<RegisteredService>,
    pub(crate) ejection: ejection::Policy,
    pub(crate) retry: retry_budget::Policy,
    pub(crate) concurrency: concurrency::Policy,
    pub(crate) credential: LiveCredential,
    pub(crate) instances: Vec<LiveInstance>,
    pub(crate) state: Arc<ServiceState>,
    pub(crate) transport: Arc<Transport>,
    unversioned: Option<Version>,
}

/// What travels, with the secret found.
pub(crate) enum LiveCredential {
    Forward,
    Own(Option<HeaderValue>),
    None,
}

/// An instance at one moment.
pub(crate) struct LiveInstance {
    pub(crate) id: InstanceId,
    pub(crate) base_url: BaseUrl,
    pub(crate) host: Option<HeaderValue>,
    pub(crate) connection: Option<Arc<dyn Connection>>,
    pub(crate) state: Arc<InstanceState>,
    weight: u16,
    version: Option<Version>,
}

/// What this node has observed of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceHealth {
    /// Which.
    pub instance: InstanceId,
    /// Whether calls leave it out at present.
    pub is_ejected: bool,
}

/// What a new set of services is made from, beside the snapshot.
pub(crate) struct Surroundings<'a> {
    pub(crate) connections: &'a HashMap<String, Arc<dyn Connection>>,
    pub(crate) secrets: &'a dyn Secrets,
    pub(crate) transports: &'a Transports,
}

impl Live {
    /// The services of `snapshot`; what stayed the same is taken over, and state is in any case.
    pub(crate) fn follow(&self, snapshot: &Snapshot, surroundings: &Surroundings<'_>) -> Self {
        let live = |registered: &Arc<RegisteredService>| {
            let id = registered.service.id;
            let before = self.services.get(&id);
            let same = before.filter(|before| Arc::ptr_eq(&before.registered, registered));
            let service = same.map_or_else(
                || Arc::new(LiveService::new(registered, before.map(Arc::as_ref), surroundings)),
                Arc::clone,
            );
            (id, service)
        };
        Self { services: snapshot.services().map(live).collect() }
    }

    /// The same services with other connections.
    pub(crate) fn rebuilt(&self, surroundings: &Surroundings<'_>) -> Self {
        let rebuild = |(id, before): (&ServiceId, &Arc<LiveService>)| {
            (*id, Arc::new(LiveService::new(&before.registered, Some(before), surroundings)))
        };
        Self { services: self.services.iter().map(rebuild).collect() }
    }

    pub(crate) fn find(&self, service: ServiceId) -> Option<&Arc<LiveService>> {
        self.services.get(&service)
    }
}

impl LiveService {
    fn new(
        registered: &Arc<RegisteredService>,
        before: Option<&Self>,
        surroundings: &Surroundings<'_>,
    ) -> Self {
        let service = &registered.service;
        let policy = &service.policy;
        let state = before.map_or_else(
            || Arc::new(ServiceState::new(policy.in_flight_max)),
            |before| Arc::clone(&before.state),
        );
        state.gate.resize(policy.in_flight_max);
        let old = before.map_or(&[][..], |before| &before.instances);
        let active = || service.instances.iter().filter(|instance| instance.state == Declared::Active);
        Self {
            ejection: (&policy.ejection).into(),
            retry: (&policy.retry).into(),
            concurrency: policy.into(),
            credential: LiveCredential::new(service, surroundings.secrets),
            instances: active()
                .map(|instance| LiveInstance::new(registered, instance, old, surroundings))
                .collect(),
            state,
            transport: surroundings.transports.with_connect_timeout(policy.connect_timeout()),
            unversioned: service.default_version().cloned(),
            registered: Arc::clone(registered),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.registered.service.name.as_str()
    }

    pub(crate) fn id(&self) -> ServiceId {
        self.registered.service.id
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.registered.service.policy
    }

    /// The instance whose turn it is, but none of `tried` if there is another. Ejected ones
    /// only if there is no other: a service that answers badly is still better asked than not.
    ///
    /// A call that names no version goes to the instances without one; if there is none, to
    /// those of the version of the oldest instance.
    pub(crate) fn pick(
        &self,
        version: Option<&Version>,
        tried: &[usize],
        turn: u64,
        now: Timestamp,
    ) -> Option<(usize, &LiveInstance)> {
        let version = version.or(self.unversioned.as_ref());
        let weights = |with_ejected: bool, with_tried: bool| {
            self.instances.iter().enumerate().map(move |(index, instance)| {
                let out = instance.version.as_ref() != version
                    || (!with_tried && tried.contains(&index))
                    || (!with_ejected && instance.state.is_ejected(&self.ejection, now));
                if out { 0 } else { instance.weight }
            })
        };
        let index = [(false, false), (true, false), (true, true)]
            .into_iter()
            .find_map(|(with_ejected, with_tried)| balance::pick(weights(with_ejected, with_tried), turn))?;
        Some((index, self.instances.get(index)?))
    }

    /// Whether a call of this version has an instance that it did not try.
    pub(crate) fn has_untried(&self, version: Option<&Version>, tried: &[usize]) -> bool {
        let version = version.or(self.unversioned.as_ref());
        self.instances
            .iter()
            .enumerate()
            .any(|(index, instance)| instance.version.as_ref() == version && !tried.contains(&index))
    }

    /// Notes how a call to an instance went.
    pub(crate) fn note(&self, instance: &LiveInstance, is_good: bool, now: Timestamp) {
        if is_good {
            instance.state.succeeded(&self.ejection, now);
            return;
        }
        let takes_calls = |other: &&LiveInstance| {
            other.id != instance.id
                && other.version == instance.version
                && !other.state.is_ejected(&self.ejection, now)
        };
        let others = self.instances.iter().filter(takes_calls).count();
        if instance.state.failed(others, &self.ejection, now) {
            tracing::warn!(service = self.name(), instance = %instance.id, others, "instance ejected");
        }
    }

    pub(crate) fn health(&self, now: Timestamp) -> Vec<InstanceHealth> {
        let health = |instance: &LiveInstance| InstanceHealth {
            instance: instance.id,
            is_ejected: instance.state.is_ejected(&self.ejection, now),
        };
        self.instances.iter().map(health).collect()
    }
}

impl LiveCredential {
    fn new(service: &Service, secrets: &dyn Secrets) -> Self {
        match &service.credential {
            Credential::Forward => Self::Forward,
            Credential::None => Self::None,
            Credential::Own { secret } => {
                let service = service.name.as_str();
                let found = secrets.find(secret).inspect_err(|error| {
                    tracing::error!(service, %error, "the service's secret cannot be had; calls go without it");
                });
                Self::Own(found.ok().and_then(|secret| secrets::authorization(&secret)))
            }
        }
    }
}

impl LiveInstance {
    fn new(
        registered: &RegisteredService,
        instance: &Instance,
        old: &[Self],
        surroundings: &Surroundings<'_>,
    ) -> Self {
        let base_url = registered.upstream(instance);
        let is_same = |old: &&Self| old.id == instance.id && old.base_url == base_url;
        let authority = instance.base_url.authority().as_str();
        Self {
            id: instance.id,
            host: HeaderValue::from_str(authority).ok(),
            connection: surroundings.connections.get(authority).cloned(),
            state: old.iter().find(is_same).map(|old| Arc::clone(&old.state)).unwrap_or_default(),
            base_url,
            weight: u16::try_from(instance.weight).unwrap_or(u16::MAX),
            version: instance.version.clone(),
        }
    }
}
