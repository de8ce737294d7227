//! Work that takes long, kept away from the threads that answer requests.

use std::future::pending;

use tokio::runtime::Handle;

/// Reading so many bytes of a document takes less than a millisecond, which needs no other thread.
const BYTES_INLINE_MAX: usize = 128 * 1024;

/// Does `work` on `bytes` of text: at once if they are few, else on a thread for such work where
/// a runtime is at hand.
pub(crate) async fn run<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    let handle = Handle::try_current().ok().filter(|_| bytes > BYTES_INLINE_MAX);
    let Some(handle) = handle else { return work() };
    match handle.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime shuts down: nobody goes on.
            Err(_) => pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn much_work_is_done_on_another_thread_and_little_is_not() {
        let here = thread::current().id();
        for (bytes, stays) in [(0, true), (BYTES_INLINE_MAX, true), (BYTES_INLINE_MAX + 1, false)] {
            let there = run(bytes, || thread::current().id()).await;
            assert_eq!(here == there, stays, "{bytes}");
        }
    }
}
