//! Runs many waits at once, but not all of them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Runs `futures`, at most `at_once_max` at a time, and gives their answers in their order.
/// Dropping it drops them all.
pub(crate) async fn run<F: Future>(futures: Vec<F>, at_once_max: usize) -> Vec<F::Output> {
    let mut answers: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let mut waiting = futures.into_iter().enumerate();
    let mut running: Vec<(usize, Pin<Box<F>>)> = Vec::with_capacity(at_once_max);
    poll_fn(|context| {
        loop {
            while running.len() < at_once_max.max(1) {
                let Some((place, future)) = waiting.next() else { break };
                running.push((place, Box::pin(future)));
            }
            let before = running.len();
            running.retain_mut(|(place, future)| match future.as_mut().poll(context) {
                Poll::Pending => true,
                Poll::Ready(answer) => {
                    if let Some(slot) = answers.get_mut(*place) {
                        *slot = Some(answer);
                    }
                    false
                }
            });
            if running.is_empty() && waiting.len() == 0 {
                return Poll::Ready(());
            }
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}
