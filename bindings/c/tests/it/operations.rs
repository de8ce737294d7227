//! What a deployment is asked: people, rights, services, joined pages, workflows, the journal.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use buildly::{
    Code, Incoming, Reply, Slice, buildly_check_permission, buildly_code_name, buildly_complete_task,
    buildly_events, buildly_me, buildly_operations, buildly_publish_template, buildly_register,
    buildly_register_service, buildly_reply_body, buildly_reply_header, buildly_start_run, buildly_tasks,
    buildly_version, buildly_wait_for_change, buildly_wait_for_run,
};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, World, given, json_of, request, sign_in, string, text, told};

/// One thing, or all of them.
unsafe extern "C-unwind" fn things(_: *mut c_void, incoming: *const Incoming, reply: Reply) -> c_int {
    // SAFETY: it is there until this returns.
    let target = string(unsafe { (*incoming).target }).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let thing = |id: i64| json!({"id": id, "name": format!("thing {id}")});
    let body = match path.trim_matches('/').rsplit('/').next().and_then(|last| last.parse().ok()) {
        Some(id) => thing(id),
        None => json!([thing(1), thing(2)]),
    };
    let json = ("Content-Type", "application/json");
    let done = told(|error| buildly_reply_header(reply, text(json.0), text(json.1), error))
        .and_then(|()| told(|error| buildly_reply_body(reply, text(&body.to_string()), error)));
    c_int::from(done.is_err())
}

#[test]
fn organizations_are_founded_and_their_people_keep_apart() {
    let world = World::new();
    let register = |caller: Slice, name: &str, organization: &str| {
        json_of(|place, error| {
            let (name, password, organization) = (text(name), text(PASSWORD), text(organization));
            buildly_register(
                world.deployment,
                caller,
                name,
                password,
                organization,
                Slice::NONE,
                place,
                error,
            )
        })
    };
    let founder = register(Slice::NONE, "eve", "Globex");
    assert_eq!((&founder["organization"], &founder["is_active"]), (&json!("Globex"), &json!(true)));
    let waiting = register(Slice::NONE, "mallory", "Acme");
    assert_eq!(waiting["is_active"], false, "who joins waits for approval");
    let joined = register(text(&world.ada), "bob", "Acme");
    assert_eq!(joined["is_active"], true);
    let eve = sign_in(world.deployment, "eve").expect("the founder signs in");
    let users = crate::harness::by(&eve, json!({}));
    let users = json_of(|place, error| {
        buildly::buildly_perform(world.deployment, text("users"), text(&users), place, error)
    });
    assert_eq!(users["items"].as_array().map(Vec::len), Some(1), "{users}");
}

#[test]
fn a_wrong_password_and_a_wrong_token_are_refused() {
    let world = World::new();
    let refused = given(|place, error| {
        buildly::buildly_sign_in(world.deployment, text("ada"), text("wrong"), place, error)
    });
    assert_eq!(refused.expect_err("wrong").code, Code::Unauthenticated);
    let refused = given(|place, error| buildly_me(world.deployment, text("no token"), place, error));
    assert_eq!(refused.expect_err("wrong").code, Code::Unauthenticated);
}

#[test]
fn a_right_is_told_with_its_reason_and_counts_at_once() {
    let world = World::new();
    world.register("crm", ptr::null_mut(), 0, things);
    let readers = world.perform("create_group", json!({"name": "Readers", "permissions": ["read"]}));
    world.perform("set_service_groups", json!({"service": "crm", "groups": [readers["id"]]}));
    let bob = json!({
        "username": "bob", "password": PASSWORD, "organization": "Acme", "groups": [readers["id"]],
    });
    let bob_id = world.perform("register", bob)["id"].clone();
    let bob = sign_in(world.deployment, "bob").expect("bob signs in");
    let may = |action: &str| {
        let mut is_allowed = MaybeUninit::uninit();
        let reason = given(|reason, error| {
            let (bob, place) = (text(&bob), Some(&mut is_allowed));
            buildly_check_permission(world.deployment, bob, text(action), text("crm"), place, reason, error)
        });
        // SAFETY: written by the function.
        reason.map(|reason| (unsafe { is_allowed.assume_init() }, reason))
    };
    assert_eq!(may("read"), Ok((true, "group `Readers` allows to read".to_owned())));
    let (is_allowed, reason) = may("delete").expect("an answer");
    assert!(!is_allowed && !reason.is_empty(), "{reason}");
    assert_eq!(may("fly").expect_err("no action").code, Code::Invalid);
    let get = || request(world.deployment, text(&bob), "GET", "/crm/things/", b"").expect("an answer").0;
    assert_eq!(get(), 200);
    world.perform("update_user", json!({"user": bob_id, "groups": []}));
    assert_eq!(get(), 403);
}

#[test]
fn a_page_is_joined() {
    let world = World::new();
    world.register("crm", ptr::null_mut(), 0, things);
    world.register("papers", ptr::null_mut(), 0, things);
    let declare = |service: &str, model: &str| {
        let arguments =
            json!({"service": service, "model": model, "endpoint": "/things/", "key_field": "id"});
        world.perform("create_record_type", arguments)
    };
    let (contact, paper) = (declare("crm", "Contact"), declare("papers", "Paper"));
    let relationship = json!({"key": "offers", "origin": contact["id"], "related": paper["id"]});
    world.perform("create_relationship", relationship);
    let link = json!({
        "origin_type": contact["name"], "origin": 1, "related_type": paper["name"], "related": 7,
    });
    world.perform("link", link);
    let (status, body, _) = world.ask("GET", "/crm/things/?join", b"");
    assert_eq!(status, 200, "{body}");
    let page: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(page[0]["offers"], json!([{"id": 7, "name": "thing 7"}]), "{page}");
    assert_eq!(page[1]["offers"], json!([]));
}

