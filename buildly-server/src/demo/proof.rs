//! The journal proves itself; a copy with one changed byte does not.

use std::path::Path;

use buildly_core::Sqlite;
use buildly_core::journal::{self, Chain, EventFilter, Verification};
use buildly_model::PageSize;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

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
        if self.stage.configuration.database_url.is_some() {
            self.changed_event().await
        } else {
            self.changed_file().await
        }
    }

    /// A copy of the database file with one changed byte.
    async fn changed_file(&mut self) -> Result<(), Failure> {
        let copy = std::env::temp_dir().join(format!("buildly-demo-{}.db", Uuid::now_v7()));
        let began = Instant::now();
        self.buildly.backup(&copy).await.map_err(|error| failed(&error))?;
        let outcome = verify_changed(&copy).await;
        // What is left behind in the temporary folder harms nobody.
        let _ = std::fs::remove_file(&copy);
        let found = outcome?;
        let Some((_, broken)) = found.broken.first() else {
            return Err(Failure::new("a copy with one changed byte passed the check"));
        };
        let facts = json!({ "first bad event": broken.sequence, "its id": broken.id, "what is wrong": broken.to_string() });
        self.narrator.fact(
            "A copy with one changed byte is not: the first bad event is named",
            &facts,
            began.elapsed(),
        )?;
        Ok(())
    }

    /// On PostgreSQL: the newest events as they are read, one of them changed in memory.
    async fn changed_event(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let any = EventFilter::default();
        let journal = self.buildly.journal();
        let events = journal.find(self.organization, &any, None, PageSize::clamped(1)).await;
        let newest = events.map_err(|error| failed(&error))?.pop();
        let mut newest = newest.ok_or_else(|| Failure::new("the organization has no events"))?;
        let mut before =
            Chain { sequence: newest.sequence - 1, hash: newest.previous, organization: newest.organization };
        before.verify(&newest).map_err(|error| failed(&error))?;
        newest.subject.push('x');
        let mut before =
            Chain { sequence: newest.sequence - 1, hash: newest.previous, organization: newest.organization };
        let Err(broken) = before.verify(&newest) else {
            return Err(Failure::new("an event with one more character passed the check"));
        };
        let facts =
            json!({ "event": broken.sequence, "its id": broken.id, "what is wrong": broken.to_string() });
        self.narrator.fact(
            "The same event with one more character, in memory, is not",
            &facts,
            began.elapsed(),
        )?;
        Ok(())
    }
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
