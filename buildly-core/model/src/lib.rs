//! The words of Buildly: ids, time, principals, actions, pages, errors and bodies.
//!
//! This crate knows nobody; every other crate speaks in its terms. It performs no I/O
//! (the one file that reads the clock and draws random numbers is [`mod@system`]).

mod action;
mod body;
mod error;
mod id;

mod page;
mod principal;
mod revision;
mod secret;
mod service_client;
pub mod system;
mod time;
mod version;

pub use action::{Action, Actions};
pub use body::{Body, BodyError, TooLong};
pub use error::{ErrorKind, FieldError, StoreError};
pub use id::{
    ApplicationId, DeliveryId, EventId, GroupId, InstanceId, InvitationId, JoinRecordId, LevelRowId,
    OrganizationId, ParseIdError, RecordTypeId, RelationshipId, RunId, ServiceAccountId, ServiceId,
    SessionId, TokenId, UserId, WebhookId,
};
pub use page::{Cursor, Page, PageSize, Place};
pub use principal::{Identity, ParseIdentityError, Principal, Proof};
pub use revision::Revision;
pub use secret::Secret;
pub use service_client::{CallError, ServiceCall, ServiceClient};
pub use system::{Clock, Random};
pub use time::Timestamp;
pub use version::version_from_if_match;
