//! The ground that the demo stands on: a folder, and perhaps schemas of a database, that the
//! demo itself has made. It tells nothing on other people's data, where its sign-ins with a
//! public password would be a hole, and `--reset` deletes nothing that it has not made.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use buildly_core::{Folder, Postgres};

use super::Failure;
use super::killed::NODE;
use crate::configuration::Configuration;
use crate::local;

/// The file that says that the demo made the folder, and which schemas.
const MARK: &str = "made-by-demo";
/// Its first line; each further one names a schema.
const SENTENCE: &str = "`buildly demo` made this folder; `buildly demo --reset` deletes its data again.";
/// What the server and the demo's services keep in the folder, all of it.
const KEPT: [&str; 18] = [
    "core.db",
    "core.db-wal",
    "core.db-shm",
    "crm.db",
    "crm.db-wal",
    "crm.db-shm",
    "documents.db",
    "documents.db-wal",
    "documents.db-shm",
    "appointments.db",
    "appointments.db-wal",
    "appointments.db-shm",
    "content",
    "incoming",
    "keys",
    "mail",
    "buildly.sock",
    NODE,
];
/// It stays, so that nobody locks a file that is gone.
const LOCK: &str = "lock";

/// Marks the folder, and the schemas if there are any, as the demo's, before anything is put there.
///
/// # Errors
/// [`Failure`] if others have put something there.
pub async fn claim(configuration: &Configuration) -> Result<(), Failure> {
    let folder = &configuration.data_dir;
    let mark = Mark::read(folder)?;
    if mark.is_none() && !is_empty(folder)? {
        return Err(Failure::new(format!(
            "`{}` holds files that the demo has not made, and its sign-ins with a public password do not \
             belong beside them: name a new folder with `--data-dir FOLDER`",
            folder.display()
        )));
    }
    let mut mark = mark.unwrap_or_default();
    if let Some(database) = Database::of(configuration)
        && !mark.databases.contains(&database.name)
    {
        for schema in &database.schemas {
            let exists = Postgres::schema_exists(&database.url, schema).await;
            if exists.map_err(|error| Failure::new(error.to_string()))? {
                return Err(Failure::new(format!(
                    "the schema `{schema}` is in the database already, and the demo has not made it for `{}`: \
                     name another with `--set database_schema=NAME`",
                    folder.display()
                )));
            }
        }
        mark.databases.push(database.name);
    }
    Folder::create(folder).map_err(|error| Failure::new(error.to_string()))?;
    mark.write(folder)
}

/// Deletes what an earlier demo has left: in the folder, which nobody may be using, and in the
/// database that the settings name.
///
/// # Errors
/// [`Failure`] if the demo has not made the folder, or somebody uses it; nothing is deleted then.
pub async fn clear(configuration: &Configuration) -> Result<(), Failure> {
    let folder = &configuration.data_dir;
    if is_empty(folder)? {
        return Ok(());
    }
    let Some(mut mark) = Mark::read(folder)? else {
        return Err(Failure::new(format!(
            "`{}` was not made by `buildly demo` (it has no file `{MARK}`): nothing was deleted; name another \
             folder with `--data-dir FOLDER`",
            folder.display()
        )));
    };
    let in_use = |error: buildly_core::Error| Failure::new(format!("nothing was deleted: {error}"));
    let _lock = Folder::at(folder).lock().map_err(in_use)?;
    // On PostgreSQL a server takes no lock, but it has its socket.
    if local::is_served(folder).await {
        return Err(Failure::new(format!(
            "nothing was deleted: a server runs on `{}`; stop it first",
            folder.display()
        )));
    }
    if let Some(database) = Database::of(configuration)
        && mark.databases.contains(&database.name)
    {
        for schema in &database.schemas {
            let dropped = Postgres::drop_schema(&database.url, schema).await;
            dropped.map_err(|error| Failure::new(error.to_string()))?;
        }
        mark.databases.retain(|name| *name != database.name);
    }
    for name in KEPT {
        let path = folder.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path, &error)),
            _ => {}
        }
    }
    mark.write(folder)
}

/// The schemas that the demo fills, in the database that the settings name.
struct Database {
    url: String,
    /// Where it is and the core's schema; without user and password.
    name: String,
    schemas: Vec<String>,
}

impl Database {
    fn of(configuration: &Configuration) -> Option<Self> {
        let url = configuration.database_url.as_ref()?.expose().to_owned();
        let schema = &configuration.database_schema;
        let place = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let place = place.split(['?', '#']).next().unwrap_or_default();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let name = format!("{place} {schema}");
        let schemas = [schema.clone(), format!("{schema}_{NODE}")].into_iter().flat_map(|schema| {
            ["", "_crm", "_documents", "_appointments"].map(|service| format!("{schema}{service}"))
        });
        Some(Self { schemas: schemas.collect(), url, name })
    }
}

/// What the mark says.
#[derive(Default)]
struct Mark {
    databases: Vec<String>,
}

impl Mark {
    fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(MARK);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Self { databases: text.lines().skip(1).map(str::to_owned).collect() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(MARK);
        let write = || -> io::Result<()> {
            let mut file = fs::File::create(&path)?;
            writeln!(file, "{SENTENCE}")?;
            self.databases.iter().try_for_each(|database| writeln!(file, "{database}"))
        };
        write().map_err(|error| failed(&path, &error))
    }
}

/// Whether nothing is there but a lock that somebody has left.
fn is_empty(folder: &Path) -> Result<bool, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(failed(folder, &error)),
    };
    let names: io::Result<Vec<_>> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    Ok(names.map_err(|error| failed(folder, &error))?.iter().all(|name| name == LOCK))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}`: {error}", path.display()))
}
