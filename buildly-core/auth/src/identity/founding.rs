//! What a new organization begins with: its two groups.

use buildly_model::{Actions, GroupId, OrganizationId, Random, Timestamp};

use super::{Group, Organization, OrganizationDetails};

/// A new organization with its groups.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Founding {
    pub(crate) organization: Organization,
    pub(crate) admins: Group,
    pub(crate) users: Group,
}

/// Decides what a new organization of that name is.
pub(crate) fn found(name: &str, now: Timestamp, random: &dyn Random) -> Founding {
    found_as(OrganizationId::generate(now, random), name, now, random)
}

/// As [`found`], of an organization that has its id already.
pub(crate) fn found_as(id: OrganizationId, name: &str, now: Timestamp, random: &dyn Random) -> Founding {
    Founding {
        organization: Organization {
            id,
            name: name.trim().to_owned(),
            details: OrganizationDetails::default(),
            version: 1,
            created_at: now,
            edited_at: now,
        },
        admins: Group {
            name: Group::ADMINS.to_owned(),
            permissions: Actions::ALL,
            is_organization_level: true,
            ..new_group(Some(id), now, random)
        },
        users: Group {
            name: Group::USERS.to_owned(),
            permissions: Actions::READ,
            is_organization_level: true,
            is_default: true,
            ..new_group(Some(id), now, random)
        },
    }
}

/// A group without a name that may only look.
pub(crate) fn new_group(organization: Option<OrganizationId>, now: Timestamp, random: &dyn Random) -> Group {
    Group {
        id: GroupId::generate(now, random),
        number: 0,
        organization,
        name: String::new(),
        is_global: false,
        is_organization_level: false,
        is_default: false,
        permissions: Actions::READ,
        version: 1,
        created_at: now,
        edited_at: now,
    }
}

impl Founding {
    /// The groups in the order in which they get their numbers.
    pub(crate) fn groups(&self) -> [&Group; 2] {
        [&self.admins, &self.users]
    }

    /// The groups of the first user.
    pub(crate) fn founder_groups(&self) -> Vec<GroupId> {
        vec![self.admins.id, self.users.id]
    }
}
