//! Commits a second: of a row with its event, as every change of ours is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use buildly_auth::identity::{Change, Invitation, PasswordHash, SecretHash};
use buildly_journal::{Event, Part};
use buildly_model::system::System;
use buildly_model::{Clock as _, InvitationId, Principal};
use buildly_unit::{Committer, Unit};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Failure;
use crate::report::Figure;
use crate::seed::{self, Shape, organization_id};

/// Who makes something durable.
#[async_trait]
pub trait Commits: Send + Sync {
    /// Writes one more; it is durable when this returns.
    async fn commit(&self) -> Result<(), Failure>;
}

/// A storage of ours: an invitation and its event, in the chain of an organization.
pub struct Ours(Arc<dyn Committer>);

impl Ours {
    /// Over an empty storage.
    ///
    /// # Errors
    /// If the storage refuses.
    pub async fn over(storage: Arc<dyn Committer>) -> Result<Self, Failure> {
        seed::people(&storage, Shape::of(100), &PasswordHash::from_phc("none")).await?;
        Ok(Self(storage))
    }
}

#[async_trait]
impl Commits for Ours {
    async fn commit(&self) -> Result<(), Failure> {
        let (organization, id, now) = (organization_id(0), Uuid::now_v7(), System.now());
        let invitation = Invitation {
            id: InvitationId::from_uuid(id),
            organization,
            email: "somebody@example.org".to_owned(),
            secret: SecretHash::of(id.as_bytes()),
            invited_by: None,
            created_at: now,
            expires_at: now.after(Duration::from_secs(3600)),
            used_at: None,
        };
        let payload = serde_json::json!({"email": invitation.email});
        let event =
            Event::new("auth.invitation.created", id, payload, &Principal::ANONYMOUS, &System, &System);
        let change = buildly_auth::Change::from(Change::InvitationCreated(invitation)).into();
        let unit = Unit { parts: vec![Part::of(Some(organization), change, event)] };
        self.0.commit(unit).await.map(drop).map_err(Failure::http)
    }
}

/// So many callers commit one after the other for so long, after a warm-up of a fifth of it.
pub async fn measure(commits: &Arc<dyn Commits>, at_once: usize, long: Duration) -> Figure {
    let began = Instant::now() + long / 5;
    let end = began + long;
    let mut callers = JoinSet::new();
    for _ in 0..at_once {
        let commits = Arc::clone(commits);
        callers.spawn(async move {
            let (mut took, mut bad) = (Vec::new(), 0_u64);
            while Instant::now() < end {
                let one = Instant::now();
                match commits.commit().await {
                    Ok(()) if one >= began => took.push(one.elapsed().as_secs_f64() * 1e3),
                    Ok(()) => {}
                    Err(_) => bad += 1,
                }
            }
            (took, bad)
        });
    }
    let (mut took, mut bad) = (Vec::new(), 0);
    while let Some(done) = callers.join_next().await {
        let Ok((of_one, bad_of_one)) = done else { continue };
        took.extend(of_one);
        bad += bad_of_one;
    }
    Figure::of(took, bad, began.elapsed().as_secs_f64())
}
