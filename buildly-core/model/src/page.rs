//! Pages of lists: a bounded size and an opaque cursor.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::FieldError;

/// How many rows a page may hold: 1 to [`PageSize::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl PageSize {
    /// The most rows of one page.
    pub const MAX: u32 = 1000;
    /// The size when nobody says one.
    pub const DEFAULT: Self = Self(100);

    /// Takes a size; 0 counts as 1, and more than [`PageSize::MAX`] as that.
    #[must_use]
    pub fn clamped(rows: u32) -> Self {
        Self(rows.clamp(1, Self::MAX))
    }

    /// The number of rows.
    #[must_use]
    pub const fn rows(self) -> u32 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Where the next page begins; its text means something only to the list that gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` if this is the last.
    pub next: Option<Cursor>,
}

/// A place in a list that is ordered by name and number: that of one of its rows, whether the
/// row is still there or not. Written as `number,name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The row's name.
    pub name: String,
    /// The row's number.
    pub number: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{}", self.number, self.name)
    }
}

impl FromStr for Place {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let refused =
            || FieldError::new("after", "Expected a number, a comma and a name, as the part before says it.");
        let (number, name) = text.split_once(',').ok_or_else(refused)?;
        if name.contains('\0') {
            return Err(refused());
        }
        let number = number.parse().map_err(|_| refused())?;
        Ok(Self { name: name.to_owned(), number })
    }
}
