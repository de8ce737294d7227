//! Opened, used by threads, closed; closed and wrong handles.

use std::mem::MaybeUninit;
use std::sync::Barrier;
use std::time::Duration;

use buildly::{
    Code, Deployment, Reply, Slice, buildly_close, buildly_is_open, buildly_me, buildly_open,
    buildly_perform, buildly_reply_status, buildly_start_run, buildly_wait_for_run,
};
use serde_json::json;

use crate::harness::{World, by, given, json_of, open, request, sign_in, text, told};

fn me(deployment: Deployment, token: &str) -> Result<String, crate::harness::Told> {
    given(|place, error| buildly_me(deployment, text(token), place, error))
}

#[test]
fn a_folder_is_opened_again_with_what_was_in_it() {
    let folder = std::env::temp_dir().join(format!("buildly-c-{}", std::process::id()));
    let path = folder.to_str().expect("a path in UTF-8").to_owned();
    let first = open(text(&path)).expect("it is made");
    let arguments = json!({"username": "ada", "password": crate::harness::PASSWORD, "organization": "Acme"});
    let arguments = arguments.to_string();
    let made = given(|place, error| {
        buildly_perform(first, text("create_superuser"), text(&arguments), place, error)
    });
    made.expect("the first user is made");
    let second = open(text(&path)).expect_err("a folder belongs to one");
    assert_eq!(second.code, Code::Unavailable, "{second:?}");
    told(|error| buildly_close(first, error)).expect("it is closed");
    let again = open(text(&path)).expect("it is opened again");
    let token = sign_in(again, "ada").expect("ada is still there");
    assert!(me(again, &token).expect("she is known").contains("\"ada\""));
    told(|error| buildly_close(again, error)).expect("it is closed");
    std::fs::remove_dir_all(folder).expect("the folder is removed");
}

#[test]
fn a_folder_that_cannot_be_used_says_so() {
    let told = open(text(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).expect_err("it is a file");
    assert_eq!(told.code, Code::Unavailable);
    assert!(told.message.contains("Cargo.toml"), "{told:?}");
}

#[test]
fn nothing_can_be_asked_after_closing() {
    let world = World::new();
    assert!(buildly_is_open(world.deployment));
    told(|error| buildly_close(world.deployment, error)).expect("it is closed");
    assert!(!buildly_is_open(world.deployment));
    for refused in [
        me(world.deployment, &world.ada).expect_err("me"),
        sign_in(world.deployment, "ada").expect_err("sign in"),
        request(world.deployment, Slice::NONE, "GET", "/x/", b"").expect_err("request"),
        told(|error| buildly_close(world.deployment, error)).expect_err("close"),
    ] {
        assert_eq!(refused.code, Code::Closed);
        assert!(refused.message.contains("open it again"), "{refused:?}");
    }
}

#[test]
fn a_wrong_handle_is_an_error() {
    for id in [0, 1 << 40, u64::MAX] {
        let refused = me(Deployment { id }, "x").expect_err("nobody has opened it");
        assert_eq!(refused.code, Code::Invalid, "{id}");
        assert!(refused.fields.contains("deployment"), "{refused:?}");
    }
    let world = World::new();
    let refused = told(|error| buildly_reply_status(Reply { id: world.deployment.id }, 201, error));
    let refused = refused.expect_err("a deployment is no reply");
    assert_eq!(refused.code, Code::Invalid);
    assert!(refused.message.contains("another kind"), "{refused:?}");
}

#[test]
fn places_may_be_missing_and_are_emptied() {
    let refused = told(|error| buildly_open(Slice::NONE, Slice::NONE, None, error));
    assert!(refused.expect_err("nowhere to put it").message.contains("not NULL"));
    assert_eq!(buildly_open(Slice::NONE, Slice::NONE, None, None), Code::Invalid);
    let mut place = MaybeUninit::new(Deployment { id: 7 });
    let code = buildly_open(text("a\0b"), Slice::NONE, Some(&mut place), None);
    assert_eq!(code, Code::Invalid);
    // SAFETY: it was written before.
    assert_eq!(unsafe { place.assume_init() }, Deployment { id: 0 });
}

#[test]
fn options_are_read() {
    let mut place = MaybeUninit::uninit();
    let mut open =
        |options: &str| told(|error| buildly_open(Slice::NONE, text(options), Some(&mut place), error));
    for wrong in ["{", "[]", r#"{"thread": 2}"#, r#"{"threads": -1}"#] {
        assert_eq!(open(wrong).expect_err(wrong).code, Code::Invalid, "{wrong}");
    }
    open(r#"{"threads": 1, "works_for_runs": false}"#).expect("these are right");
    // SAFETY: it was opened.
    told(|error| buildly_close(unsafe { place.assume_init() }, error)).expect("it is closed");
}

#[test]
fn several_threads_use_one_handle() {
    let world = World::new();
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (world, barrier) = (&world, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..5 {
                    let group = json!({"name": format!("g{number}-{round}"), "permissions": ["read"]});
                    world.perform("create_group", group);
                    assert!(me(world.deployment, &world.ada).is_ok());
                }
            });
        }
    });
    let groups = world.perform("groups", json!({}));
    let names = groups["items"].as_array().expect("a list");
    let ours = names.iter().filter(|group| group["name"].as_str().is_some_and(|name| name.starts_with('g')));
    assert_eq!(ours.count(), 40);
}

#[test]
fn closing_ends_what_others_wait_for() {
    let world = World::new();
    let template =
        json!({"name": "w", "levels": [{"name": "a", "do": {"wait": {"signal": {"name": "go"}}}}]});
    world.perform("publish_template", json!({"template": template}));
    let run = json_of(|place, error| {
        buildly_start_run(world.deployment, text(&world.ada), text("w"), Slice::NONE, place, error)
    });
    let id = run["id"].as_str().expect("an id");
    let (started, waited) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            started.send(()).expect("somebody listens");
            given(|place, error| {
                buildly_wait_for_run(world.deployment, text(&world.ada), text(id), 600_000, place, error)
            })
        });
        waited.recv_timeout(Duration::from_secs(30)).expect("it has begun");
        told(|error| buildly_close(world.deployment, error)).expect("it is closed");
        let ended = waiting.join().expect("it has not panicked");
        assert!(ended.is_err(), "the run has not ended: {ended:?}");
    });
}

#[test]
fn closing_under_threads_that_use_it_ends_them_with_an_error() {
    let world = World::new();
    std::thread::scope(|scope| {
        let users = [(); 4].map(|()| {
            scope.spawn(|| {
                loop {
                    match me(world.deployment, &world.ada) {
                        Ok(_) => {}
                        Err(told) if told.code == Code::Closed => return,
                        Err(told) => assert_eq!(told.code, Code::Unavailable, "{told:?}"),
                    }
                }
            })
        });
        for _ in 0..20 {
            assert!(me(world.deployment, &world.ada).is_ok());
        }
        told(|error| buildly_close(world.deployment, error)).expect("it is closed");
        for user in users {
            user.join().expect("it has not panicked");
        }
    });
}

#[test]
fn an_operation_that_does_not_exist_is_an_error() {
    let world = World::new();
    let arguments = by(&world.ada, json!({}));
    let refused =
        given(|place, error| buildly_perform(world.deployment, text("fly"), text(&arguments), place, error));
    assert_eq!(refused.expect_err("there is none").code, Code::NotFound);
}
