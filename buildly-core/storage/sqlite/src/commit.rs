//! Writing units: the one way anything changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildly_auth::Change as Auth;
use buildly_journal::{Chain, Part};
use buildly_model::{OrganizationId, Random, Revision, StoreError};
use buildly_unit::{Change, Committer, Storage, Unit};
use rusqlite::Connection;

use crate::{Sqlite, extension, gateway, identity, journal, mesh, token, workflow};

#[async_trait]
impl Storage for Sqlite {
    async fn backup(&self, target: PathBuf) -> Result<(), StoreError> {
        self.engine.backup(target).await
    }

    async fn close(&self) {
        self.engine.close().await;
    }
}

#[async_trait]
impl Committer for Sqlite {
    async fn commit(&self, unit: Unit) -> Result<Revision, StoreError> {
        let random = Arc::clone(&self.random);
        // Before the unit waits for its turn: a lease is rather too short than too long.
        let now = self.takes.now();
        self.engine.write(move |tx| write(tx, &unit, &*random, now)).await
    }
}

/// Runs on the writer thread, in the unit's savepoint: one writer, so the ends of the chains
/// cannot move meanwhile.
fn write(tx: &Connection, unit: &Unit, random: &dyn Random, now: Duration) -> Result<Revision, StoreError> {
    for part in &unit.parts {
        if let Some(expected) = part.expected_sequence
            && journal::head(tx, part.organization)?.sequence != expected
        {
            return Err(StoreError::Stale);
        }
    }
    for part in &unit.parts {
        for change in &part.changes {
            apply(tx, part.organization, change, now)?;
        }
    }
    let mut chains: Vec<Chain> = Vec::new();
    for part in unit.parts.iter().filter(|part| !part.events.is_empty()) {
        append(tx, part, &mut chains, random)?;
    }
    for chain in &chains {
        journal::put_head(tx, chain)?;
    }
    journal::end(tx)
}

fn append(
    tx: &Connection,
    part: &Part<Change>,
    chains: &mut Vec<Chain>,
    random: &dyn Random,
) -> Result<(), StoreError> {
    let known = chains.iter().position(|chain| chain.organization == part.organization);
    let mut chain = match known {
        Some(place) => chains.swap_remove(place),
        None => journal::head(tx, part.organization)?,
    };
    for event in &part.events {
        journal::insert(tx, &chain.link(event, random))?;
    }
    chains.push(chain);
    Ok(())
}

fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
    now: Duration,
) -> Result<(), StoreError> {
    match change {
        Change::Auth(Auth::Identity(change)) => identity::apply(tx, organization, change),
        Change::Auth(Auth::Token(change)) => token::apply(tx, organization, change),
        Change::Gateway(change) => gateway::apply(tx, organization, change),
        Change::Mesh(change) => mesh::apply(tx, organization, change),
        Change::Workflow(change) => workflow::apply(tx, organization, change, now),
        Change::Extension(change) => extension::apply(tx, organization, change),
    }
}
