//! What the mesh asks of auth and of the gateway, answered from one snapshot.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_auth::{Resource, Snapshots as _};
use buildly_mesh::{Access, DetailPath, Services, View, Views};
use buildly_model::{Action, Principal, ServiceId, StoreError};
use http::Method;

use crate::snapshot::{Hot, Snapshot};

/// The permissions of one snapshot, as the mesh asks for them.
struct SnapshotAccess(Arc<Snapshot>);

impl Access for SnapshotAccess {
    fn may(&self, principal: &Principal, action: Action, service: ServiceId) -> bool {
        self.0.auth.check(principal, action, Resource::Service(service)).is_allowed()
    }

    fn is_superuser(&self, principal: &Principal) -> bool {
        self.0.auth.identity.is_superuser(principal)
    }
}

/// The services of one snapshot, as the mesh asks for them.
struct SnapshotServices(Arc<Snapshot>);

impl Services for SnapshotServices {
    fn generation(&self) -> u64 {
        self.0.gateway_revision.number()
    }

    fn find_service(&self, name: &str) -> Option<ServiceId> {
        self.0.gateway.find_by_name(name).map(|registered| registered.service.id)
    }

    fn find_resource(
        &self,
        service: ServiceId,
        path: &str,
        key_field: &str,
    ) -> Option<buildly_mesh::Resource> {
        let api = self.0.gateway.find(service)?.api(None)?;
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut found = buildly_mesh::Resource::default();
        for operation in api.operations().iter().filter(|operation| operation.method == Method::GET) {
            let of_path: Vec<&str> =
                operation.path.split('/').filter(|segment| !segment.is_empty()).collect();
            if of_path == segments {
                found.key_list =
                    operation.id_list_parameter(key_field).map(|parameter| parameter.name.clone());
                found.list_path = Some(operation.path.clone());
            } else if let Some((last, before)) = of_path.split_last()
                && before == segments.as_slice()
                && last.starts_with('{')
            {
                found.detail_path = DetailPath::of_template(&operation.path);
            }
        }
        (found.list_path.is_some() || found.detail_path.is_some()).then_some(found)
    }
}

impl Hot {
    /// The snapshot, with the facts of the principal's organization in it.
    pub(crate) async fn for_principal(&self, principal: &Principal) -> Result<Arc<Snapshot>, StoreError> {
        if let Some(organization) = principal.organization {
            self.with_organization(organization).await?;
        }
        Ok(self.load())
    }
}

#[async_trait]
impl Views for Hot {
    async fn view(&self, principal: &Principal) -> Result<View, StoreError> {
        let snapshot = self.for_principal(principal).await?;
        Ok(View {
            catalog: buildly_mesh::Snapshot::clone(&snapshot.mesh),
            access: Arc::new(SnapshotAccess(snapshot.clone())),
            services: Arc::new(SnapshotServices(snapshot)),
        })
    }
}
