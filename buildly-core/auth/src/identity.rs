//! People, organizations, groups and what their groups may do.
//!
//! The rows are in [`user`], [`organization`], [`group`], [`one_time`] and [`directory`];
//! what can change in [`change`]; the hot state in [`snapshot`]. Each operation is a file
//! of its own.

mod caller;
pub mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod directory;
mod directory_changes;
mod email_verification;
mod founding;
pub mod group;
mod groups;
mod input;
mod invitations;
mod last_admin;
pub mod mail;
mod moving;
mod notices;
pub mod one_time;
pub mod organization;
mod organizations;
mod outside;
mod parts;
pub mod password;
mod password_reset;
mod profile;
mod registration;
mod service_groups;
pub mod settings;
mod sign_in;
pub mod snapshot;
pub mod store;
mod superuser;
pub mod throttle;
mod turns;
pub mod user;
mod user_update;
mod users;
mod view;

pub use buildly_model::Place;

pub use change::Change;
pub use directory::{Consortium, OrganizationType, Partner};
pub use group::{Group, GroupKey};
pub use groups::{GroupUpdate, Made};
pub(crate) use input::Input;
pub use mail::{Mail, Mailer};
pub use one_time::{Invitation, InvitationFault, Proof, ProofPurpose, SecretHash};
pub use organization::{Organization, OrganizationDetails};
pub use organizations::OrganizationUpdate;
pub use outside::OutsideIdentity;
pub(crate) use parts::{ATTEMPTS_MAX, Parts, is_stale};
pub use profile::ProfileUpdate;
pub use registration::Registration;
pub use settings::Settings;
pub use snapshot::{OrganizationFacts, Snapshot, UserFacts};
pub use store::{AdminMembership, Attachment, DeploymentRows, Member, OrganizationRows, Scope, Store};
pub use superuser::NewSuperuser;
pub use user::{Credentials, PasswordHash, Profile, User, UserKey};
pub use user_update::UserUpdate;
pub use view::{List, UserView};
