//! After a crash: removes content that no version names.
//!
//! A file is put in place before its version is made, and removed after its last version is
//! gone, so a crash in between leaves a file, never a version without one.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use buildly_kit::{Error, Records, Start};
use buildly_model::{OrganizationId, StoreError, Timestamp};
use tokio::fs::read_dir;

use crate::{Content, Version, remove};

/// What is younger may still be needed, if only by whoever is putting a copy back.
const AGE_MIN: Duration = Duration::from_secs(60 * 60);
/// The most files that one start removes; the next one goes on.
const REMOVED_MAX: usize = 10_000;
const DIGEST_DIGITS: usize = 64;

/// Looks through the content once, at the start.
pub(crate) struct Sweep {
    pub(crate) content: Arc<Content>,
}

#[async_trait]
impl Start for Sweep {
    async fn start(&self, records: &Records) {
        if let Err(error) = sweep(&self.content, records).await {
            tracing::warn!(%error, "content was not swept; the next start does it");
        }
    }
}

/// What was found.
#[derive(Default)]
struct Found {
    named: usize,
    unnamed: Vec<(OrganizationId, String)>,
}

async fn sweep(content: &Content, records: &Records) -> Result<(), Error> {
    let folder = content.contents();
    let mut found = Found::default();
    for name in names(&folder).await? {
        let Ok(organization) = name.parse::<OrganizationId>() else { continue };
        let folder = folder.join(&name);
        for name in names(&folder).await? {
            look(records, organization, &folder.join(name), &mut found).await?;
        }
    }
    if found.unnamed.is_empty() {
        return Ok(());
    }
    if found.named == 0 {
        tracing::warn!(
            folder = %folder.display(),
            files = found.unnamed.len(),
            "the database names none of this content, so nothing is removed: is it the right database?"
        );
        return Ok(());
    }
    for (organization, sha256) in &found.unnamed {
        remove::forget(content, records, *organization, sha256).await;
    }
    tracing::info!(files = found.unnamed.len(), "content that nothing names was removed");
    Ok(())
}

/// Looks through the files whose names begin alike.
async fn look(
    records: &Records,
    organization: OrganizationId,
    folder: &Path,
    found: &mut Found,
) -> Result<(), Error> {
    for sha256 in names(folder).await? {
        let is_digest = sha256.len() == DIGEST_DIGITS && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_digest || !is_old(&folder.join(&sha256), records.now()).await {
            continue;
        }
        let versions = records.select::<Version>(organization, &format!("sha256={sha256}&limit=1")).await?;
        if !versions.is_empty() {
            found.named += 1;
        } else if found.unnamed.len() < REMOVED_MAX {
            found.unnamed.push((organization, sha256));
        }
    }
    Ok(())
}

/// Whether the file has been there long enough; not, if nobody can say.
async fn is_old(path: &Path, now: Timestamp) -> bool {
    let Ok(modified) = tokio::fs::metadata(path).await.and_then(|metadata| metadata.modified()) else {
        return false;
    };
    let before = u64::try_from(now.before(AGE_MIN).as_microseconds()).unwrap_or(0);
    modified.duration_since(UNIX_EPOCH).is_ok_and(|since| since < Duration::from_micros(before))
}

/// The names in a folder; none if it is no folder.
async fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let is_none = |error: &std::io::Error| {
        matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
    };
    let mut entries = match read_dir(folder).await {
        Err(error) if is_none(&error) => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::unavailable)?,
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(StoreError::unavailable)? {
        names.extend(entry.file_name().into_string().ok());
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
