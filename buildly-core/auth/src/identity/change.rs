//! What identity can change; a storage applies each variant inside the unit's transaction.

use buildly_model::{GroupId, InvitationId, OrganizationId, ServiceId, Timestamp, UserId};
use uuid::Uuid;

use super::{
    Consortium, Group, Invitation, Organization, OrganizationType, Partner, PasswordHash, Proof,
    ProofPurpose, SecretHash, User,
};

/// One change. Where a row carries a `version`, it is the one that was read: the storage
/// refuses the change as stale if the stored one differs, and writes the next.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds an organization; its name must be free (`Taken { field: "organization_name" }`).
    OrganizationCreated(Box<Organization>),
    /// Changes name and details.
    OrganizationUpdated(Box<Organization>),
    /// Removes an organization with its groups and invitations; stale if it has users.
    OrganizationDeleted(OrganizationId),
    /// Adds a user with its memberships; the name must be free (`Taken { field: "username" }`).
    UserCreated {
        /// The user.
        user: Box<User>,
        /// What its password is checked against.
        password_hash: PasswordHash,
    },
    /// Changes everything of a user but its password; the memberships are replaced.
    UserUpdated(Box<User>),
    /// Sets a password and begins the next credential version; other password resets of
    /// the user no longer count.
    PasswordSet {
        /// Whose.
        user: UserId,
        /// The new hash.
        password_hash: PasswordHash,
        /// When.
        at: Timestamp,
    },
    /// Writes the same password under newer parameters; nothing if the password changed meanwhile.
    PasswordRehashed {
        /// Whose.
        user: UserId,
        /// Which password it was made from.
        credential_version: u64,
        /// The new hash.
        password_hash: PasswordHash,
    },
    /// Lets an outside identity sign in as a user; it must be nobody's yet
    /// (`Taken { field: "outside_identity" }`).
    OutsideIdentityLinked {
        /// Who vouches.
        issuer: String,
        /// Whom the issuer means.
        subject: String,
        /// The user.
        user: UserId,
        /// When.
        at: Timestamp,
    },
    /// Removes a user with its memberships, proofs and outside identities.
    UserDeleted(UserId),
    /// Adds a group.
    GroupCreated(Group),
    /// Changes a group.
    GroupUpdated(Group),
    /// Removes a group with its memberships. It stays attached to services, so that a
    /// service never opens because a group went away.
    GroupDeleted(GroupId),
    /// Adds an invitation.
    InvitationCreated(Invitation),
    /// Marks an invitation as used; stale if it was.
    InvitationUsed {
        /// Which.
        invitation: InvitationId,
        /// When.
        at: Timestamp,
    },
    /// Adds a proof; older ones of the user for the same purpose are removed.
    ProofCreated(Proof),
    /// Marks a proof as used; stale if it was.
    ProofUsed {
        /// Which.
        secret: SecretHash,
        /// What for.
        purpose: ProofPurpose,
        /// When.
        at: Timestamp,
    },
    /// Removes the unused proofs of a user: they went to an address that the user no longer has.
    ProofsForgotten(UserId),
    /// Adds an organization type (`Taken { field: "name" }`).
    OrganizationTypeCreated(OrganizationType),
    /// Changes the one of that number.
    OrganizationTypeUpdated(OrganizationType),
    /// Removes the one of that number; stale while an organization has it.
    OrganizationTypeDeleted(i64),
    /// Adds or replaces a consortium.
    ConsortiumSaved(Consortium),
    /// Removes a consortium.
    ConsortiumDeleted(Uuid),
    /// Adds or replaces a partner.
    PartnerSaved(Partner),
    /// Removes a partner.
    PartnerDeleted(Uuid),
    /// Attaches exactly these groups to a service.
    ServiceGroupsSet {
        /// Which.
        service: ServiceId,
        /// The groups; none means that every signed-in user may use the service.
        groups: Vec<GroupId>,
    },
}
