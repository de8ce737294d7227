//! People, organizations, groups and what their groups may do.
//!
//! The rows are in [`user`], [`organization`], [`group`], [`one_time`] and [`directory`];
//! what can change in [`change`]; the hot state in [`snapshot`]. Each operation is a file
//! of its own.

pub mod change;
pub mod directory;
pub mod group;
pub mod mail;
pub mod one_time;
pub mod organization;
mod parts;
pub mod password;
pub mod settings;
mod sign_in;
pub mod snapshot;
pub mod store;
pub mod throttle;
pub mod user;

pub use change::Change;
pub use directory::{Consortium, OrganizationType, Partner};
pub use group::{Group, GroupKey};
pub use mail::{Mail, Mailer};
pub use one_time::{Invitation, InvitationFault, Proof, ProofPurpose, SecretHash};
pub use organization::{Organization, OrganizationDetails};
pub(crate) use parts::Parts;
pub use settings::Settings;
pub use snapshot::{OrganizationFacts, Snapshot, UserFacts};
pub use store::{AdminMembership, Attachment, DeploymentRows, Member, OrganizationRows, Scope, Store};
pub use user::{Credentials, PasswordHash, Profile, User, UserKey};
