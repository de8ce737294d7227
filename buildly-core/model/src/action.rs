//! What a principal may want to do: one [`Action`], or a set of them ([`Actions`]).

use serde::{Deserialize, Serialize};

/// One thing a principal wants to do to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Make a new record (`POST`).
    Create,
    /// Look at records (`GET`, `HEAD`, `OPTIONS`).
    Read,
    /// Change a record (`PUT`, `PATCH`).
    Update,
    /// Remove a record (`DELETE`).
    Delete,
}

impl Action {
    /// All four, in the order of the bits of [`Actions`], highest first.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// The action that an HTTP method asks for; `None` for a method that asks for none of the four.
    ///
    /// ```
    /// use buildly_model::Action;
    /// assert_eq!(Action::of_method(&http::Method::PATCH), Some(Action::Update));
    /// assert_eq!(Action::of_method(&http::Method::TRACE), None);
    /// ```
    #[must_use]
    pub fn of_method(method: &http::Method) -> Option<Self> {
        match *method {
            http::Method::POST => Some(Self::Create),
            http::Method::GET | http::Method::HEAD | http::Method::OPTIONS => Some(Self::Read),
            http::Method::PUT | http::Method::PATCH => Some(Self::Update),
            http::Method::DELETE => Some(Self::Delete),
            _ => None,
        }
    }

    /// The word for it: `create`, `read`, `update`, `delete`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Create => 8,
            Self::Read => 4,
            Self::Update => 2,
            Self::Delete => 1,
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of actions: four bits in the order create, read, update, delete (8, 4, 2, 1).
///
/// ```
/// use buildly_model::{Action, Actions};
/// let viewer = Actions::NONE.with(Action::Read);
/// assert_eq!(viewer.bits(), 4);
/// assert!(viewer.contains(Action::Read) && !viewer.contains(Action::Delete));
/// assert_eq!(Actions::from_bits(99), Actions::ALL); // values above 15 count as 15
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Actions(u8);

impl Actions {
    /// No action at all.
    pub const NONE: Self = Self(0);
    /// Only looking.
    pub const READ: Self = Self(4);
    /// Everything.
    pub const ALL: Self = Self(15);

    /// Reads the stored number; values above 15 count as 15.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        if bits > 15 { Self::ALL } else { Self(bits) }
    }

    /// The number as it is stored, 0 to 15.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// This set and `action`.
    #[must_use]
    pub const fn with(self, action: Action) -> Self {
        Self(self.0 | action.bit())
    }

    /// Everything that is in one of the two.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `action` is in the set.
    #[must_use]
    pub const fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }
}
