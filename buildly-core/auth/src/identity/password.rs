//! Passwords: argon2id (RFC 9106) on threads of its own.
//!
//! Hashing is slow and takes much memory on purpose, so it never runs on the host's
//! runtime: a few threads take work from a bounded queue, and a full queue is an answer
//! ("busy"), not a wait without end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use buildly_model::{Random, Secret};
use tokio::sync::oneshot;

use super::PasswordHash;
use crate::Error;

/// Memory of one hash in KiB (OWASP password storage, argon2id).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// How many threads hash; each takes [`MEMORY_KIB`] while it does.
const THREADS: usize = 2;
/// How many passwords may wait.
const QUEUE_LENGTH_MAX: usize = 256;
/// Bytes of a salt.
const SALT_LENGTH: usize = 16;

/// What came out of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the right one.
    Right,
    /// It is the right one, but its hash was made with older parameters.
    RightButOld,
    /// It is not.
    Wrong,
}

type Job = Box<dyn FnOnce() + Send>;

/// The threads that hash passwords; started when first needed, ended when dropped.
pub struct Hasher {
    random: Arc<dyn Random>,
    queue: OnceLock<SyncSender<Job>>,
    /// What the password of an unknown user is compared with, so that it takes as long.
    decoy: OnceLock<PasswordHash>,
    /// How often the threads were asked.
    asked: AtomicU64,
}

impl Hasher {
    /// Prepares; starts nothing yet.
    #[must_use]
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self { random, queue: OnceLock::new(), decoy: OnceLock::new(), asked: AtomicU64::new(0) }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many wait.
    pub async fn hash(&self, password: &Secret) -> Result<PasswordHash, Error> {
        let (password, salt) = (password.clone(), self.salt());
        self.run(move || hash(&password, &salt)).await?.ok_or(Error::Busy)
    }

    /// Checks a password; against nothing it is wrong, after the same time.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many wait.
    pub async fn verify(&self, password: &Secret, against: Option<&PasswordHash>) -> Result<Verdict, Error> {
        let password = password.clone();
        if let Some(against) = against {
            let against = against.clone();
            return self.run(move || verify(&password, &against)).await;
        }
        let decoy = match self.decoy.get() {
            Some(decoy) => decoy.clone(),
            None => {
                let made = self.hash(&super::one_time::draw_secret(&*self.random)).await?;
                self.decoy.get_or_init(|| made).clone()
            }
        };
        self.run(move || {
            verify(&password, &decoy);
            Verdict::Wrong
        })
        .await
    }

    /// How often the threads were asked, for tests of what costs a hash.
    #[cfg(feature = "conformance")]
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn salt(&self) -> [u8; SALT_LENGTH] {
        let mut salt = [0; SALT_LENGTH];
        self.random.fill(&mut salt);
        salt
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever asked may have gone away meanwhile.
            let _ = answer.send(work());
        });
        match self.queue.get_or_init(start).try_send(job) {
            Ok(()) => answered.await.map_err(|_| Error::Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Error::Busy),
        }
    }
}

fn start() -> SyncSender<Job> {
    let (queue, jobs) = sync_channel::<Job>(QUEUE_LENGTH_MAX);
    let jobs = Arc::new(Mutex::new(jobs));
    for number in 1..=THREADS {
        let jobs = Arc::clone(&jobs);
        let thread = std::thread::Builder::new().name(format!("password-{number}"));
        if let Err(error) = thread.spawn(move || {
            while let Some(job) = next(&jobs) {
                job()
            }
        }) {
            tracing::error!(%error, "a thread for passwords could not be started");
        }
    }
    queue
}

/// The lock is held while waiting, not while hashing.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn parameters() -> Option<Params> {
    Params::new(MEMORY_KIB, PASSES, LANES, None).ok()
}

/// `None` only if the parameters above are nonsense.
fn hash(password: &Secret, salt: &[u8]) -> Option<PasswordHash> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters()?);
    let hash: phc::PasswordHash = argon2.hash_password_with_salt(password.expose().as_bytes(), salt).ok()?;
    Some(PasswordHash::from_phc(hash.to_string()))
}

fn verify(password: &Secret, against: &PasswordHash) -> Verdict {
    let Ok(parsed) = phc::PasswordHash::new(against.as_phc()) else {
        tracing::error!("a stored password hash cannot be read");
        return Verdict::Wrong;
    };
    if Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_err() {
        return Verdict::Wrong;
    }
    let is_current = parsed.algorithm == Algorithm::Argon2id.ident()
        && Params::try_from(&parsed)
            .is_ok_and(|used| (used.m_cost(), used.t_cost(), used.p_cost()) == (MEMORY_KIB, PASSES, LANES));
    if is_current { Verdict::Right } else { Verdict::RightButOld }
}

#[cfg(test)]
mod tests;
