//! Services that are functions of the host's.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use buildly::{
    Code, Incoming, Reply, buildly_attach_function, buildly_close, buildly_header_find,
    buildly_register_function, buildly_reply_body, buildly_reply_header, buildly_reply_status,
};

use crate::harness::{World, bytes, document, string, text, told};

/// Answers with what it was asked.
unsafe extern "C-unwind" fn echo(_: *mut c_void, incoming: *const Incoming, reply: Reply) -> c_int {
    // SAFETY: it is there until this returns.
    let incoming = unsafe { &*incoming };
    let kind = buildly_header_find(incoming.headers, incoming.headers_count, "content-type".into());
    let seen = [incoming.method, incoming.target, incoming.body, kind].map(string);
    let body = format!("{seen:?}");
    let done = told(|error| buildly_reply_status(reply, 201, error))
        .and_then(|()| told(|error| buildly_reply_header(reply, text("X-Echo"), text("yes"), error)))
        .and_then(|()| {
            told(|error| buildly_reply_header(reply, text("Content-Type"), text("text/plain"), error))
        })
        .and_then(|()| told(|error| buildly_reply_body(reply, text(&body), error)));
    c_int::from(done.is_err())
}

#[test]
fn a_function_is_called_and_answers() {
    let world = World::new();
    world.register("echo", ptr::null_mut(), 0, echo);
    let (status, body, kind) = world.ask("POST", "/echo/things/?a=%20", b"{\"x\": 1}");
    assert_eq!((status, kind.as_deref()), (201, Some("text/plain")), "{body}");
    assert_eq!(
        body,
        r#"[Some("POST"), Some("/things/?a=%20"), Some("{\"x\": 1}"), Some("application/json")]"#
    );
    let (status, _, _) =
        crate::harness::request(world.deployment, buildly::Slice::NONE, "GET", "/echo/things/", b"")
            .expect("an answer");
    assert_eq!(status, 401, "a call goes the way of every other");
}

unsafe extern "C-unwind" fn fails(_: *mut c_void, _: *const Incoming, _: Reply) -> c_int {
    7
}

unsafe extern "C-unwind" fn panics(_: *mut c_void, _: *const Incoming, _: Reply) -> c_int {
    panic!("as a test");
}

unsafe extern "C-unwind" fn says_nonsense(_: *mut c_void, incoming: *const Incoming, reply: Reply) -> c_int {
    // SAFETY: it is there until this returns.
    let target = string(unsafe { (*incoming).target }).unwrap_or_default();
    let done = if target.ends_with("1/") {
        told(|error| buildly_reply_status(reply, 7, error))
    } else {
        told(|error| buildly_reply_header(reply, text("a b"), text("c\n"), error))
    };
    c_int::from(done.is_err())
}

#[test]
fn a_function_that_fails_costs_its_call_only() {
    let world = World::new();
    world.register("fails", ptr::null_mut(), 0, fails);
    world.register("panics", ptr::null_mut(), 0, panics);
    world.register("nonsense", ptr::null_mut(), 0, says_nonsense);
    for target in ["/fails/things/", "/panics/things/", "/nonsense/things/1/", "/nonsense/things/2/"] {
        let (status, body, _) = world.ask("GET", target, b"");
        assert_eq!(status, 500, "{target}: {body}");
        assert!(!body.contains("as a test"), "the reason is not the caller's: {body}");
    }
}

/// A door that calls wait at.
#[derive(Default)]
struct Door {
    is_open: Mutex<bool>,
    opened: Condvar,
    late: AtomicUsize,
    reply: AtomicU64,
}

unsafe extern "C-unwind" fn waits(context: *mut c_void, incoming: *const Incoming, reply: Reply) -> c_int {
    // SAFETY: the test gave it, and outlives it.
    let door = unsafe { &*context.cast::<Door>() };
    // SAFETY: it is there until this returns.
    if string(unsafe { (*incoming).target }).is_some_and(|target| target.starts_with("/things/7/")) {
        return 0;
    }
    door.reply.store(reply.id, Ordering::SeqCst);
    let mut is_open = door.is_open.lock().expect("nobody panics");
    while !*is_open {
        is_open = door.opened.wait(is_open).expect("nobody panics");
    }
    // Nobody waits for it any more, which is no harm.
    let _ = told(|error| buildly_reply_status(reply, 204, error));
    door.late.fetch_add(1, Ordering::SeqCst);
    0
}

