//! The writer thread: group commit.
//!
//! It takes all waiting writes, runs each in its own savepoint inside one transaction,
//! commits once, then answers all. While one batch is on its way to the disk the next one
//! gathers, so the more callers there are, the more share one fsync.

use std::collections::VecDeque;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use super::job::{Job, Message};

/// The most writes of one transaction; it bounds how long the first of them waits.
const BATCH_LENGTH_MAX: usize = 512;
/// How long, and how often, the writer lets callers gather that it has just answered. Without
/// that it would begin with the first who comes back, and the others wait for two commits.
const GATHER: Duration = Duration::from_micros(100);
const GATHERS_MAX: u32 = 5;

/// Serves the queue until it is closed.
pub(super) fn run(connection: Connection, mut queue: mpsc::Receiver<Message>, commits: &watch::Sender<u64>) {
    let mut previous = 0;
    while let Some(message) = queue.blocking_recv() {
        gather(&queue, previous);
        let mut batch = VecDeque::new();
        let mut next = Some(message);
        while let Some(message) = next {
            match message {
                Message::Job(job) => batch.push_back(job),
                Message::Close => queue.close(),
            }
            next = if batch.len() < BATCH_LENGTH_MAX { queue.try_recv().ok() } else { None };
        }
        previous = batch.len();
        write_batch(&connection, batch, commits);
    }
    // What the planner learned, so that the next start plans as well (SQLite's own advice).
    drop(connection.execute_batch("PRAGMA optimize"));
}

/// Waits while fewer have come than last time; a lone caller never waits.
fn gather(queue: &mpsc::Receiver<Message>, previous: usize) {
    for _ in 0..GATHERS_MAX {
        if queue.len() + 1 >= previous || queue.is_closed() {
            return;
        }
        std::thread::sleep(GATHER);
    }
}

fn write_batch(connection: &Connection, mut waiting: VecDeque<Box<dyn Job>>, commits: &watch::Sender<u64>) {
    // More than one round only if SQLite gives a transaction up in the middle.
    while !waiting.is_empty() {
        let mut done = Vec::with_capacity(waiting.len());
        match transact(connection, &mut waiting, &mut done) {
            Ok(()) => commits.send_modify(|count| *count += 1),
            Err(error) => {
                let reason = super::error::reason(&error);
                tracing::error!(error = %error, writes = done.len(), "a batch of writes was not committed");
                if done.is_empty() {
                    done.extend(waiting.drain(..));
                }
                done.iter_mut().for_each(|job| job.fail(&reason));
                roll_back(connection);
            }
        }
        done.into_iter().for_each(|job| job.answer());
    }
}

fn transact(
    connection: &Connection,
    waiting: &mut VecDeque<Box<dyn Job>>,
    done: &mut Vec<Box<dyn Job>>,
) -> rusqlite::Result<()> {
    execute(connection, "BEGIN IMMEDIATE")?;
    while let Some(mut job) = waiting.pop_front() {
        let written = in_savepoint(connection, &mut *job);
        done.push(job);
        written?;
    }
    execute(connection, "COMMIT")
}

fn in_savepoint(connection: &Connection, job: &mut dyn Job) -> rusqlite::Result<()> {
    execute(connection, "SAVEPOINT unit")?;
    if !job.run(connection) {
        if connection.is_autocommit() {
            // A full disk or a failed read may end the whole transaction, not only the statement.
            return Err(given_up());
        }
        execute(connection, "ROLLBACK TO unit")?;
    }
    execute(connection, "RELEASE unit")
}

fn given_up() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK);
    rusqlite::Error::SqliteFailure(code, Some("the transaction was given up by the database".to_owned()))
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = execute(connection, "ROLLBACK")
    {
        tracing::error!(error = %error, "a transaction could not be rolled back");
    }
}

fn execute(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
