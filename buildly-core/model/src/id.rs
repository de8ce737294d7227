//! Ids: one type for each kind of thing, so that they cannot be mixed up.
//!
//! Each is a UUID; new ones are version 7 (RFC 9562 section 5.7), made from a time and
//! random bytes that are passed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Random, Timestamp};

/// A text that should be an id is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID such as `01890a5d-ac96-774b-bcce-b302099a8057`")]
pub struct ParseIdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id, version 7, from the time and random bits of the caller.
            #[must_use]
            pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
                let mut bytes = [0; 10];
                random.fill(&mut bytes);
                let milliseconds = u64::try_from(now.as_microseconds() / 1000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid())
            }

            /// Takes a UUID for an id of this kind.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| ParseIdError)
            }
        }
    )*};
}

ids! {
    /// An organization: the tenant, the wall nothing crosses.
    OrganizationId;
    /// A person's account.
    UserId;
    /// A role: a named set of grants.
    GroupId;
    /// An invitation to an organization.
    InvitationId;
    /// An OAuth client application.
    ApplicationId;
    /// An account for scripts, signed in by API keys.
    ServiceAccountId;
    /// One signed-in session: a family of refresh tokens and the access tokens issued with it.
    SessionId;
    /// One token (its `jti`).
    TokenId;
    /// A logic service behind the gateway.
    ServiceId;
    /// One running copy of a service.
    InstanceId;
    /// A kind of record that a service owns.
    RecordTypeId;
    /// A declared link between two record types.
    RelationshipId;
    /// One stored pair of linked records.
    JoinRecordId;
    /// One execution of a workflow template.
    RunId;
    /// A row of the workflow resources of Buildly Core 1.2.0: a level, its type or status, an
    /// order, a place in a team.
    LevelRowId;
    /// A fact in the journal.
    EventId;
    /// A receiver of an organization's events.
    WebhookId;
    /// One attempt to bring one event to a webhook.
    DeliveryId;
}