#[test]
fn a_function_that_never_returns_costs_its_call_only() {
    let door: &'static Door = Box::leak(Box::default());
    let world = World::new();
    world.register("waits", ptr::from_ref(door).cast_mut().cast(), 300, waits);
    std::thread::scope(|scope| {
        let stuck = [(); 3].map(|()| scope.spawn(|| world.ask("GET", "/waits/things/1/", b"").0));
        for stuck in stuck {
            assert_eq!(stuck.join().expect("it has not panicked"), 504);
        }
    });
    assert_eq!(world.ask("GET", "/waits/things/7/", b"").0, 200, "others are served");
    // Closing does not wait for it either; its answer is no longer wanted.
    told(|error| buildly_close(world.deployment, error)).expect("it is closed");
    *door.is_open.lock().expect("nobody panics") = true;
    door.opened.notify_all();
    while door.late.load(Ordering::SeqCst) < 3 {
        std::thread::yield_now();
    }
    let mut refused =
        told(|error| buildly_reply_status(Reply { id: door.reply.load(Ordering::SeqCst) }, 200, error));
    while refused.is_ok() {
        // The last thread is between its last line and its end.
        std::thread::yield_now();
        refused =
            told(|error| buildly_reply_status(Reply { id: door.reply.load(Ordering::SeqCst) }, 200, error));
    }
    assert_eq!(refused.expect_err("it is over").code, Code::Closed);
}

#[test]
fn a_body_of_a_gigabyte_is_refused() {
    let world = World::new();
    world.register("echo", ptr::null_mut(), 0, echo);
    let body = vec![b' '; 1 << 30];
    let (status, answer, _) = world.ask("POST", "/echo/things/", &body);
    assert_eq!(status, 413, "{answer}");
    assert_eq!(world.ask("GET", "/echo/things/", b"").0, 201);
}

/// Answers with more than anybody reads.
unsafe extern "C-unwind" fn floods(_: *mut c_void, _: *const Incoming, reply: Reply) -> c_int {
    let body = vec![b' '; 65 << 20];
    c_int::from(told(|error| buildly_reply_body(reply, bytes(&body), error)).is_err())
}

#[test]
fn an_answer_beyond_the_bound_is_refused() {
    let world = World::new();
    world.register("floods", ptr::null_mut(), 0, floods);
    let (caller, target) = (text(&world.ada), "/floods/things/");
    let refused = crate::harness::request(world.deployment, caller, "GET", target, b"");
    let refused = refused.expect_err("65 MiB are more than 64");
    assert_eq!(refused.code, Code::Limited);
    assert!(refused.message.contains("67108864 bytes"), "{refused:?}");
}

static RELEASED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C-unwind" fn release(context: *mut c_void) {
    // SAFETY: the test gave it.
    let freed = unsafe { Box::from_raw(context.cast::<AtomicBool>()) };
    assert!(!freed.swap(true, Ordering::SeqCst));
    RELEASED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_context_is_released_once() {
    let world = World::new();
    let context = || Box::into_raw(Box::new(AtomicBool::new(false))).cast();
    let attach = |name: &str, function| {
        let document = document("released");
        told(|error| {
            buildly_attach_function(
                world.deployment,
                text(name),
                text(&document),
                function,
                context(),
                Some(release),
                0,
                error,
            )
        })
    };
    assert_eq!(attach("released", None).expect_err("no function").code, Code::Invalid);
    assert_eq!(RELEASED.load(Ordering::SeqCst), 1, "released where it was not taken");
    assert_eq!(attach("not a name", Some(echo)).expect_err("no name").code, Code::Invalid);
    assert_eq!(RELEASED.load(Ordering::SeqCst), 2);
    attach("released", Some(echo)).expect("it is attached");
    assert_eq!(RELEASED.load(Ordering::SeqCst), 2, "in use");
    attach("released", Some(echo)).expect("another takes its place");
    assert_eq!(RELEASED.load(Ordering::SeqCst), 3);
    told(|error| buildly_close(world.deployment, error)).expect("it is closed");
    assert_eq!(RELEASED.load(Ordering::SeqCst), 4);
}

#[test]
fn a_service_of_no_right_is_not_registered() {
    let world = World::new();
    let document = document("mine");
    let refused = told(|error| {
        let (nobody, name) = (buildly::Slice::NONE, text("mine"));
        let (document, context) = (text(&document), ptr::null_mut());
        buildly_register_function(
            world.deployment,
            nobody,
            name,
            document,
            Some(echo),
            context,
            None,
            0,
            error,
        )
    });
    assert_eq!(refused.expect_err("nobody is signed in").code, Code::Unauthenticated);
}

/// Closes the deployment that it serves, whose number is its context.
unsafe extern "C-unwind" fn closes(context: *mut c_void, _: *const Incoming, _: Reply) -> c_int {
    let deployment = buildly::Deployment { id: context.addr() as u64 };
    c_int::from(told(|error| buildly_close(deployment, error)).is_err())
}

#[test]
fn a_function_may_close_what_it_serves() {
    let world = World::new();
    let number = usize::try_from(world.deployment.id).expect("a small number");
    world.register("closes", ptr::without_provenance_mut(number), 0, closes);
    let (caller, target) = (text(&world.ada), "/closes/things/");
    // Answered or closed under it: either is an end.
    let _ = crate::harness::request(world.deployment, caller, "GET", target, b"");
    while buildly::buildly_is_open(world.deployment) {
        std::thread::yield_now();
    }
}
