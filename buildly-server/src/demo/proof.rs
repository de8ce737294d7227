//! The journal proves itself; a copy with one changed byte does not.

use std::path::Path;

use buildly_core::journal::{self, Verification};
use buildly_core::{Postgres, Sqlite};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::journal_copy::JournalCopy;
use super::story::{Failure, Story, VIEWER};

impl Story<'_> {
    pub(super) async fn proof(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let found = self.buildly.journal().verify().await.map_err(|error| failed(&error))?;
        let facts = json!({ "chains": found.chains, "events": found.events, "broken": found.broken.len() });
        self.narrator.fact("The journal is verified, event by event", &facts, began.elapsed())?;
        if !found.broken.is_empty() || found.events == 0 {
            return Err(Failure::new("the journal does not hold"));
        }
        let began = Instant::now();
        let configuration = &self.stage.configuration;
        let found = match &configuration.database_url {
            Some(url) => verify_changed_memory(url.expose(), &configuration.database_schema).await?,
            None => self.verify_changed_file().await?,
        };
        let Some((_, broken)) = found.broken.first() else {
            return Err(Failure::new("a copy with one changed byte passed the check"));
        };
        let facts = json!({
            "chains": found.chains, "events": found.events, "broken": found.broken.len(),
            "first bad event": broken.sequence, "its id": broken.id, "what is wrong": broken.to_string(),
        });
        let title = "A copy with one changed byte is not: the first bad event is named";
        self.narrator.fact(title, &facts, began.elapsed())?;
        Ok(())
    }

    /// A copy of the database file with one changed byte.
    async fn verify_changed_file(&self) -> Result<Verification, Failure> {
        let copy = std::env::temp_dir().join(format!("buildly-demo-{}.db", Uuid::now_v7()));
        self.buildly.backup(&copy).await.map_err(|error| failed(&error))?;
        let found = verify_changed(&copy).await;
        // What is left behind in the temporary folder harms nobody.
        let _ = std::fs::remove_file(&copy);
        found
    }
}

/// A copy of all events in memory, with one changed byte: where the database is no file.
async fn verify_changed_memory(url: &str, schema: &str) -> Result<Verification, Failure> {
    let storage = Postgres::open_read_only(url, schema).await.map_err(|error| failed(&error))?;
    let copy = JournalCopy::of(&storage).await;
    storage.close().await;
    let mut copy = copy.map_err(|error| failed(&error))?;
    let (name, last) = VIEWER.split_at(VIEWER.len() - 1);
    debug_assert_ne!(last, "x", "the byte must change");
    let changed = format!("\"username\":\"{name}x\"");
    if !copy.damage(&format!("\"username\":\"{VIEWER}\""), &changed) {
        return Err(Failure::new("the copy does not hold the event that should be changed"));
    }
    journal::verify(&copy, &[]).await.map_err(|error| failed(&error))
}

/// Changes one byte of an event's payload in the file and checks it.
async fn verify_changed(copy: &Path) -> Result<Verification, Failure> {
    let mut bytes = std::fs::read(copy).map_err(|error| failed(&error))?;
    let needle = format!("\"username\":\"{VIEWER}\"");
    let at = bytes.windows(needle.len()).position(|window| window == needle.as_bytes());
    let byte = at.and_then(|at| bytes.get_mut(at + needle.len() - 2));
    *byte.ok_or_else(|| Failure::new("the copy does not hold the event that should be changed"))? = b'x';
    std::fs::write(copy, bytes).map_err(|error| failed(&error))?;
    let storage = Sqlite::open_read_only(copy).await.map_err(|error| failed(&error))?;
    let found = journal::verify(&storage, &[]).await.map_err(|error| failed(&error));
    storage.close().await;
    found
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(format!("the journal: {error}"))
}
