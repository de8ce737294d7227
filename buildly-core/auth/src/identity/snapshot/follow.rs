//! From one snapshot to the next: reads again exactly what the events touched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use buildly_journal::FeedEvent;
use buildly_model::{GroupId, OrganizationId, ServiceId, StoreError, UserId};

use super::{ServiceFacts, Snapshot};

/// How many rows are asked for at once.
const KEYS_MAX: usize = 500;

/// What a page of events touched.
#[derive(Debug, Default, PartialEq, Eq)]
struct Touched {
    users: HashSet<UserId>,
    groups: HashMap<GroupId, Option<OrganizationId>>,
    organizations: HashSet<OrganizationId>,
    services: HashSet<ServiceId>,
}

impl Touched {
    fn by(events: &[FeedEvent]) -> Self {
        let mut touched = Self::default();
        for event in events {
            let thing = event.kind.strip_prefix("auth.").and_then(|rest| rest.split('.').next());
            match thing {
                Some("user") => touched.users.extend(event.subject.parse::<UserId>().ok()),
                Some("group") => {
                    let group = event.subject.parse().ok();
                    touched.groups.extend(group.map(|group| (group, event.organization)));
                }
                Some("organization") => {
                    touched.organizations.extend(event.subject.parse::<OrganizationId>().ok())
                }
                Some("service_groups") => touched.services.extend(event.subject.parse::<ServiceId>().ok()),
                Some(_) | None => {}
            }
        }
        touched
    }
}

impl Snapshot {
    /// The next snapshot: reads again only what the events touched.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn follow(
        &self,
        events: &[FeedEvent],
        store: &Arc<dyn crate::Store>,
    ) -> Result<Self, StoreError> {
        let touched = Touched::by(events);
        let mut next = self.clone();
        next.follow_organizations(&touched.organizations, store).await?;
        next.follow_groups(&touched.groups, store).await?;
        for service in touched.services {
            next.follow_service(service, store).await?;
        }
        let users: Vec<UserId> = touched.users.into_iter().collect();
        for users in users.chunks(KEYS_MAX) {
            let members = store.members(users).await?;
            users.iter().for_each(|user| next.users.remove(*user));
            members.into_iter().for_each(|member| next.put_member(member));
        }
        Ok(next)
    }

    async fn follow_organizations(
        &mut self,
        touched: &HashSet<OrganizationId>,
        store: &Arc<dyn crate::Store>,
    ) -> Result<(), StoreError> {
        let loaded: Vec<OrganizationId> =
            touched.iter().copied().filter(|organization| self.has_organization(*organization)).collect();
        for organizations in loaded.chunks(KEYS_MAX) {
            let rows = store.organizations_by_id(organizations).await?;
            let there: HashSet<OrganizationId> = rows.iter().map(|row| row.id).collect();
            for gone in organizations.iter().filter(|organization| !there.contains(organization)) {
                let users: Vec<UserId> = self.users_of(*gone).map(|user| user.id).collect();
                users.into_iter().for_each(|user| self.users.remove(user));
                self.organizations.remove(*gone);
            }
            for row in rows {
                self.change_organization(row.id, |facts, _| facts.name = row.name);
            }
        }
        Ok(())
    }

    async fn follow_groups(
        &mut self,
        touched: &HashMap<GroupId, Option<OrganizationId>>,
        store: &Arc<dyn crate::Store>,
    ) -> Result<(), StoreError> {
        let ids: Vec<GroupId> = touched.keys().copied().collect();
        for ids in ids.chunks(KEYS_MAX) {
            let rows = store.groups_by_id(ids).await?;
            let there: HashSet<GroupId> = rows.iter().map(|row| row.id).collect();
            for row in rows {
                match row.organization {
                    None => {
                        let deployment = Arc::make_mut(&mut self.deployment);
                        deployment.roles.put(row);
                        deployment.index_services();
                    }
                    Some(organization) => self.change_organization(organization, |facts, deployment| {
                        facts.roles.put(row);
                        facts.index_services(deployment);
                    }),
                }
            }
            for gone in ids.iter().filter(|group| !there.contains(group)) {
                match touched.get(gone).copied().flatten() {
                    None => {
                        let deployment = Arc::make_mut(&mut self.deployment);
                        deployment.roles.remove(*gone);
                        deployment.index_services();
                    }
                    Some(organization) => self.change_organization(organization, |facts, deployment| {
                        facts.roles.remove(*gone);
                        facts.index_services(deployment);
                    }),
                }
            }
        }
        Ok(())
    }

    async fn follow_service(
        &mut self,
        service: ServiceId,
        store: &Arc<dyn crate::Store>,
    ) -> Result<(), StoreError> {
        let attachments = store.attachments(service).await?;
        let deployment = Arc::make_mut(&mut self.deployment);
        let before = deployment.services.remove(&service).unwrap_or_default();
        let concerned: HashSet<OrganizationId> = attachments
            .iter()
            .chain(&before.attachments)
            .filter_map(|attachment| attachment.organization)
            .collect();
        let global = deployment.roles.attach(attachments.iter().map(|attachment| attachment.group));
        let facts = ServiceFacts { attachments, global };
        if !facts.attachments.is_empty() {
            deployment.services.insert(service, facts.clone());
        }
        for organization in concerned {
            self.change_organization(organization, |organization, _| {
                organization.index_service(service, &facts)
            });
        }
        Ok(())
    }

    /// Changes the facts of an organization, if it is loaded.
    fn change_organization(
        &mut self,
        organization: OrganizationId,
        change: impl FnOnce(&mut super::OrganizationFacts, &super::DeploymentFacts),
    ) {
        if let Some(facts) = self.organizations.get(organization) {
            let mut facts = facts.as_ref().clone();
            change(&mut facts, &self.deployment);
            self.organizations.insert(organization, Arc::new(facts));
        }
    }
}
