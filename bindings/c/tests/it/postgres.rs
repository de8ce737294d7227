//! A deployment in PostgreSQL, in a schema of the test's own.

use std::mem::MaybeUninit;
use std::process::Command;

use buildly::{Code, Deployment, Slice, buildly_close, buildly_me, buildly_open, buildly_perform};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{PASSWORD, Told, given, json_of, sign_in, text, told};

fn url() -> String {
    let usual = || "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
    std::env::var("BUILDLY_TEST_DATABASE_URL").unwrap_or_else(|_| usual())
}

/// A schema that goes when it is dropped.
struct Schema(String);

impl Schema {
    fn new() -> Self {
        Self(format!("c_{}", Uuid::now_v7().simple()))
    }

    fn options(&self) -> Value {
        json!({"database_url": url(), "database_schema": self.0, "deployment_key": "0f".repeat(32)})
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.0);
        let dropped = Command::new("psql").args([&url(), "-q", "-c", &drop]).output();
        assert!(dropped.is_ok_and(|dropped| dropped.status.success()), "schema `{}` is left", self.0);
    }
}

fn open(options: &Value) -> Result<Deployment, Told> {
    let mut place = MaybeUninit::<Deployment>::uninit();
    let options = options.to_string();
    told(|error| buildly_open(Slice::NONE, text(&options), Some(&mut place), error))?;
    // SAFETY: written by the function.
    Ok(unsafe { place.assume_init() })
}

#[test]
fn two_handles_share_one_database() {
    let schema = Schema::new();
    let (one, other) = (open(&schema.options()).expect("made"), open(&schema.options()).expect("opened"));
    let founder = json!({"username": "ada", "password": PASSWORD, "organization": "Acme"}).to_string();
    json_of(|place, error| buildly_perform(one, text("create_superuser"), text(&founder), place, error));
    let token = sign_in(one, "ada").expect("she signs in");
    let me = given(|place, error| buildly_me(other, text(&token), place, error)).expect("she is known");
    assert!(me.contains("\"ada\""), "{me}");
    told(|error| buildly_close(one, error)).expect("it is closed");
    let me = given(|place, error| buildly_me(other, text(&token), place, error));
    assert!(me.is_ok(), "the other goes on: {me:?}");
    told(|error| buildly_close(other, error)).expect("it is closed");
}

#[test]
fn what_is_no_database_is_refused() {
    let key = "0f".repeat(32);
    let unused = "postgres://ada:hunter2@127.0.0.1:1/nowhere";
    let refused = open(&json!({"database_url": unused, "deployment_key": key})).expect_err("nobody is there");
    assert_eq!(refused.code, Code::Unavailable);
    assert!(!refused.message.contains("hunter2"), "{refused:?}");
    for (field, options) in [
        ("deployment_key", json!({"database_url": url()})),
        ("deployment_key", json!({"database_url": url(), "deployment_key": "0f"})),
        ("database_schema", json!({"database_schema": "without_a_database"})),
    ] {
        let refused = open(&options).expect_err(field);
        assert_eq!(refused.code, Code::Invalid, "{refused:?}");
        assert!(refused.fields.contains(field), "{refused:?}");
    }
}
