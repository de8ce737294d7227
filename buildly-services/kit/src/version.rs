//! Which version of its tables a database has: a program does not open those of a newer one.
//!
//! Tables are only ever added to, so a program that is running goes on while a newer one extends
//! them. One that starts afterwards would not know what it sees, and is refused.

use buildly_model::StoreError;

use crate::statement::Dialect;
use crate::value::Kind;

/// The version of the kit's own tables.
const KIT: i64 = 1;

/// Asks for the two numbers of [`Version`].
pub(crate) const SELECT: &str = "SELECT kit, service FROM schema_version";

/// The versions of the kit's tables and of the service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) kit: i64,
    pub(crate) service: i64,
}

impl Version {
    /// What this program knows of a service that declares this number.
    pub(crate) fn known(service: u32) -> Self {
        Self { kit: KIT, service: i64::from(service) }
    }

    /// What to run so that a database says this version; `None` if it says so already.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the database is of a newer program.
    pub(crate) fn follow(self, found: Option<Self>) -> Result<Option<String>, StoreError> {
        let Some(found) = found else { return Ok(Some(self.write())) };
        if found.kit > self.kit || found.service > self.service {
            return Err(StoreError::corrupt(format!(
                "the database has version {} of the service's tables and {} of the kit's, but this program \
                 knows them up to {} and {}; run the program that it was last opened with, or a newer one, \
                 or restore a copy from before",
                found.service, found.kit, self.service, self.kit
            )));
        }
        Ok((found != self).then(|| self.write()))
    }

    fn write(self) -> String {
        format!(
            "INSERT INTO schema_version (id, kit, service) VALUES (1, {}, {})
            ON CONFLICT (id) DO UPDATE SET kit = excluded.kit, service = excluded.service",
            self.kit, self.service
        )
    }
}

/// The table of the one row.
pub(crate) fn create(dialect: Dialect) -> String {
    let integer = dialect.column_type(Kind::Integer);
    let strict = if dialect == Dialect::Sqlite { " STRICT" } else { "" };
    format!(
        "CREATE TABLE IF NOT EXISTS schema_version (
            id {integer} NOT NULL PRIMARY KEY CHECK (id = 1),
            kit {integer} NOT NULL,
            service {integer} NOT NULL
        ){strict};"
    )
}
