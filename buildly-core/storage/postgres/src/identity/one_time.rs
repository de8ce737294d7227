//! Invitations and proofs.

use buildly_auth::identity::{Invitation, Proof, ProofPurpose, SecretHash};
use buildly_model::{InvitationId, OrganizationId, StoreError, Timestamp, UserId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::column::{broken, fresh, instant, optional_instant, organization, refusal, uuid};
use crate::engine::store_error;

const INVITATION: &str = "
    SELECT id, organization_id, email, secret, invited_by, created_at, expires_at, used_at
    FROM invitation WHERE secret = $1";

pub(super) async fn invitation(
    tx: &mut PgConnection,
    secret: SecretHash,
) -> Result<Option<Invitation>, StoreError> {
    let query = sqlx::query(INVITATION).bind(secret.as_bytes().as_slice());
    let Some(row) = query.fetch_optional(tx).await.map_err(store_error)? else { return Ok(None) };
    let read = || {
        Ok(Invitation {
            id: InvitationId::from_uuid(row.try_get("id")?),
            organization: OrganizationId::from_uuid(row.try_get("organization_id")?),
            email: row.try_get("email")?,
            secret: hash(&row)?,
            invited_by: row.try_get::<Option<Uuid>, _>("invited_by")?.map(UserId::from_uuid),
            created_at: instant(&row, "created_at")?,
            expires_at: instant(&row, "expires_at")?,
            used_at: optional_instant(&row, "used_at")?,
        })
    };
    read().map(Some).map_err(store_error)
}

const INSERT_INVITATION: &str = "
    INSERT INTO invitation (id, organization_id, email, secret, invited_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn create_invitation(
    tx: &mut PgConnection,
    invitation: &Invitation,
) -> Result<(), StoreError> {
    let query = sqlx::query(INSERT_INVITATION)
        .bind(invitation.id.as_uuid())
        .bind(invitation.organization.as_uuid())
        .bind(&invitation.email)
        .bind(invitation.secret.as_bytes().as_slice())
        .bind(invitation.invited_by.map(|user| user.as_uuid()))
        .bind(invitation.created_at.as_microseconds())
        .bind(invitation.expires_at.as_microseconds());
    query.execute(tx).await.map(drop).map_err(refusal)
}

const USE_INVITATION: &str = "
    UPDATE invitation SET used_at = $1
    WHERE id = $2 AND organization_id IS NOT DISTINCT FROM $3 AND used_at IS NULL";

pub(super) async fn use_invitation(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    invitation: InvitationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let query = sqlx::query(USE_INVITATION)
        .bind(at.as_microseconds())
        .bind(invitation.as_uuid())
        .bind(uuid(organization));
    fresh(&query.execute(tx).await.map_err(store_error)?)
}

const PROOF: &str = "
    SELECT secret, purpose, organization_id, account_id, email, created_at, expires_at, used_at
    FROM proof WHERE secret = $1";

pub(super) async fn proof(tx: &mut PgConnection, secret: SecretHash) -> Result<Option<Proof>, StoreError> {
    let query = sqlx::query(PROOF).bind(secret.as_bytes().as_slice());
    let Some(row) = query.fetch_optional(tx).await.map_err(store_error)? else { return Ok(None) };
    let read = || {
        let purpose: &str = row.try_get("purpose")?;
        let unknown = || broken("purpose", "an unknown purpose");
        Ok(Proof {
            secret: hash(&row)?,
            purpose: ProofPurpose::of_name(purpose).ok_or_else(unknown)?,
            organization: organization(&row, "organization_id")?,
            user: UserId::from_uuid(row.try_get("account_id")?),
            email: row.try_get("email")?,
            created_at: instant(&row, "created_at")?,
            expires_at: instant(&row, "expires_at")?,
            used_at: optional_instant(&row, "used_at")?,
        })
    };
    read().map(Some).map_err(store_error)
}

const DELETE_OLDER: &str = "DELETE FROM proof WHERE account_id = $1 AND purpose = $2 AND used_at IS NULL";
const INSERT_PROOF: &str = "
    INSERT INTO proof (secret, purpose, organization_id, account_id, email, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn create_proof(tx: &mut PgConnection, proof: &Proof) -> Result<(), StoreError> {
    let (user, purpose) = (proof.user.as_uuid(), proof.purpose.name());
    sqlx::query(DELETE_OLDER).bind(user).bind(purpose).execute(&mut *tx).await.map_err(store_error)?;
    let query = sqlx::query(INSERT_PROOF)
        .bind(proof.secret.as_bytes().as_slice())
        .bind(purpose)
        .bind(uuid(proof.organization))
        .bind(user)
        .bind(&proof.email)
        .bind(proof.created_at.as_microseconds())
        .bind(proof.expires_at.as_microseconds());
    query.execute(&mut *tx).await.map(drop).map_err(refusal)
}

const USE_PROOF: &str = "
    UPDATE proof SET used_at = $1
    WHERE secret = $2 AND purpose = $3 AND organization_id IS NOT DISTINCT FROM $4 AND used_at IS NULL";

pub(super) async fn use_proof(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    secret: SecretHash,
    purpose: ProofPurpose,
    at: Timestamp,
) -> Result<(), StoreError> {
    let query = sqlx::query(USE_PROOF)
        .bind(at.as_microseconds())
        .bind(secret.as_bytes().as_slice())
        .bind(purpose.name())
        .bind(uuid(organization));
    fresh(&query.execute(tx).await.map_err(store_error)?)
}

const FORGET_PROOFS: &str = "
    DELETE FROM proof
    WHERE organization_id IS NOT DISTINCT FROM $1 AND account_id = $2 AND used_at IS NULL";

pub(super) async fn forget_proofs(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    user: UserId,
) -> Result<(), StoreError> {
    let query = sqlx::query(FORGET_PROOFS).bind(uuid(organization)).bind(user.as_uuid());
    query.execute(tx).await.map(drop).map_err(store_error)
}

fn hash(row: &PgRow) -> sqlx::Result<SecretHash> {
    SecretHash::from_bytes(row.try_get("secret")?).ok_or_else(|| broken("secret", "expected 32 bytes"))
}
