//! The world outside of templates, as the publishing check asks for it.

use std::sync::Arc;

use buildly_auth::Resource;
use buildly_model::{Action, OrganizationId, Principal};
use buildly_workflow::{Operation, Outside, Parameter};

use crate::snapshot::Snapshot;

/// One snapshot, as whoever publishes sees it.
pub(super) struct World {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) organization: OrganizationId,
    pub(super) principal: Principal,
    pub(super) published: Vec<String>,
}

impl Outside for World {
    fn find_operation(&self, operation: &str) -> Option<Operation> {
        let (_, found) = super::call::find_operation(&self.snapshot.gateway, operation)?;
        let all = found.path_parameters.iter().chain(&found.query_parameters).chain(&found.header_parameters);
        // The engine's own: it sends them with every call.
        let others = all.filter(|parameter| !super::call::is_own_header(&parameter.name));
        let parameters =
            others.map(|parameter| Parameter { name: parameter.name.clone(), required: parameter.required });
        Some(Operation { parameters: parameters.collect(), needs_body: found.needs_body })
    }

    fn has_records(&self, records: &str) -> bool {
        let Some((service, name)) = records.split_once('.') else { return false };
        let mesh = &self.snapshot.mesh;
        mesh.find_by_path(service, name).is_some()
            || mesh
                .record_types()
                .iter()
                .any(|one| one.service == service && one.model.eq_ignore_ascii_case(name))
    }

    fn has_group(&self, group: &str) -> bool {
        let identity = &self.snapshot.auth.identity;
        let own = identity.organization(self.organization);
        own.is_some_and(|facts| facts.groups().any(|known| known.name == group))
    }

    /// Whoever administers the organization may let templates act as its accounts.
    fn may_use_account(&self, account: &str) -> bool {
        let auth = &self.snapshot.auth;
        let mut accounts = auth.token.service_accounts(self.organization).into_iter();
        let may = auth.check(&self.principal, Action::Update, Resource::Administration(self.organization));
        may.is_allowed() && accounts.any(|known| known.name == account && known.is_active)
    }

    fn has_template(&self, template: &str) -> bool {
        self.published.iter().any(|name| name == template)
    }
}