#[test]
fn a_run_calls_a_function_waits_for_a_person_and_ends() {
    let world = World::new();
    world.register("crm", ptr::null_mut(), 0, things);
    let template = json!({"name": "onboarding", "levels": [
        {"name": "read", "do": {"call": {"operation": "crm.crm_read", "parameters": {"id": "input.id"}}}},
        {"name": "approve", "do": {"task": {"group": "Admins", "show": "levels.read",
            "form": {"type": "object", "required": ["yes"]}}}},
    ]});
    let (deployment, ada) = (world.deployment, text(&world.ada));
    let template = template.to_string();
    let published =
        json_of(|place, error| buildly_publish_template(deployment, ada, text(&template), place, error));
    assert_eq!(published["version"], 1);
    let mut run = json_of(|place, error| {
        buildly_start_run(deployment, ada, text("onboarding"), text(r#"{"id": "2"}"#), place, error)
    });
    let id = run["id"].as_str().expect("an id").to_owned();
    while !run["live"].as_array().expect("a list").iter().any(|level| level["phase"] == "task") {
        let seen = run["version"].as_u64().expect("a number");
        run = json_of(|place, error| {
            buildly_wait_for_change(deployment, ada, text(&id), seen, 30_000, place, error)
        });
        assert_eq!(run["is_ended"], false, "{run}");
    }
    let tasks = json_of(|place, error| buildly_tasks(deployment, ada, text(&id), true, place, error));
    assert_eq!(tasks["items"][0]["show"]["name"], "thing 2", "{tasks}");
    let task = tasks["items"][0]["id"].as_str().expect("an id");
    let complete = |data: &str| {
        given(|place, error| buildly_complete_task(deployment, ada, text(task), text(data), place, error))
    };
    assert_eq!(complete("{}").expect_err("the form wants `yes`").code, Code::Invalid);
    complete(r#"{"yes": true}"#).expect("it is completed");
    let run = json_of(|place, error| buildly_wait_for_run(deployment, ada, text(&id), 30_000, place, error));
    assert_eq!((&run["status"], &run["result"]), (&json!("completed"), &json!({"yes": true})), "{run}");
    assert_eq!(complete(r#"{"yes": true}"#).expect_err("it is done").code, Code::Conflict);
}

#[test]
fn an_unsound_template_is_refused_with_all_that_must_be_mended() {
    let world = World::new();
    let template = r#"{"name": "w", "levels": [{"name": "a", "do": {"call": {"operation": "no.such"}}}]}"#;
    let refused = given(|place, error| {
        buildly_publish_template(world.deployment, text(&world.ada), text(template), place, error)
    });
    let refused = refused.expect_err("there is no such operation");
    assert_eq!(refused.code, Code::Invalid);
    assert!(refused.fields.contains("no.such"), "{refused:?}");
}

#[test]
fn the_journal_is_read_page_by_page() {
    let world = World::new();
    for number in 0..5 {
        world.perform("create_group", json!({"name": format!("g{number}"), "permissions": ["read"]}));
    }
    let page = |before: u64, limit: u32| {
        json_of(|place, error| {
            buildly_events(world.deployment, text(&world.ada), before, limit, place, error)
        })
    };
    let sequences = |page: &Value| -> Vec<u64> {
        let events = page.as_array().expect("a list").iter();
        events.map(|event| event["sequence"].as_u64().expect("a number")).collect()
    };
    let all = sequences(&page(0, 1000));
    let mut read = Vec::new();
    let mut before = 0;
    loop {
        let part = sequences(&page(before, 3));
        let Some(last) = part.last() else { break };
        before = *last;
        read.extend(part);
    }
    assert!(all.len() > 5 && all.is_sorted_by(|a, b| a > b), "{all:?}");
    assert_eq!(read, all);
    let bob = json!({"username": "bob", "password": PASSWORD, "organization": "Acme"});
    world.perform("register", bob);
    let bob = sign_in(world.deployment, "bob").expect("bob signs in");
    let refused = given(|place, error| buildly_events(world.deployment, text(&bob), 0, 3, place, error));
    assert_eq!(refused.expect_err("bob administers nothing").code, Code::Forbidden);
    let verified = json_of(|place, error| {
        buildly::buildly_perform(world.deployment, text("verify_journal"), Slice::NONE, place, error)
    });
    assert_eq!(verified["broken"], json!([]));
}

#[test]
fn a_service_elsewhere_is_registered_by_its_address() {
    let world = World::new();
    let register = |url: &str| {
        given(|place, error| {
            buildly_register_service(world.deployment, text(&world.ada), text("far"), text(url), place, error)
        })
    };
    assert_eq!(register("no address").expect_err("no address").code, Code::Invalid);
    let service = register("http://127.0.0.1:1").expect("it is registered");
    assert!(service.contains("http://127.0.0.1:1"), "{service}");
    let (status, body, _) = world.ask("GET", "/far/things/", b"");
    assert!(status >= 500, "nobody listens there: {status} {body}");
}

#[test]
fn operations_codes_and_the_version_have_names() {
    let names = json_of(|place, error| buildly_operations(place, error));
    let names = names.as_array().expect("a list");
    assert!(names.contains(&json!("sign_in")) && names.contains(&json!("verify_journal")), "{names:?}");
    let read = |text| {
        // SAFETY: a C string that is never freed.
        unsafe { std::ffi::CStr::from_ptr(text) }.to_str().expect("UTF-8")
    };
    assert_eq!(read(buildly_version()), env!("CARGO_PKG_VERSION"));
    assert_eq!(read(buildly_code_name(Code::NotFound as i32)), "not_found");
    assert_eq!(read(buildly_code_name(99)), "unknown");
}
