//! Stores to test with, each in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use buildly_model::EventId;
use buildly_model::system::{Clock as _, System};
use buildly_storage_sqlite::Sqlite;
use buildly_unit::conformance::Commits;

/// A new folder that goes when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let name = format!("buildly-test-{}", EventId::generate(System.now(), &System));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// An empty store of a test's own: `storage` has the read ports, `commits` is `Commit` for
/// the change of every area.
pub struct EmptyStore {
    pub storage: Arc<Sqlite>,
    #[allow(dead_code, reason = "for the suites of the areas")]
    pub commits: Commits,
    #[allow(dead_code, reason = "goes with the store")]
    pub folder: Folder,
}

pub async fn open_empty_store() -> EmptyStore {
    let folder = Folder::new();
    let storage = Arc::new(Sqlite::open(folder.path()).await.unwrap());
    EmptyStore { commits: Commits(storage.clone()), storage, folder }
}
