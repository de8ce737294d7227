//! The readers: threads with a connection each, fed from one queue.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use buildly_model::StoreError;
use rusqlite::Connection;
use tokio::sync::mpsc;

use super::job::{Job, Message};

/// Running readers.
pub(super) struct Started {
    pub(super) queue: mpsc::Sender<Message>,
    pub(super) threads: Vec<JoinHandle<()>>,
}

/// Opens `count` connections (at least one) and a thread for each.
pub(super) fn start(
    path: &Path,
    count: usize,
    open: fn(&Path) -> rusqlite::Result<Connection>,
) -> Result<Started, StoreError> {
    let (queue, receiver) = mpsc::channel(super::READ_QUEUE_LENGTH_MAX);
    let receiver = Arc::new(Mutex::new(receiver));
    let threads = (0..count.max(1)).map(|_| {
        let connection = open(path).map_err(super::store_error)?;
        let receiver = Arc::clone(&receiver);
        super::spawn("sqlite reader", move || serve(&connection, &receiver))
    });
    Ok(Started { queue, threads: threads.collect::<Result<_, _>>()? })
}

fn serve(connection: &Connection, queue: &Mutex<mpsc::Receiver<Message>>) {
    loop {
        // One idle reader waits in the queue, the others for its place.
        let message = {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            match queue.blocking_recv() {
                Some(Message::Close) => {
                    queue.close();
                    continue;
                }
                message => message,
            }
        };
        match message {
            Some(Message::Job(job)) => read(connection, job),
            Some(Message::Close) | None => return,
        }
    }
}

fn read(connection: &Connection, mut job: Box<dyn Job>) {
    match execute(connection, "BEGIN") {
        Ok(()) => {
            job.run(connection);
            if !connection.is_autocommit()
                && let Err(error) = execute(connection, "ROLLBACK")
            {
                tracing::error!(error = %error, "a read transaction could not be ended");
            }
        }
        Err(error) => job.fail(&super::error::reason(&error)),
    }
    job.answer();
}

fn execute(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
