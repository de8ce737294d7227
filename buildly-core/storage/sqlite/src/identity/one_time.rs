//! Invitations and proofs.

use buildly_auth::identity::{Invitation, Proof, ProofPurpose, SecretHash};
use buildly_model::{InvitationId, OrganizationId, StoreError, Timestamp, UserId};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::column::{execute, first, id, instant, optional_id, optional_instant, text};
use crate::engine::store_error;

const INVITATION: &str = "
    SELECT id, organization_id, email, secret, invited_by, created_at, expires_at, used_at
    FROM invitation WHERE secret = ?1";

pub(super) fn invitation(tx: &Connection, secret: SecretHash) -> Result<Option<Invitation>, StoreError> {
    first(tx, INVITATION, params![secret.as_bytes()], |row| {
        Ok(Invitation {
            id: id(row, 0)?,
            organization: id(row, 1)?,
            email: row.get(2)?,
            secret: hash(row, 3)?,
            invited_by: optional_id(row, 4)?,
            created_at: instant(row, 5)?,
            expires_at: instant(row, 6)?,
            used_at: optional_instant(row, 7)?,
        })
    })
}

const INSERT_INVITATION: &str = "
    INSERT INTO invitation (id, organization_id, email, secret, invited_by, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn create_invitation(tx: &Connection, invitation: &Invitation) -> Result<(), StoreError> {
    let parameters = params![
        invitation.id.to_string(),
        invitation.organization.to_string(),
        invitation.email,
        invitation.secret.as_bytes(),
        text(invitation.invited_by),
        invitation.created_at.as_microseconds(),
        invitation.expires_at.as_microseconds(),
    ];
    execute(tx, INSERT_INVITATION, parameters).map(drop).map_err(store_error)
}

const USE_INVITATION: &str = "
    UPDATE invitation SET used_at = ?1 WHERE id = ?2 AND organization_id IS ?3 AND used_at IS NULL";

pub(super) fn use_invitation(
    tx: &Connection,
    organization: Option<OrganizationId>,
    invitation: InvitationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let parameters = params![at.as_microseconds(), invitation.to_string(), text(organization)];
    match execute(tx, USE_INVITATION, parameters).map_err(store_error)? {
        0 => Err(StoreError::Stale),
        _ => Ok(()),
    }
}

const PROOF: &str = "
    SELECT secret, purpose, organization_id, account_id, email, created_at, expires_at, used_at
    FROM proof WHERE secret = ?1";

pub(super) fn proof(tx: &Connection, secret: SecretHash) -> Result<Option<Proof>, StoreError> {
    first(tx, PROOF, params![secret.as_bytes()], |row| {
        let purpose: String = row.get(1)?;
        Ok(Proof {
            secret: hash(row, 0)?,
            purpose: ProofPurpose::of_name(&purpose).ok_or_else(|| unreadable(1, Type::Text))?,
            organization: optional_id(row, 2)?,
            user: id(row, 3)?,
            email: row.get(4)?,
            created_at: instant(row, 5)?,
            expires_at: instant(row, 6)?,
            used_at: optional_instant(row, 7)?,
        })
    })
}

const DELETE_OLDER: &str = "DELETE FROM proof WHERE account_id = ?1 AND purpose = ?2 AND used_at IS NULL";
const INSERT_PROOF: &str = "
    INSERT INTO proof (secret, purpose, organization_id, account_id, email, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn create_proof(tx: &Connection, proof: &Proof) -> Result<(), StoreError> {
    let (user, purpose) = (proof.user.to_string(), proof.purpose.name());
    execute(tx, DELETE_OLDER, params![user, purpose]).map_err(store_error)?;
    let parameters = params![
        proof.secret.as_bytes(),
        purpose,
        text(proof.organization),
        user,
        proof.email,
        proof.created_at.as_microseconds(),
        proof.expires_at.as_microseconds(),
    ];
    execute(tx, INSERT_PROOF, parameters).map(drop).map_err(store_error)
}

const USE_PROOF: &str = "
    UPDATE proof SET used_at = ?1
    WHERE secret = ?2 AND purpose = ?3 AND organization_id IS ?4 AND used_at IS NULL";

pub(super) fn use_proof(
    tx: &Connection,
    organization: Option<OrganizationId>,
    secret: SecretHash,
    purpose: ProofPurpose,
    at: Timestamp,
) -> Result<(), StoreError> {
    let parameters = params![at.as_microseconds(), secret.as_bytes(), purpose.name(), text(organization)];
    match execute(tx, USE_PROOF, parameters).map_err(store_error)? {
        0 => Err(StoreError::Stale),
        _ => Ok(()),
    }
}

const FORGET_PROOFS: &str = "
    DELETE FROM proof WHERE organization_id IS ?1 AND account_id = ?2 AND used_at IS NULL";

pub(super) fn forget_proofs(
    tx: &Connection,
    organization: Option<OrganizationId>,
    user: UserId,
) -> Result<(), StoreError> {
    let parameters = params![text(organization), user.to_string()];
    execute(tx, FORGET_PROOFS, parameters).map(drop).map_err(store_error)
}

fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<SecretHash> {
    SecretHash::from_bytes(row.get_ref(column)?.as_blob()?).ok_or_else(|| unreadable(column, Type::Blob))
}

fn unreadable(column: usize, kind: Type) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "proof or invitation".to_owned(), kind)
}
