use std::future::pending;
use std::sync::mpsc::channel;

use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::failure::Class;

const PATIENCE: Duration = Duration::from_secs(30);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads")
}

#[test]
fn whoever_waits_gets_what_comes_of_it() {
    let runtime = runtime();
    let work = || Work::new(runtime.handle(), async { Ok(7) });
    assert_eq!(work().wait().expect("it works"), 7);
    assert_eq!(work().wait_unless(|| Ok::<_, ()>(())).expect("not interrupted").expect("it works"), 7);
    let (sender, receiver) = channel();
    let _ = work().then(move |done| sender.send(done).expect("somebody listens"));
    assert_eq!(receiver.recv_timeout(PATIENCE).expect("it is told").expect("it works"), 7);
}

#[test]
fn an_interrupt_ends_the_waiting_and_the_work() {
    let runtime = runtime();
    let (sender, dropped) = channel::<()>();
    let work = async move {
        // Dropped with the work, which the other end notices.
        let _sender = sender;
        pending::<()>().await;
        Ok(())
    };
    let ended = Work::new(runtime.handle(), work).wait_unless(|| Err("enough"));
    assert_eq!(ended.expect_err("interrupted"), "enough");
    assert!(
        dropped
            .recv_timeout(PATIENCE)
            .is_err_and(|error| error != std::sync::mpsc::RecvTimeoutError::Timeout)
    );
}

#[test]
fn the_end_of_the_runtime_is_told() {
    let runtime = runtime();
    let (sender, receiver) = channel();
    let work = Work::new(runtime.handle(), pending::<Result<(), Failure>>());
    let _ = work.then(move |done| sender.send(done).expect("somebody listens"));
    let waiting = Work::new(runtime.handle(), pending::<Result<(), Failure>>());
    let waiting = thread::spawn(move || waiting.wait());
    runtime.shutdown_timeout(PATIENCE);
    let told = receiver.recv_timeout(PATIENCE).expect("it is told");
    assert_eq!(told.expect_err("closed").class(), Class::Closed);
    assert_eq!(waiting.join().expect("no panic").expect_err("closed").class(), Class::Closed);
}

#[test]
fn work_that_panics_is_a_fault_of_ours() {
    let runtime = runtime();
    let work = || Work::<()>::new(runtime.handle(), async { panic!("as a test") });
    let broken = Class::Of(buildly_model::ErrorKind::Corrupt);
    assert_eq!(work().wait().expect_err("broken").class(), broken);
    let (sender, receiver) = channel();
    let _ = work().then(move |done| sender.send(done).expect("somebody listens"));
    let told = receiver.recv_timeout(PATIENCE).expect("it is told");
    assert_eq!(told.expect_err("broken").class(), broken);
}
