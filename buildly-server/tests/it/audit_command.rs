//! `buildly audit`, and commands that only read, as processes of their own.

use std::path::{Path, PathBuf};

use buildly_core::Sqlite;
use buildly_core::journal::{Chain, Event, History as _};
use buildly_model::system::System;
use buildly_model::{Identity, OrganizationId};
use rusqlite::params;
use serde_json::Value;

use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, Storage, fail, finish, run_with_input, succeed};

const NIL: &str = "00000000-0000-0000-0000-000000000000";

fn create_root(folder: &Path) {
    let arguments =
        ["admin", "create", "--username", "root", "--email", "root@example.org", "--organization", "Acme"];
    succeed(run_with_input(folder, &arguments, PASSWORD));
}

/// What `audit verify` finds, and its exit code.
fn verify(folder: &Path, more: &[&str]) -> (Value, Option<i32>) {
    let output = run_with_input(folder, &[&["audit", "verify", "--json"], more].concat(), "");
    let found = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (found, output.status.code())
}

fn open(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join("data/core.db")).unwrap()
}

/// The organization that has events, and how many.
fn longest_chain(folder: &Path) -> (OrganizationId, u64) {
    let query = "SELECT organization_id, sequence FROM journal_head WHERE organization_id <> ?1
                 ORDER BY sequence DESC LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    let (organization, sequence) = open(folder).query_row(query, [NIL], row).unwrap();
    (organization.parse().unwrap(), sequence.cast_unsigned())
}

#[test]
fn a_changed_event_is_named_and_the_command_fails() {
    let folder = Folder::new();
    create_root(&folder.0);
    assert_eq!(verify(&folder.0, &[]).1, Some(0));
    let (organization, _) = longest_chain(&folder.0);
    let change = "UPDATE journal SET subject = subject || 'x' WHERE organization_id = ?1 AND sequence = 2";
    assert_eq!(open(&folder.0).execute(change, [organization.to_string()]).unwrap(), 1);
    let output = run_with_input(&folder.0, &["audit", "verify"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("BROKEN: the chain of {organization}: event 2 (")), "{said}");
    assert_eq!(verify(&folder.0, &[]).0["broken"][0]["sequence"], 2);
}

#[tokio::test]
async fn a_checkpoint_shows_what_the_chain_alone_cannot() {
    type Attack = fn(&Path, OrganizationId, u64) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
    let attacks: [(&str, Attack, u64, &str); 3] = [
        ("the end is cut off", |folder, whose, last| Box::pin(cut_off(folder, whose, last)), 0, "cut off"),
        (
            "the chain is removed",
            |folder, whose, _| Box::pin(remove(folder, whose)),
            1,
            "whole chain is gone",
        ),
        ("all of it is written anew", |folder, whose, _| Box::pin(rewrite(folder, whose)), 0, "was signed"),
    ];
    for (case, attack, first, reason) in attacks {
        let folder = Folder::new();
        create_root(&folder.0);
        let said = succeed(run_with_input(&folder.0, &["audit", "checkpoint", "--output", "kept.json"], ""));
        assert!(said.contains("signed by the key "), "{said}");
        let agreed = verify(&folder.0, &["--checkpoint", "kept.json"]);
        assert_eq!((&agreed.0["broken"], agreed.1), (&Value::Array(Vec::new()), Some(0)), "{case}");
        assert!(agreed.0["checkpoints"].as_u64() >= Some(1), "{case}: {}", agreed.0);

        let (whose, last) = longest_chain(&folder.0);
        attack(&folder.0, whose, last).await;
        assert_eq!(verify(&folder.0, &[]).1, Some(0), "{case}: the chain alone does not show it");
        let (found, code) = verify(&folder.0, &["--checkpoint", "kept.json"]);
        assert_eq!(code, Some(1), "{case}: {found}");
        let broken = &found["broken"][0];
        assert_eq!(broken["organization"], whose.to_string(), "{case}");
        assert_eq!(broken["sequence"], if first == 0 { last } else { first }, "{case}: {found}");
        assert!(broken["reason"].as_str().unwrap().contains(reason), "{case}: {found}");
    }
}

async fn cut_off(folder: &Path, whose: OrganizationId, last: u64) {
    let (whose, last) = (whose.to_string(), last.cast_signed());
    let connection = open(folder);
    let delete = "DELETE FROM journal WHERE organization_id = ?1 AND sequence = ?2";
    connection.execute(delete, params![whose, last]).unwrap();
    let head = "UPDATE journal_head SET sequence = sequence - 1, hash = (SELECT hash FROM journal WHERE
                organization_id = ?1 AND sequence = ?2 - 1) WHERE organization_id = ?1";
    connection.execute(head, params![whose, last]).unwrap();
}

async fn remove(folder: &Path, whose: OrganizationId) {
    let connection = open(folder);
    for table in ["journal", "journal_head"] {
        let delete = format!("DELETE FROM {table} WHERE organization_id = ?1");
        connection.execute(&delete, [whose.to_string()]).unwrap();
    }
}

