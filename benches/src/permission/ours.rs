//! Ours: a snapshot that was loaded from a storage, as the server's are.

use std::sync::Arc;

use buildly_auth::identity::PasswordHash;
use buildly_auth::token::verify;
use buildly_auth::{Resource, Snapshot, Store, identity, token};
use buildly_model::{Action, Identity, Principal, Timestamp};
use buildly_storage_sqlite::Sqlite;
use buildly_unit::Committer;

use super::Judge;
use crate::Failure;
use crate::seed::{self, Question, Shape, organization_id, service_id, user_id};
use crate::tokens::Issuer;

/// So many questions are asked with a token; each has its own.
pub const TOKENS: u32 = 1_000;

/// The people of a shape, ready for questions.
pub struct People {
    snapshot: Snapshot,
    issuer: Issuer,
    shape: Shape,
}

impl People {
    /// Writes them to a new SQLite file and loads them.
    ///
    /// # Errors
    /// If the storage refuses.
    pub async fn of(shape: Shape) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("buildly-bench-{}", uuid::Uuid::now_v7()));
        let storage = Arc::new(Sqlite::open(&folder).await.map_err(Failure::http)?);
        let (committer, store): (Arc<dyn Committer>, Arc<dyn Store>) = (storage.clone(), storage.clone());
        let issuer = Issuer::new()?;
        seed::people(&committer, shape, &PasswordHash::from_phc("none")).await?;
        seed::resources(&committer, shape).await?;
        seed::deployment(&committer, issuer.changes()).await?;
        let mut snapshot = Snapshot {
            identity: identity::Snapshot::load(&store).await.map_err(Failure::http)?,
            token: token::Snapshot::load(&store).await.map_err(Failure::http)?,
            guards: buildly_auth::security::Guards::default(),
        };
        for organization in (0..shape.organizations).map(organization_id) {
            snapshot = snapshot.load_organization(organization, &store).await.map_err(Failure::http)?;
        }
        storage.close().await;
        std::fs::remove_dir_all(folder)?;
        Ok(Self { snapshot, issuer, shape })
    }

    /// Ready for questions of callers who are known already.
    #[must_use]
    pub fn resolved<'a>(&'a self, questions: &[Question]) -> Resolved<'a> {
        let principal = |user| Principal {
            identity: Identity::User(user_id(user)),
            organization: Some(organization_id(self.shape.organization_of(user))),
            ..Principal::ANONYMOUS
        };
        let asked = questions
            .iter()
            .map(|question| {
                let resource = Resource::Service(service_id(question.resource));
                (principal(question.user), resource, question.is_allowed)
            })
            .collect();
        Resolved { snapshot: &self.snapshot, asked }
    }

    /// Ready for questions of callers who show a token, [`TOKENS`] of them at most.
    ///
    /// # Errors
    /// If a token cannot be signed.
    pub fn from_token<'a>(&'a self, questions: &[Question]) -> Result<FromToken<'a>, Failure> {
        let asked = questions
            .iter()
            .take(TOKENS as usize)
            .map(|question| {
                let token = self.issuer.token(question.user, self.shape)?;
                Ok((token, Resource::Service(service_id(question.resource)), question.is_allowed))
            })
            .collect::<Result<_, Failure>>()?;
        // The clock is a system call less than a tenth as long as the rest; the gateway reads it
        // for other reasons anyway.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = i64::try_from(now.map_err(Failure::http)?.as_secs()).map_err(Failure::http)?;
        Ok(FromToken { snapshot: &self.snapshot, asked, now: Timestamp::from_seconds(now) })
    }
}

/// The caller is known: its user, organization, groups and the service are looked up.
pub struct Resolved<'a> {
    snapshot: &'a Snapshot,
    asked: Vec<(Principal, Resource, bool)>,
}

impl Judge for Resolved<'_> {
    fn is_right(&self, question: usize) -> bool {
        self.asked.get(question).is_some_and(|(principal, resource, expected)| {
            self.snapshot.check(principal, Action::Read, *resource).is_allowed() == *expected
        })
    }
}

/// The caller shows an access token whose signature was checked before; all else is looked up.
pub struct FromToken<'a> {
    snapshot: &'a Snapshot,
    asked: Vec<(String, Resource, bool)>,
    now: Timestamp,
}

impl Judge for FromToken<'_> {
    fn is_right(&self, question: usize) -> bool {
        self.asked.get(question).is_some_and(|(token, resource, expected)| {
            verify(self.snapshot, token, self.now).is_ok_and(|principal| {
                self.snapshot.check(&principal, Action::Read, *resource).is_allowed() == *expected
            })
        })
    }
}
