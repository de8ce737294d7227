//! People and roles in the shape of casbin's public benchmarks: ten users a role, each user in
//! one role, ten roles a resource, each role reads one resource.

use std::sync::Arc;

use buildly_auth::identity::{Change, Group, Organization, OrganizationDetails, PasswordHash, Profile, User};
use buildly_auth::token;
use buildly_journal::Part;
use buildly_model::{Action, Actions, GroupId, OrganizationId, ServiceId, Timestamp, UserId};
use buildly_unit::{Committer, Unit};
use uuid::Uuid;

use crate::Failure;
use crate::random::Numbers;

/// So many users have one role, and so many roles one resource.
const A_ROLE: u32 = 10;
/// Rows of one unit.
const UNIT_ROWS: usize = 5_000;

/// How many people and roles there are, in how many organizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Users in all.
    pub users: u32,
    /// Organizations; roles and resources are shared out among them.
    pub organizations: u32,
}

/// May this user read that resource?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The user's number.
    pub user: u32,
    /// The resource's number.
    pub resource: u32,
    /// The right answer.
    pub is_allowed: bool,
}

impl Shape {
    /// Everybody in one organization, as casbin has it.
    #[must_use]
    pub const fn of(users: u32) -> Self {
        Self { users, organizations: 1 }
    }

    /// How many roles there are.
    #[must_use]
    pub const fn roles(self) -> u32 {
        self.users / A_ROLE
    }

    /// How many resources there are.
    #[must_use]
    pub const fn resources(self) -> u32 {
        self.roles() / A_ROLE
    }

    /// The role that a user has.
    #[must_use]
    pub const fn role_of(self, user: u32) -> u32 {
        user / A_ROLE
    }

    /// The resource that a role reads.
    #[must_use]
    pub const fn resource_of(self, role: u32) -> u32 {
        role / A_ROLE
    }

    /// The organization that a user belongs to.
    #[must_use]
    pub const fn organization_of(self, user: u32) -> u32 {
        user / (self.users / self.organizations)
    }

    /// Questions about random users, every other one to be denied.
    #[must_use]
    pub fn questions(self, count: usize) -> Vec<Question> {
        let mut numbers = Numbers::default();
        let question = |number| {
            let user = numbers.below(self.users);
            let own = self.resource_of(self.role_of(user));
            let is_allowed = number % 2 == 0;
            let other = (own + 1 + numbers.below(self.resources() - 1)) % self.resources();
            Question { user, resource: if is_allowed { own } else { other }, is_allowed }
        };
        (0..count).map(question).collect()
    }
}

/// The id of something by its number.
fn id(kind: u128, number: u32) -> Uuid {
    // The version and variant of a UUIDv7 at some moment; what is behind is spread.
    let spread = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0x3fff_ffff_ffff_ffff;
    Uuid::from_u128((0x019a_0000_0000_7000 | kind) << 64 | 2 << 62 | spread)
}

/// The id of a user.
#[must_use]
pub fn user_id(number: u32) -> UserId {
    UserId::from_uuid(id(1, number))
}

/// The id of a role.
#[must_use]
pub fn group_id(number: u32) -> GroupId {
    GroupId::from_uuid(id(2, number))
}

/// The id of a resource.
#[must_use]
pub fn service_id(number: u32) -> ServiceId {
    ServiceId::from_uuid(id(3, number))
}

/// The id of an organization.
#[must_use]
pub fn organization_id(number: u32) -> OrganizationId {
    OrganizationId::from_uuid(id(4, number))
}

/// The name that a user signs in with.
#[must_use]
pub fn username(number: u32) -> String {
    format!("user{number}")
}

