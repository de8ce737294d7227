//! How many bytes each organization has on disk, those being received included.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use buildly_kit::Error;
use buildly_model::{OrganizationId, StoreError};
use tokio::sync::OnceCell;

/// The name of the quota, as the operator sets it.
const QUOTA: &str = "max_bytes_per_organization";

type Cell = Arc<OnceCell<Arc<AtomicU64>>>;

/// What all organizations have. One process has the folder, so what it counts is true.
#[derive(Debug)]
pub(super) struct Usage {
    bytes_max: u64,
    organizations: Mutex<HashMap<OrganizationId, Cell>>,
}

/// Bytes that are taken from an organization's quota, and given back unless they are kept.
#[derive(Debug)]
pub(super) struct Room {
    used: Arc<AtomicU64>,
    bytes_max: u64,
    bytes: u64,
}

impl Usage {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, organizations: Mutex::default() }
    }

    /// The count of an organization whose files are in `folder`, which is looked through once.
    pub(super) async fn of(
        &self,
        organization: OrganizationId,
        folder: &Path,
    ) -> Result<Arc<AtomicU64>, Error> {
        let cell = {
            let mut organizations = self.organizations.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(organizations.entry(organization).or_default())
        };
        let count = async || {
            let folder = folder.to_owned();
            let counted = tokio::task::spawn_blocking(move || bytes_below(&folder)).await;
            let bytes = counted.map_err(StoreError::unavailable)?.map_err(StoreError::unavailable)?;
            Ok::<_, Error>(Arc::new(AtomicU64::new(bytes)))
        };
        cell.get_or_try_init(count).await.cloned()
    }

    /// Room for what an organization sends.
    pub(super) async fn room(&self, organization: OrganizationId, folder: &Path) -> Result<Room, Error> {
        Ok(Room { used: self.of(organization, folder).await?, bytes_max: self.bytes_max, bytes: 0 })
    }
}

impl Room {
    /// Takes more bytes.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), Error> {
        let more = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.bytes_max);
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map_err(|_| Error::QuotaExceeded { limit: QUOTA, bytes_max: self.bytes_max })?;
        self.bytes += bytes;
        Ok(())
    }

    /// Whether this many bytes would find room now.
    pub(super) fn check(&self, bytes: u64) -> Result<(), Error> {
        if self.used.load(Ordering::Relaxed).saturating_add(bytes) > self.bytes_max {
            return Err(Error::QuotaExceeded { limit: QUOTA, bytes_max: self.bytes_max });
        }
        Ok(())
    }

    /// What was taken is not given back.
    pub(super) fn keep(&mut self) {
        self.bytes = 0;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        give_back(&self.used, self.bytes);
    }
}

/// Counts a removed file no more.
pub(super) fn give_back(used: &AtomicU64, bytes: u64) {
    let less = |used: u64| Some(used.saturating_sub(bytes));
    // It always has an answer, so there is nothing to do about none.
    let _before = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
}

fn bytes_below(folder: &Path) -> std::io::Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        let metadata = match entry.metadata() {
            // Removed meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        bytes += if metadata.is_dir() { bytes_below(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
