//! What nobody should hand over.

use std::mem::MaybeUninit;

use buildly::{
    Buffer, Code, Header, Slice, buildly_buffer_free, buildly_header_find, buildly_json_at, buildly_perform,
    buildly_register, buildly_request, buildly_sign_in,
};

use crate::harness::{PASSWORD, World, bytes, given, request, string, text, told};

#[test]
fn null_and_broken_texts_are_errors() {
    let world = World::new();
    // SAFETY: nothing is at NULL, which is what the length belies.
    let belied = unsafe { Slice::new(std::ptr::null(), 3) };
    let endless = {
        let byte = b"x";
        // SAFETY: refused for its length, before anything is read.
        unsafe { Slice::new(byte.as_ptr().cast(), usize::MAX) }
    };
    for (case, name) in [
        ("NULL", Slice::NONE),
        ("NULL with a length", belied),
        ("no UTF-8", bytes(b"ad\xff")),
        ("a length that no memory has", endless),
    ] {
        let refused =
            given(|place, error| buildly_sign_in(world.deployment, name, text(PASSWORD), place, error));
        let refused = refused.expect_err(case);
        assert_eq!(refused.code, Code::Invalid, "{case}");
        assert!(refused.fields.contains("\"field\":\"username\""), "{case}: {refused:?}");
    }
}

#[test]
fn every_refused_field_is_named() {
    let world = World::new();
    let refused = given(|place, error| {
        let (name, password, email) = (text(""), text("short"), Slice::NONE);
        buildly_register(world.deployment, Slice::NONE, name, password, text("Acme"), email, place, error)
    });
    let refused = refused.expect_err("both are wrong");
    assert_eq!(refused.code, Code::Invalid);
    assert!(refused.fields.contains("username") && refused.fields.contains("password"), "{refused:?}");
}

#[test]
fn arguments_that_are_no_json_are_errors() {
    let world = World::new();
    for arguments in ["{", "[]", "{\"caller\": 7}", "{\"nobody\": 1}"] {
        let refused = given(|place, error| {
            buildly_perform(world.deployment, text("me"), text(arguments), place, error)
        });
        assert_eq!(refused.expect_err(arguments).code, Code::Invalid, "{arguments}");
    }
}

#[test]
fn requests_that_are_none_are_errors() {
    let world = World::new();
    for (method, target) in [("", "/x/"), ("G T", "/x/"), ("GET", "x"), ("GET", ""), ("GET", "/a b")] {
        let refused = request(world.deployment, Slice::NONE, method, target, b"").expect_err(target);
        assert_eq!(refused.code, Code::Invalid, "{method} {target}");
    }
    let mut place = MaybeUninit::uninit();
    let split = Header { name: "X-A".into(), value: "1\r\nX-B: 2".into() };
    for (case, header, count) in [
        ("a header of two lines", &raw const split, 1),
        ("a count without headers", std::ptr::null(), 2),
        ("too many", &raw const split, usize::MAX),
    ] {
        let refused = told(|error| {
            let (method, target) = (text("GET"), text("/x/"));
            buildly_request(
                world.deployment,
                Slice::NONE,
                method,
                target,
                header,
                count,
                Slice::NONE,
                0,
                Some(&mut place),
                error,
            )
        });
        assert_eq!(refused.expect_err(case).code, Code::Invalid, "{case}");
    }
    let (status, body, kind) =
        request(world.deployment, Slice::NONE, "GET", "/nowhere/", b"").expect("an answer");
    assert_eq!((status, kind.as_deref()), (404, Some("application/problem+json")), "{body}");
}

#[test]
fn values_are_found_in_json() {
    let json = r#"{"a": [{"b": "text with \"quotes\""}, 7, null, {"c": true}]}"#;
    let at = |pointer: &str| given(|place, error| buildly_json_at(text(json), text(pointer), place, error));
    assert_eq!(at("/a/0/b").as_deref(), Ok("text with \"quotes\""));
    assert_eq!(at("/a/1").as_deref(), Ok("7"));
    assert_eq!(at("/a/3").as_deref(), Ok("{\"c\":true}"));
    assert_eq!(at("/a/9").expect_err("there is none").code, Code::NotFound);
    let broken = given(|place, error| buildly_json_at(text("{"), text("/a"), place, error));
    assert_eq!(broken.expect_err("no JSON").code, Code::Invalid);
    let deep = "[".repeat(100_000);
    let deep = given(|place, error| buildly_json_at(text(&deep), text("/a"), place, error));
    assert_eq!(deep.expect_err("too deep").code, Code::Invalid);
}

#[test]
fn headers_are_found_in_any_case_of_letters() {
    let all = [
        Header { name: "Content-Type".into(), value: "text/plain".into() },
        Header { name: "X-None".into(), value: Slice::NONE },
    ];
    let find = |name: &'static str| string(buildly_header_find(all.as_ptr(), all.len(), name.into()));
    assert_eq!(find("content-TYPE").as_deref(), Some("text/plain"));
    assert_eq!(find("x-none"), None);
    assert_eq!(find("x-other"), None);
    assert_eq!(string(buildly_header_find(std::ptr::null(), 3, "a".into())), None);
}

#[test]
fn freeing_nothing_does_nothing() {
    buildly_buffer_free(None);
    let mut buffer = Buffer::default();
    buildly_buffer_free(Some(&mut buffer));
    buildly_buffer_free(Some(&mut buffer));
}
