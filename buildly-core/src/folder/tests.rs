use std::os::unix::fs::PermissionsExt as _;

use buildly_model::system::System;

use super::*;

fn empty_place() -> PathBuf {
    std::env::temp_dir().join(format!("buildly-folder-{}", System.number()))
}

#[test]
fn keys_are_drawn_once_and_only_their_owner_reads_them() {
    let place = empty_place();
    let folder = Folder::create(&place).unwrap();
    let first = folder.deployment_key(&System).unwrap();
    assert_ne!(first, [0; DEPLOYMENT_KEY_BYTES]);
    assert_eq!(Folder::create(&place).unwrap().deployment_key(&System).unwrap(), first);
    for (path, mode) in [(folder.keys(), 0o700), (folder.keys().join("deployment.key"), 0o600)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    assert!(folder.checkpoint_key().is_ok());
    fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_broken_key_file_is_refused_and_kept() {
    let place = empty_place();
    let folder = Folder::create(&place).unwrap();
    fs::write(folder.keys().join("deployment.key"), b"short").unwrap();
    assert!(matches!(folder.deployment_key(&System), Err(Error::Key { .. })));
    assert_eq!(fs::read(folder.keys().join("deployment.key")).unwrap(), b"short");
    fs::remove_dir_all(place).unwrap();
}
