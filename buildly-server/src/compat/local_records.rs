//! The core's own records as the mesh joins them: in the shapes of their resources, under the
//! caller's rights.

use async_trait::async_trait;
use buildly_core::auth::identity::{GroupKey, UserKey};
use buildly_core::auth::{Auth, Error};
use buildly_core::mesh::{Key, LocalError, LocalRecords, RecordType};
use buildly_core::model::{GroupId, OrganizationId, Principal, UserId};
use bytes::Bytes;
use serde::Serialize;

use super::coreuser::CoreUser;
use super::{CoreGroup, OrganizationBody};

/// Reads users, groups and organizations.
pub struct CoreRecords {
    auth: Auth,
}

impl CoreRecords {
    /// Reads what `auth` keeps.
    #[must_use]
    pub const fn new(auth: Auth) -> Self {
        Self { auth }
    }

    async fn user(&self, principal: &Principal, key: &Key) -> Result<Option<Bytes>, LocalError> {
        let key = match key {
            Key::Integer(number) => UserKey::Number(*number),
            Key::Uuid(uuid) => UserKey::Id(UserId::from_uuid(*uuid)),
            Key::Text(_) => return Ok(None),
        };
        Ok(found(self.auth.user(principal, key).await)?.and_then(|view| json(&CoreUser::of(view))))
    }

    async fn group(&self, principal: &Principal, key: &Key) -> Result<Option<Bytes>, LocalError> {
        let key = match key {
            Key::Integer(number) => GroupKey::Number(*number),
            Key::Uuid(uuid) => GroupKey::Id(GroupId::from_uuid(*uuid)),
            Key::Text(_) => return Ok(None),
        };
        Ok(found(self.auth.group(principal, key).await)?.and_then(|group| json(&CoreGroup::from(group))))
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
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            records.extend(match record_type.path() {
                "coreuser" => self.user(principal, key).await?,
                "coregroups" => self.group(principal, key).await?,
                "organization" => self.organization(principal, key).await?,
                _ => return Err(LocalError::Unknown),
            });
        }
        Ok(records)
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

fn json(record: &impl Serialize) -> Option<Bytes> {
    serde_json::to_vec(record).ok().map(Bytes::from)
}