/// Writes every event anew, by somebody else, with hashes that fit each other.
async fn rewrite(folder: &Path, whose: OrganizationId) {
    let storage = Sqlite::open_read_only(folder.join("data")).await.unwrap();
    let events = storage.events(Some(whose), 0, 1000).await.unwrap();
    storage.close().await;
    let mut chain = Chain::empty(Some(whose));
    let connection = open(folder);
    for old in events {
        let event = Event {
            id: old.id,
            kind: old.kind.into(),
            subject: old.subject,
            actor: Identity::Anonymous,
            at: old.at,
            payload: serde_json::from_str(&old.payload.unwrap()).unwrap(),
        };
        let new = chain.link(&event, &System);
        let update =
            "UPDATE journal SET actor = ?3, payload = ?4, salt = ?5, payload_digest = ?6, previous = ?7,
                      hash = ?8 WHERE organization_id = ?1 AND sequence = ?2";
        let (whose, sequence) = (whose.to_string(), new.sequence.cast_signed());
        let digests = (&new.payload_digest.0[..], &new.previous.0[..], &new.hash.0[..]);
        let row = params![
            whose,
            sequence,
            new.actor,
            new.payload,
            &new.salt.0[..],
            digests.0,
            digests.1,
            digests.2
        ];
        assert_eq!(connection.execute(update, row).unwrap(), 1);
    }
    let head = "UPDATE journal_head SET hash = ?2 WHERE organization_id = ?1";
    connection.execute(head, params![whose.to_string(), &chain.hash.0[..]]).unwrap();
}

#[test]
fn a_checkpoint_is_believed_only_with_its_signature() {
    let folder = Folder::new();
    create_root(&folder.0);
    let kept: Value =
        serde_json::from_str(&succeed(run_with_input(&folder.0, &["audit", "checkpoint"], ""))).unwrap();
    let key = kept["public_key"].as_str().unwrap();
    let put = |value: &Value| std::fs::write(folder.0.join("kept.json"), value.to_string()).unwrap();
    let against = ["audit", "verify", "--checkpoint", "kept.json"];
    let with_key =
        |key: &str| run_with_input(&folder.0, &[&against[..], &["--public-key", key]].concat(), "");

    let mut forged = kept.clone();
    forged["checkpoints"][0]["hash"] = "00".repeat(32).into();
    put(&forged);
    assert!(fail(run_with_input(&folder.0, &against, "")).contains("signature does not fit"));
    put(&Value::Null);
    assert!(fail(run_with_input(&folder.0, &against, "")).contains("expected checkpoints"));
    put(&kept);
    assert!(fail(with_key("short")).contains("32 bytes in hexadecimal"));
    assert!(fail(with_key(&"11".repeat(32))).contains("signature does not fit"));
    succeed(with_key(key));
    std::fs::remove_file(folder.0.join("data/keys/checkpoint.key")).unwrap();
    assert!(fail(run_with_input(&folder.0, &against, "")).contains("--public-key"));
    succeed(with_key(key));
    assert!(!folder.0.join("data/keys/checkpoint.key").exists(), "`audit verify` only reads");
}

#[test]
fn a_running_server_signs_and_checks_checkpoints_too() {
    let folder = Folder::new();
    let server = Serving::start(&folder.0);
    succeed(run_with_input(&folder.0, &["audit", "checkpoint", "--output", "kept.json"], ""));
    assert!(
        fail(run_with_input(&folder.0, &["audit", "checkpoint", "--output", "kept.json"], ""))
            .contains("exist")
    );
    create_root(&folder.0);
    let (found, code) = verify(&folder.0, &["--checkpoint", "kept.json"]);
    assert_eq!((&found["broken"], code), (&Value::Array(Vec::new()), Some(0)), "{found}");
    assert_eq!(server.terminate().code(), Some(0));
}

const READING: [&[&str]; 4] =
    [&["status"], &["service", "list"], &["audit", "verify"], &["audit", "checkpoint"]];

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

#[test]
fn commands_that_read_make_nothing_where_nothing_is() {
    for arguments in READING {
        let folder = Folder::new();
        let said = fail(run_with_input(&folder.0, arguments, ""));
        assert!(
            said.contains("there is no data in `") && said.contains("--data-dir"),
            "{arguments:?}: {said}"
        );
        assert_eq!(files(&folder.0), Vec::<PathBuf>::new(), "{arguments:?}");
    }
}

#[tokio::test]
async fn commands_that_read_make_and_lease_nothing_on_postgresql() {
    let (storage, folder) = (Storage::postgres(), Folder::new());
    for arguments in READING {
        let said = fail(finish(storage.command(&folder.0, arguments), ""));
        assert!(said.contains("has no data of this program in the schema"), "{arguments:?}: {said}");
        assert_eq!(files(&folder.0), Vec::<PathBuf>::new(), "{arguments:?}");
    }
    let elsewhere = Folder::new();
    storage.create_root(&elsewhere.0);
    for arguments in &READING[..3] {
        succeed(finish(storage.command(&folder.0, arguments), ""));
        assert_eq!(files(&folder.0), Vec::<PathBuf>::new(), "{arguments:?}");
    }
    succeed(finish(storage.command(&elsewhere.0, &["audit", "checkpoint", "--output", "kept.json"]), ""));
    let against = ["audit", "verify", "--checkpoint", "kept.json"];
    succeed(finish(storage.command(&elsewhere.0, &against), ""));
    storage.remove().await;
}
