//! Which groups are attached to a service.

use buildly_journal::Part;
use buildly_model::{GroupId, Principal, ServiceId};
use serde_json::json;

use super::input::Input;
use super::last_admin::GROUPS_MAX;
use super::{Change, Group, GroupKey, Made};
use crate::{Auth, Error};

impl Auth {
    /// The groups attached to a service; none means that every signed-in user may use it.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn service_groups(&self, service: ServiceId) -> Result<Vec<Group>, Error> {
        let attachments = self.parts.store.attachments(service).await?;
        let groups: Vec<GroupId> = attachments.iter().map(|attachment| attachment.group).collect();
        let mut groups = self.parts.store.groups_by_id(&groups).await?;
        groups.sort_unstable_by_key(|group| group.number);
        Ok(groups)
    }

    /// Attaches exactly these groups to a service.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser; [`Error::Invalid`] names
    /// `core_groups` if there is no such group.
    pub async fn set_service_groups(
        &self,
        principal: &Principal,
        service: ServiceId,
        keys: &[GroupKey],
    ) -> Result<Vec<Group>, Error> {
        let part = self.service_groups_part(principal, service, keys, &Made::default()).await?;
        self.commit_part(part).await?;
        self.service_groups(service).await
    }

    /// What [`Auth::set_service_groups`] writes, to be written together with something else,
    /// and after what else is `made`.
    ///
    /// # Errors
    /// As [`Auth::set_service_groups`].
    pub async fn service_groups_part(
        &self,
        principal: &Principal,
        service: ServiceId,
        keys: &[GroupKey],
        made: &Made,
    ) -> Result<Part<Change>, Error> {
        self.caller(principal).await?.require_superuser()?;
        let mut input = Input::default();
        input.count("core_groups", keys.len(), GROUPS_MAX as usize);
        input.done()?;
        let (mut groups, mut others) = (Vec::new(), Vec::new());
        for key in keys {
            match key {
                GroupKey::Id(id) if made.groups.contains(id) => groups.push(*id),
                other => others.push(*other),
            }
        }
        groups.extend(self.find_groups(&others).await?.iter().map(|group| group.id));
        groups.sort_unstable();
        groups.dedup();
        let event = self.event(principal, "auth.service_groups.updated", service, json!({"groups": groups}));
        Ok(Part::of(None, Change::ServiceGroupsSet { service, groups }, event).taking_rights())
    }
}