/// Writes the people and roles of a shape; all users have the password of that hash.
///
/// # Errors
/// If the storage refuses.
pub async fn people(
    storage: &Arc<dyn Committer>,
    shape: Shape,
    password: &PasswordHash,
) -> Result<(), Failure> {
    let per_role = shape.roles() / shape.organizations;
    let mut organizations: Vec<(u32, Change)> =
        (0..shape.organizations).map(|number| (number, organization(number))).collect();
    organizations
        .extend((0..shape.roles()).map(|number| (number / per_role, group(number, number / per_role))));
    write(storage, organizations).await?;
    let user = |number| {
        let user = Box::new(user(number, shape));
        (shape.organization_of(number), Change::UserCreated { user, password_hash: password.clone() })
    };
    for from in (0..shape.users).step_by(UNIT_ROWS) {
        let to = shape.users.min(from + u32::try_from(UNIT_ROWS).unwrap_or(u32::MAX));
        write(storage, (from..to).map(user).collect()).await?;
    }
    Ok(())
}

/// Attaches to each resource the roles that read it.
///
/// # Errors
/// If the storage refuses.
pub async fn resources(storage: &Arc<dyn Committer>, shape: Shape) -> Result<(), Failure> {
    for resource in 0..shape.resources() {
        let roles: Vec<u32> = (resource * A_ROLE..(resource + 1) * A_ROLE).collect();
        attach(storage, service_id(resource), &roles).await?;
    }
    Ok(())
}

/// Attaches roles to a service.
///
/// # Errors
/// If the storage refuses.
pub async fn attach(storage: &Arc<dyn Committer>, service: ServiceId, roles: &[u32]) -> Result<(), Failure> {
    let groups = roles.iter().copied().map(group_id).collect();
    write(storage, vec![(0, Change::ServiceGroupsSet { service, groups })]).await
}

/// Writes changes of auth, of tokens say, that belong to the whole deployment.
///
/// # Errors
/// If the storage refuses.
pub async fn deployment(storage: &Arc<dyn Committer>, changes: Vec<token::Change>) -> Result<(), Failure> {
    let changes = changes.into_iter().map(|change| buildly_auth::Change::from(change).into()).collect();
    let unit = Unit { parts: vec![Part::of_all(None, changes, Vec::new())] };
    storage.commit(unit).await.map(drop).map_err(Failure::http)
}

async fn write(storage: &Arc<dyn Committer>, changes: Vec<(u32, Change)>) -> Result<(), Failure> {
    let part = |(organization, change): (u32, Change)| {
        let change = buildly_auth::Change::from(change).into();
        Part::of_all(Some(organization_id(organization)), vec![change], Vec::new())
    };
    let unit = Unit { parts: changes.into_iter().map(part).collect() };
    storage.commit(unit).await.map(drop).map_err(Failure::http)
}

fn moment() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}

fn organization(number: u32) -> Change {
    Change::OrganizationCreated(Box::new(Organization {
        id: organization_id(number),
        name: format!("Organization {number}"),
        details: OrganizationDetails::default(),
        version: 1,
        created_at: moment(),
        edited_at: moment(),
    }))
}

fn group(number: u32, organization: u32) -> Change {
    Change::GroupCreated(Group {
        id: group_id(number),
        number: 0,
        organization: Some(organization_id(organization)),
        name: format!("role{number}"),
        is_global: false,
        is_organization_level: true,
        is_default: false,
        permissions: Actions::NONE.with(Action::Read),
        version: 1,
        created_at: moment(),
        edited_at: moment(),
    })
}

fn user(number: u32, shape: Shape) -> User {
    User {
        id: user_id(number),
        number: 0,
        organization: Some(organization_id(shape.organization_of(number))),
        username: username(number),
        email: format!("user{number}@example.org"),
        email_verified: true,
        first_name: "User".to_owned(),
        last_name: number.to_string(),
        is_active: true,
        is_superuser: false,
        credential_version: 1,
        profile: Profile::default(),
        groups: vec![group_id(shape.role_of(number))],
        version: 1,
        created_at: moment(),
        edited_at: moment(),
    }
}
