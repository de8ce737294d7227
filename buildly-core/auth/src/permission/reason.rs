//! Why a decision came out as it did; its text is a sentence that names the group or the rule.

use std::fmt;
use std::sync::Arc;

use buildly_model::{Action, Actions};

use crate::identity::Group;

/// The rule or group that decided.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// Superusers may do everything.
    Superuser,
    /// No group is attached to the service.
    ServiceOpen,
    /// A group of the principal has the permission.
    Granted {
        /// The group.
        group: Arc<Group>,
        /// What it allows.
        action: Action,
    },
    /// A group of the principal administers the organization.
    OrganizationAdmin {
        /// The group.
        group: Arc<Group>,
    },
    /// A group of the principal administers the deployment.
    GlobalAdmin {
        /// The group.
        group: Arc<Group>,
    },
    /// The principal administers the deployment.
    AdministersDeployment,
    /// It is the principal's own account.
    Own,
    /// Nobody is signed in.
    NotSignedIn,
    /// There is no such user any more.
    UnknownUser,
    /// The account is not active.
    Inactive,
    /// The user has moved to another organization since signing in.
    MovedAway,
    /// It belongs to another organization.
    OtherOrganization,
    /// No group of the principal has the permission.
    NotGranted {
        /// What was asked for.
        action: Action,
    },
    /// A group of the principal is attached to the service, but does not have the permission.
    GroupTooWeak {
        /// The group.
        group: Arc<Group>,
        /// What was asked for.
        action: Action,
    },
    /// None of the groups attached to the service is one of the principal's.
    NoGroupAttached {
        /// What was asked for.
        action: Action,
    },
    /// Only administrators of the organization may.
    NotAdministrator,
    /// Only administrators of the deployment may.
    NotGlobalAdmin,
    /// Only superusers may.
    NotSuperuser,
    /// The deployment takes only invited users.
    InvitationNeeded,
    /// Nobody gives or takes more rights than they have.
    MoreThanOwn,
    /// A security extension refuses what would be allowed.
    Refused {
        /// Its name.
        by: Arc<str>,
        /// What it says.
        refusal: Arc<str>,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superuser => formatter.write_str("superusers may do everything"),
            Self::ServiceOpen => {
                formatter.write_str("no group is attached to the service, so every signed-in user may use it")
            }
            Self::Granted { group, action } => write!(formatter, "group `{}` allows to {action}", group.name),
            Self::OrganizationAdmin { group } => {
                write!(formatter, "group `{}` administers the organization", group.name)
            }
            Self::GlobalAdmin { group } => {
                write!(formatter, "group `{}` administers the deployment", group.name)
            }
            Self::AdministersDeployment => formatter.write_str("you administer the deployment"),
            Self::Own => formatter.write_str("it is the caller's own account"),
            Self::NotSignedIn => formatter.write_str("nobody is signed in"),
            Self::UnknownUser => formatter.write_str("the user no longer exists"),
            Self::Inactive => {
                formatter.write_str("the account is not active: an administrator has to approve it")
            }
            Self::MovedAway => {
                formatter.write_str("the user belongs to another organization now: sign in again")
            }
            Self::OtherOrganization => formatter.write_str("it belongs to another organization"),
            Self::NotGranted { action } => {
                write!(formatter, "none of your groups allows to {action}")
            }
            Self::GroupTooWeak { group, action } => write!(
                formatter,
                "group `{}` allows {} only, and no other group of yours that is attached to the service allows to {action}",
                group.name,
                Listed(group.permissions)
            ),
            Self::NoGroupAttached { action } => write!(
                formatter,
                "you are in none of the groups that are attached to the service, so none allows to {action}"
            ),
            Self::NotAdministrator => formatter.write_str("only administrators of the organization may"),
            Self::NotGlobalAdmin => formatter.write_str("only administrators of the deployment may"),
            Self::NotSuperuser => formatter.write_str("only superusers may"),
            Self::InvitationNeeded => formatter.write_str("registration needs an invitation"),
            Self::MoreThanOwn => formatter
                .write_str("nobody may give, or take from a group, more rights than they have themselves"),
            Self::Refused { by, refusal } => write!(formatter, "{refusal} (`{by}`)"),
        }
    }
}

/// Prints a set of actions as `create, read`, or `nothing`.
struct Listed(Actions);

impl fmt::Display for Listed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for action in Action::ALL.into_iter().filter(|action| self.0.contains(*action)) {
            if !first {
                formatter.write_str(", ")?;
            }
            first = false;
            write!(formatter, "{action}")?;
        }
        if first { formatter.write_str("nothing") } else { Ok(()) }
    }
}
