//! The audit trail, and copies of the whole state.

use buildly_core::Buildly;
use buildly_core::journal::EventFilter;
use buildly_model::{PageSize, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Caller;
use crate::failure::Failure;
use crate::shape::EventShape;

/// How many events are read at once, where nobody says.
const fn rows() -> u32 {
    100
}

/// Which events to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    caller: Caller,
    kind: Option<String>,
    subject: Option<String>,
    actor: Option<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    before_sequence: Option<u64>,
    #[serde(default = "rows")]
    limit: u32,
}

pub(super) async fn events(buildly: &Buildly, asked: Asked) -> Result<Vec<EventShape>, Failure> {
    let principal = asked.caller.principal(buildly).await?;
    buildly.auth().require_admin(&principal).await?;
    let filter = EventFilter {
        kind: asked.kind,
        subject: asked.subject,
        actor: asked.actor,
        from: asked.from,
        until: asked.until,
    };
    let size = PageSize::clamped(asked.limit);
    let found = buildly.journal().find(principal.organization, &filter, asked.before_sequence, size).await?;
    Ok(found.into_iter().map(EventShape::from).collect())
}

/// What a check of all chains has shown.
#[derive(Serialize)]
pub(super) struct Verified {
    chains: u64,
    events: u64,
    broken: Vec<Broken>,
}

#[derive(Serialize)]
struct Broken {
    organization: Option<Uuid>,
    sequence: u64,
    reason: &'static str,
}

/// Nothing to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// For whoever has opened the folder: it asks nobody's permission.
pub(super) async fn verify_journal(buildly: &Buildly, _: Nothing) -> Result<Verified, Failure> {
    let found = buildly.journal().verify().await?;
    let broken = found.broken.into_iter().map(|(organization, broken)| Broken {
        organization: organization.map(|organization| organization.as_uuid()),
        sequence: broken.sequence,
        reason: broken.reason,
    });
    Ok(Verified { chains: found.chains, events: found.events, broken: broken.collect() })
}

/// Where the copy goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Copy {
    path: String,
}

/// For whoever has opened the folder: it asks nobody's permission.
pub(super) async fn backup(buildly: &Buildly, to: Copy) -> Result<(), Failure> {
    Ok(buildly.backup(to.path).await?)
}
