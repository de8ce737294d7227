//! The core's own records as the mesh joins them: in the shapes of their resources, under the
//! caller's rights.

use async_trait::async_trait;
use buildly_core::auth::identity::{GroupKey, UserKey};
use buildly_core::auth::{Auth, Error};
use buildly_core::mesh::{Key, LocalError, LocalRecords, RecordType};
use buildly_core::model::{GroupId, LevelRowId, OrganizationId, Principal, UserId};
use buildly_core::workflow;
use buildly_core::workflow::levels::{Key as LevelKey, Levels};
use bytes::Bytes;
use serde::Serialize;

use super::coreuser::CoreUser;
use super::levels::{level1, level2};
use super::{CoreGroup, OrganizationBody};

/// Reads users, groups, organizations and levels.
pub struct CoreRecords {
    auth: Auth,
    levels: Levels,
}

impl CoreRecords {
    /// Reads what `auth` and `levels` keep.
    #[must_use]
    pub const fn new(auth: Auth, levels: Levels) -> Self {
        Self { auth, levels }
    }

    async fn users(&self, principal: &Principal, keys: &[Key]) -> Result<Vec<Bytes>, LocalError> {
        let keys = keys.iter().filter_map(|key| match key {
            Key::Integer(number) => Some(UserKey::Number(*number)),
            Key::Uuid(uuid) => Some(UserKey::Id(UserId::from_uuid(*uuid))),
            Key::Text(_) => None,
        });
        let views = found(self.auth.users_by_key(principal, &keys.collect::<Vec<_>>()).await)?;
        Ok(views.into_iter().flatten().filter_map(|view| json(&CoreUser::of(view))).collect())
    }

    async fn groups(&self, principal: &Principal, keys: &[Key]) -> Result<Vec<Bytes>, LocalError> {
        let ids: Vec<GroupId> = keys.iter().filter_map(Key::as_uuid).map(GroupId::from_uuid).collect();
        let mut groups = found(self.auth.groups_by_id(principal, &ids).await)?.unwrap_or_default();
        for key in keys {
            if let Key::Integer(number) = key {
                groups.extend(found(self.auth.group(principal, GroupKey::Number(*number)).await)?);
            }
        }
        Ok(groups.into_iter().filter_map(|group| json(&CoreGroup::from(group))).collect())
    }

    async fn level1s(&self, principal: &Principal, keys: &[Key]) -> Result<Vec<Bytes>, LocalError> {
        let mut levels = Vec::new();
        for key in keys {
            let key = match key {
                Key::Integer(number) => LevelKey::Number(*number),
                Key::Uuid(uuid) => LevelKey::Id(LevelRowId::from_uuid(*uuid)),
                Key::Text(_) => continue,
            };
            levels.extend(found_level(self.levels.level1(principal, key).await)?);
        }
        let rendered = level1::render(&self.auth, principal, levels).await;
        Ok(found(rendered)?.iter().flatten().filter_map(json).collect())
    }

    async fn level2s(&self, principal: &Principal, keys: &[Key]) -> Result<Vec<Bytes>, LocalError> {
        let mut levels = Vec::new();
        for uuid in keys.iter().filter_map(Key::as_uuid) {
            let level = self.levels.level2(principal, LevelRowId::from_uuid(uuid)).await;
            levels.extend(found_level(level)?);
        }
        let rendered = level2::render(&self.auth, principal, levels).await;
        Ok(found(rendered)?.iter().flatten().filter_map(json).collect())
    }

    async fn organization(&self, principal: &Principal, key: &Key) -> Result<Option<Bytes>, LocalError> {
        let Some(uuid) = key.as_uuid() else { return Ok(None) };
        let read = self.auth.organization(principal, OrganizationId::from_uuid(uuid)).await;
        Ok(found(read)?.and_then(|organization| json(&OrganizationBody::from(organization))))
    }
}

#[async_trait]
impl LocalRecords for CoreRecords {
    async fn read(
        &self,
        principal: &Principal,
        record_type: &RecordType,
        keys: &[Key],
    ) -> Result<Vec<Bytes>, LocalError> {
        match record_type.path() {
            "coreuser" => self.users(principal, keys).await,
            "coregroups" => self.groups(principal, keys).await,
            "workflowlevel1" => self.level1s(principal, keys).await,
            "workflowlevel2" => self.level2s(principal, keys).await,
            "organization" => {
                // Nearly always the caller's own.
                let mut records = Vec::new();
                for key in keys {
                    records.extend(self.organization(principal, key).await?);
                }
                Ok(records)
            }
            _ => Err(LocalError::Unknown),
        }
    }
}

/// What the caller may not see is not there.
fn found<T>(read: Result<T, Error>) -> Result<Option<T>, LocalError> {
    match read {
        Ok(record) => Ok(Some(record)),
        Err(Error::Store(error)) => Err(LocalError::Store(error)),
        Err(_) => Ok(None),
    }
}

fn found_level<T>(read: Result<T, workflow::Error>) -> Result<Option<T>, LocalError> {
    match read {
        Ok(record) => Ok(Some(record)),
        Err(workflow::Error::Store(error)) => Err(LocalError::Store(error)),
        Err(_) => Ok(None),
    }
}

fn json(record: &impl Serialize) -> Option<Bytes> {
    serde_json::to_vec(record).ok().map(Bytes::from)
}
