//! Records that the core itself keeps (users, groups, organizations), for the mesh.
//!
//! How they look is the API's business; whoever offers an API attaches a reader.

use std::sync::OnceLock;

use async_trait::async_trait;
use buildly_mesh::{Key, LocalError, LocalRecords, RecordType};
use buildly_model::Principal;
use bytes::Bytes;

/// The reader, once there is one.
#[derive(Default)]
pub(crate) struct AttachedRecords(pub(crate) OnceLock<Box<dyn LocalRecords>>);

#[async_trait]
impl LocalRecords for AttachedRecords {
    async fn read(
        &self,
        principal: &Principal,
        record_type: &RecordType,
        keys: &[Key],
    ) -> Result<Vec<Bytes>, LocalError> {
        match self.0.get() {
            Some(reader) => reader.read(principal, record_type, keys).await,
            None => Err(LocalError::Unknown),
        }
    }
}
