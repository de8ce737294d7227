//! The users whose sessions the suite opens.

use buildly_model::{OrganizationId, StoreError, UserId};

use super::{Commits, Session, at};
use crate::identity::{Change, Organization, OrganizationDetails, PasswordHash, Profile, User};

async fn commit(
    commits: Commits<'_>,
    organization: Option<OrganizationId>,
    change: Change,
) -> Result<(), StoreError> {
    use buildly_journal::{Event, Part};
    use buildly_model::{Principal, system::System};
    let event = Event::new("auth.test.happened", "test", (), &Principal::ANONYMOUS, &System, &System);
    commits.commit(Part::of(organization, change.into(), event)).await.map(drop)
}

fn user(session: &Session, id: UserId) -> User {
    User {
        id,
        number: 0,
        organization: session.organization,
        username: id.to_string(),
        email: String::new(),
        email_verified: false,
        first_name: String::new(),
        last_name: String::new(),
        is_active: true,
        is_superuser: false,
        credential_version: session.credential_version,
        profile: Profile::default(),
        groups: Vec::new(),
        version: 1,
        created_at: at(1),
        edited_at: at(1),
    }
}

/// Makes the user of a session, with the session's password, and the organization; those that
/// are there already stay.
pub(super) async fn make_user_of(commits: Commits<'_>, session: &Session) {
    let Some(id) = session.user else { return };
    if let Some(organization) = session.organization {
        let row = Organization {
            id: organization,
            name: organization.to_string(),
            details: OrganizationDetails::default(),
            version: 1,
            created_at: at(1),
            edited_at: at(1),
        };
        let made = commit(commits, Some(organization), Change::OrganizationCreated(Box::new(row))).await;
        assert!(matches!(made, Ok(()) | Err(StoreError::Taken { .. })), "got {made:?}");
    }
    let password_hash = PasswordHash::from_phc("$argon2id$any");
    let created = Change::UserCreated { user: Box::new(user(session, id)), password_hash };
    let made = commit(commits, session.organization, created).await;
    assert!(matches!(made, Ok(()) | Err(StoreError::Taken { .. })), "got {made:?}");
}

/// Gives the user of a session another password.
pub(super) async fn set_password(commits: Commits<'_>, session: &Session) {
    let user = session.user.expect("of a user");
    let password_hash = PasswordHash::from_phc("$argon2id$other");
    let change = Change::PasswordSet { user, password_hash, at: at(110) };
    commit(commits, session.organization, change).await.expect("a known user");
}

/// Takes the user of a session out of service.
pub(super) async fn switch_off(commits: Commits<'_>, session: &Session) {
    let id = session.user.expect("of a user");
    let off = User { is_active: false, ..user(session, id) };
    let changed = commit(commits, session.organization, Change::UserUpdated(Box::new(off))).await;
    changed.expect("a known user");
}
