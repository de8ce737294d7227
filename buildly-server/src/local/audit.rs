//! Proving the journal, also against checkpoints that were kept elsewhere.

use std::path::{Path, PathBuf};

use buildly_core::Folder;
use buildly_core::journal::{Checkpoint, Checkpoints, Verification};
use serde_json::{Value, json};

use crate::Problem;

/// Larger files hold no checkpoints.
const FILE_BYTES_MAX: u64 = 100_000_000;

/// Exported checkpoints, and whose signature is believed.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Against {
    /// The file that `buildly audit checkpoint` has written, as an absolute path.
    pub file: Option<PathBuf>,
    /// The public key, in hexadecimal; without it, the one of the key in the data folder.
    pub public_key: Option<String>,
}

impl Against {
    /// Reads the checkpoints and checks their signatures.
    pub(super) fn read(&self, folder: &Folder) -> Result<Vec<Checkpoint>, Problem> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let shown = file.display();
        let checkpoints = from_file(file)?;
        let own = folder.checkpoint_public_key().map_err(|error| Problem::invalid(error.to_string()))?;
        let key = self.public_key.clone().or(own).ok_or_else(|| {
            Problem::invalid(format!(
                "There is no `checkpoint.key` in `{}` that could vouch for the checkpoints in `{shown}`: give the \
                 public key that you noted with `--public-key KEY`.",
                folder.keys().display()
            ))
        })?;
        checkpoints.verify(&key).map_err(|error| {
            Problem::invalid(format!(
                "`{shown}`: {error}; expected signatures of the key {key}, and the file names {}.",
                checkpoints.public_key
            ))
        })?;
        Ok(checkpoints.checkpoints)
    }
}

fn from_file(file: &Path) -> Result<Checkpoints, Problem> {
    let failed = |reason: String| Problem::invalid(format!("`{}`: {reason}", file.display()));
    let length = std::fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(failed(format!(
            "expected at most {FILE_BYTES_MAX} bytes of checkpoints, it has {length}"
        )));
    }
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        failed(format!("expected checkpoints as `buildly audit checkpoint` writes them: {error}"))
    })
}

/// What a check of the journal has shown, as JSON.
pub(super) fn verified(found: &Verification) -> Value {
    let broken: Vec<Value> = found
        .broken
        .iter()
        .map(|(organization, broken)| {
            json!({
                "organization": organization, "sequence": broken.sequence, "id": broken.id,
                "reason": broken.to_string(),
            })
        })
        .collect();
    json!({
        "chains": found.chains, "events": found.events, "checkpoints": found.checkpoints, "broken": broken,
    })
}
