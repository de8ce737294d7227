//! The proof that the journal holds: by itself, and against checkpoints that were kept elsewhere.

use std::collections::BTreeMap;

use aws_lc_rs::signature::Ed25519KeyPair;
use buildly_journal::{Broken, Chain, Checkpoint, CheckpointError, Checkpoints, History};
use buildly_model::{OrganizationId, StoreError, Timestamp};

/// How many events, or ends of chains, are read at once.
const ROWS_MAX: u32 = 1000;

/// What a check of all chains has shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// How many chains hold, up to their last event.
    pub chains: u64,
    /// How many events these have.
    pub events: u64,
    /// How many checkpoints agree with these chains.
    pub checkpoints: u64,
    /// The chains that do not hold: whose, and the first event that does not fit.
    pub broken: Vec<(Option<OrganizationId>, Broken)>,
}

/// The checkpoints of each chain.
type Kept<'a> = BTreeMap<Option<OrganizationId>, Vec<&'a Checkpoint>>;

/// Checks every chain that `history` knows or that a checkpoint names, from its first event
/// to its end, and that the events are those that were signed.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub async fn verify(
    history: &(impl History + ?Sized),
    kept: &[Checkpoint],
) -> Result<Verification, StoreError> {
    let mut left = Kept::new();
    for checkpoint in kept {
        left.entry(checkpoint.organization).or_default().push(checkpoint);
    }
    let mut found = Verification::default();
    let mut after = None;
    loop {
        let heads = history.heads(after, ROWS_MAX).await?;
        for head in &heads {
            let kept = left.remove(&head.organization).unwrap_or_default();
            match verify_chain(history, head, &kept).await? {
                Ok(events) => {
                    found.chains += 1;
                    found.events += events;
                    found.checkpoints += kept.len() as u64;
                }
                Err(broken) => found.broken.push((head.organization, broken)),
            }
        }
        let last = heads.last().and_then(|head| head.organization);
        if last.is_none() || last == after {
            break;
        }
        after = last;
    }
    found.broken.extend(left.into_keys().map(|organization| {
        (organization, missing(1, "is missing: the whole chain is gone, and a checkpoint was signed of it"))
    }));
    Ok(found)
}

/// How many events the chain has, or where it does not hold.
async fn verify_chain(
    history: &(impl History + ?Sized),
    head: &Chain,
    kept: &[&Checkpoint],
) -> Result<Result<u64, Broken>, StoreError> {
    let mut chain = Chain::empty(head.organization);
    loop {
        let events = history.events(head.organization, chain.sequence, ROWS_MAX).await?;
        for event in &events {
            if let Err(broken) = chain.verify(event) {
                return Ok(Err(broken));
            }
            for checkpoint in kept.iter().filter(|checkpoint| checkpoint.sequence == event.sequence) {
                if let Err(CheckpointError::Chain(broken)) = checkpoint.agrees_with(event) {
                    return Ok(Err(broken));
                }
            }
        }
        if events.is_empty() {
            break;
        }
    }
    // Events written meanwhile may follow the head that was read; fewer, or another one at
    // its place, may not.
    if chain.sequence < head.sequence || (chain.sequence == head.sequence && chain.hash != head.hash) {
        return Ok(Err(missing(chain.sequence + 1, "is missing: the chain ends before its recorded head")));
    }
    if kept.iter().any(|checkpoint| chain.sequence < checkpoint.sequence) {
        let reason = "is missing: the chain went on when its checkpoint was signed, and was cut off here";
        return Ok(Err(missing(chain.sequence + 1, reason)));
    }
    Ok(Ok(chain.sequence))
}

const fn missing(sequence: u64, reason: &'static str) -> Broken {
    Broken { sequence, id: String::new(), reason }
}

/// Signs the ends of all chains.
///
/// # Errors
/// [`StoreError`] if the history cannot be read.
pub async fn checkpoints(
    history: &(impl History + ?Sized),
    at: Timestamp,
    key: &Ed25519KeyPair,
) -> Result<Checkpoints, StoreError> {
    let mut signed = Vec::new();
    let mut after = None;
    loop {
        let heads = history.heads(after, ROWS_MAX).await?;
        signed.extend(heads.iter().map(|head| Checkpoint::sign(head, at, key)));
        let last = heads.last().and_then(|head| head.organization);
        if last.is_none() || last == after {
            return Ok(Checkpoints::new(signed, key));
        }
        after = last;
    }
}
