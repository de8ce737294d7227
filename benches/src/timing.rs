//! The cost of something short, in nanoseconds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Failure;

/// So many are timed together before the clock is looked at.
const TOGETHER: usize = 64;
/// So many are all done once before, whatever it takes.
pub const FEW: usize = 200;
/// So many are timed one by one at most.
const ONE_BY_ONE_MAX: usize = 1_000_000;

/// What one costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// On the average, without the clock's own time.
    pub mean_ns: f64,
    /// That of which one in a hundred took longer, with the clock's own time in it.
    pub p99_ns: f64,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:.0} ns (p99 {:.0} ns)", self.mean_ns, self.p99_ns)
    }
}

/// Does `one` for each number below `count`, again and again, for so long; each must be right.
///
/// # Errors
/// [`Failure::Wrong`] at the first one that is not.
pub fn time(count: usize, long: Duration, one: &dyn Fn(usize) -> bool) -> Result<Cost, Failure> {
    let wrong = || Failure::Wrong { expected: "the right answer to a question", got: "the other".to_owned() };
    // Caches are filled, by every question once if they are few, or if there is time.
    let began = Instant::now();
    for number in 0..count {
        if !one(number) {
            return Err(wrong());
        }
        if count > FEW && began.elapsed() > long {
            break;
        }
    }
    let (mut done, mut right, began) = (0, 0, Instant::now());
    while began.elapsed() < long / 2 {
        for _ in 0..TOGETHER {
            right += usize::from(black_box(one(done % count)));
            done += 1;
            // What is slow is not done sixty-four times.
            if done < TOGETHER && began.elapsed() >= long / 2 {
                break;
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "no figure is that exact")]
    let mean_ns = began.elapsed().as_secs_f64() * 1e9 / done as f64;
    let (mut took, began) = (Vec::new(), Instant::now());
    while began.elapsed() < long / 2 && took.len() < ONE_BY_ONE_MAX {
        let at = Instant::now();
        right += usize::from(black_box(one(took.len() % count)));
        took.push(at.elapsed().as_secs_f64() * 1e9);
    }
    if right != done + took.len() {
        return Err(wrong());
    }
    took.sort_by(f64::total_cmp);
    let p99_ns = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Cost { mean_ns, p99_ns })
}

/// What the clock itself costs: it is in every p99.
#[must_use]
pub fn clock_ns() -> f64 {
    const TIMES: u32 = 100_000;
    let began = Instant::now();
    for _ in 0..TIMES {
        black_box(Instant::now());
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES)
}
