//! A process that writes is killed at any moment; what it acknowledged must be there.
//!
//! The test runs its own binary again, with an environment variable set, as the process to be killed. Each
//! line that the victim prints is a promise.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use buildly_journal::Chain;
use buildly_model::OrganizationId;
use buildly_model::system::{Random as _, System};
use uuid::Uuid;

use super::sample::{Store, event, part, unit, verified};

/// Says that this process is the victim, and where its store is.
const VICTIM: &str = "BUILDLY_CRASH_VICTIM";
/// How often to kill, if somebody wants more than the ordinary suite.
const ROUNDS: &str = "BUILDLY_CRASH_ROUNDS";
const ROUNDS_DEFAULT: u32 = 10;
/// How many writers the victim has.
const WRITERS: u32 = 8;
/// The victim is killed within so long after its first promise.
const LIFE_MAX: Duration = Duration::from_millis(250);
const PROMISE: &str = "acknowledged ";

/// Where this process is to write until it is killed, if it is the victim.
#[must_use]
pub fn victim() -> Option<String> {
    std::env::var(VICTIM).ok()
}

/// How many rounds the test has.
#[must_use]
pub fn rounds() -> u32 {
    std::env::var(ROUNDS).ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS_DEFAULT)
}

/// Writes as fast as it can, to a chain for each writer and to the deployment's, and
/// promises each unit that was acknowledged. Never returns.
pub async fn write_until_killed(store: &Store) {
    let life = System.number();
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(Store::clone(store), life, writer))).collect();
    for writer in writers {
        writer.await.expect("a writer writes until it is killed");
    }
}

async fn write(store: Store, life: u64, writer: u32) {
    for number in 0_u64.. {
        let subject = format!("{life:016x}-{writer}-{number}");
        let made = |chain| part(chain, vec![event("test.thing.made", &subject)]);
        let parts = [made(chain_of(writer)), made(None)];
        store.commit(unit(parts)).await.expect("a unit is written");
        let mut out = std::io::stdout().lock();
        writeln!(out, "{PROMISE}{writer} {subject}").and_then(|()| out.flush()).expect("the parent listens");
    }
}

/// Starts the test `name` of this binary as a victim on the store at `place`, kills it at
/// a random moment and returns what it promised: writer and subject.
#[must_use]
pub fn kill_while_writing(name: &str, place: &str) -> Vec<(u32, String)> {
    let mut victim = Command::new(std::env::current_exe().expect("this binary has a path"))
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(VICTIM, place)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the victim starts");
    let output = victim.stdout.take().expect("its output is piped");
    let mut promises = BufReader::new(output).lines().map_while(Result::ok).filter_map(|line| {
        let (writer, subject) = line.strip_prefix(PROMISE)?.split_once(' ')?;
        Some((writer.parse().ok()?, subject.to_owned()))
    });
    let mut kept: Vec<(u32, String)> = promises.next().into_iter().collect();
    assert!(!kept.is_empty(), "the victim wrote something");
    let life = System.number() % u64::try_from(LIFE_MAX.as_micros()).expect("a short time");
    // The killer sleeps on its own thread; the promises are read meanwhile, so the pipe never fills.
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_micros(life));
        victim.kill().expect("the victim is alive until it is killed");
        victim.wait().expect("the victim ends")
    });
    kept.extend(promises);
    assert!(!killer.join().expect("the killer ends").success(), "the victim was killed");
    kept
}

/// Every promise is kept, in both chains, and the chains hold.
pub async fn promises_are_kept(store: &Store, promises: &[(u32, String)]) {
    let deployment = subjects_of(store, None).await;
    for writer in 0..WRITERS {
        let own = subjects_of(store, chain_of(writer)).await;
        for (_, subject) in promises.iter().filter(|(by, _)| *by == writer) {
            assert!(
                own.contains(subject) && deployment.contains(subject),
                "{subject} was acknowledged and is lost"
            );
        }
        // What was not acknowledged may be there, but then in both chains.
        assert!(own.is_subset(&deployment), "half a unit was written");
    }
}

async fn subjects_of(store: &Store, chain: Option<OrganizationId>) -> HashSet<String> {
    let (events, end): (_, Chain) = verified(store, chain).await;
    let subjects: HashSet<String> = events.into_iter().map(|event| event.subject).collect();
    assert_eq!(subjects.len() as u64, end.sequence, "no unit was written twice");
    subjects
}

fn chain_of(writer: u32) -> Option<OrganizationId> {
    Some(OrganizationId::from_uuid(Uuid::from_u128(0xC0FFEE + u128::from(writer))))
}
