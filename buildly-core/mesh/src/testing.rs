//! A small catalog and its services, for the tests of the decisions.

use std::collections::HashMap;
use std::sync::Arc;

use buildly_model::{Action, OrganizationId, Principal, RecordTypeId, RelationshipId, ServiceId, UserId};
use uuid::Uuid;

use crate::{Access, DetailPath, RecordType, Relationship, Resource, Services, Snapshot};

pub(crate) fn type_id(number: u128) -> RecordTypeId {
    RecordTypeId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn record_type(number: u128, service: &str, model: &str) -> RecordType {
    RecordType {
        id: type_id(number),
        service: service.to_owned(),
        model: model.to_owned(),
        endpoint: format!("/{}/", model.to_lowercase()),
        key_field: "id".to_owned(),
        is_local: service == "core",
    }
}

pub(crate) fn relationship(number: u128, key: &str, origin: u128, related: u128) -> Relationship {
    Relationship {
        id: RelationshipId::from_uuid(Uuid::from_u128(number)),
        key: key.to_owned(),
        origin: type_id(origin),
        related: type_id(related),
        foreign_key: None,
    }
}

/// Products (1) with documents (2), categories (3, by a field too) and an author (4) of the core.
pub(crate) fn catalog() -> Snapshot {
    let category = Relationship {
        foreign_key: Some("category".to_owned()),
        ..relationship(11, "product_category", 1, 3)
    };
    Snapshot::new(
        vec![
            record_type(1, "products", "Product"),
            record_type(2, "documents", "Document"),
            record_type(3, "products", "Category"),
            record_type(4, "core", "CoreUser"),
        ],
        vec![relationship(10, "product_documents", 1, 2), category, relationship(12, "author", 1, 4)],
    )
}

pub(crate) const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0xacae));

pub(crate) fn member() -> Principal {
    Principal {
        identity: buildly_model::Identity::User(UserId::from_uuid(Uuid::from_u128(1))),
        organization: Some(ACME),
        ..Principal::ANONYMOUS
    }
}

pub(crate) fn service_id(number: u128) -> ServiceId {
    ServiceId::from_uuid(Uuid::from_u128(0x5e_0000 + number))
}

/// Services by name, and what their documents say.
#[derive(Clone, Default)]
pub(crate) struct Documents {
    pub(crate) services: HashMap<String, ServiceId>,
    pub(crate) resources: HashMap<(ServiceId, String), Resource>,
}

/// How a service's document describes a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    Ids,
    Detail,
    ListOnly,
}

impl Documents {
    pub(crate) fn with(mut self, number: u128, service: &str, paths: &[&str], offer: Offer) -> Self {
        let id = service_id(number);
        self.services.insert(service.to_owned(), id);
        for path in paths {
            let detail = DetailPath::of_template(&format!("/{path}/{{id}}/"));
            let resource = Resource {
                list_path: Some(format!("/{path}/")),
                detail_path: detail.filter(|_| offer != Offer::ListOnly),
                key_list: (offer == Offer::Ids).then(|| "id__in".to_owned()),
            };
            self.resources.insert((id, (*path).to_owned()), resource);
        }
        self
    }

    /// Products by one call each, documents by lists of ids.
    pub(crate) fn usual() -> Self {
        Self::default().with(1, "products", &["product", "category"], Offer::Detail).with(
            2,
            "documents",
            &["document"],
            Offer::Ids,
        )
    }
}

impl Services for Documents {
    fn generation(&self) -> u64 {
        1
    }

    fn find_service(&self, name: &str) -> Option<ServiceId> {
        self.services.get(name).copied()
    }

    fn find_resource(&self, service: ServiceId, path: &str, _key_field: &str) -> Option<Resource> {
        self.resources.get(&(service, path.to_owned())).cloned()
    }
}

/// Allows what is listed.
#[derive(Clone, Default)]
pub(crate) struct Rights {
    pub(crate) allowed: Vec<(Action, ServiceId)>,
    pub(crate) is_superuser: bool,
}

impl Access for Rights {
    fn may(&self, _principal: &Principal, action: Action, service: ServiceId) -> bool {
        self.allowed.contains(&(action, service))
    }

    fn is_superuser(&self, _principal: &Principal) -> bool {
        self.is_superuser
    }
}

impl Rights {
    pub(crate) fn everything() -> Self {
        let all = |number| Action::ALL.map(|action| (action, service_id(number)));
        Self { allowed: [all(1), all(2)].concat(), is_superuser: true }
    }
}

pub(crate) fn view(rights: Rights, documents: Documents) -> crate::View {
    crate::View { catalog: catalog(), access: Arc::new(rights), services: Arc::new(documents) }
}

/// A body that never comes.
pub(crate) struct Silent;

impl http_body::Body for Silent {
    type Data = bytes::Bytes;
    type Error = buildly_model::BodyError;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

/// Time as tokio's paused clock has it.
pub(crate) struct PausedClock(pub(crate) tokio::time::Instant);

impl buildly_model::Clock for PausedClock {
    fn now(&self) -> buildly_model::Timestamp {
        buildly_model::Timestamp::from_seconds(1_800_000_000).after(self.0.elapsed())
    }
}

pub(crate) mod memory;
pub(crate) mod services;
