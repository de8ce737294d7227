//! How often a permission check asks for memory. A program of its own: counting costs, and would
//! be in the peers' times.

use std::alloc::System;
use std::process::ExitCode;

use benches::permission::{
    CachedCasbin, IndexedCasbin, Judge, OnePolicyCedar, People, PlainCasbin, PolicyARoleCedar, TOKENS,
};
use benches::report::Report;
use benches::seed::Shape;
use benches::{Failure, start};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Every question is asked once before they are counted.
const QUESTIONS: usize = TOKENS as usize;

fn main() -> ExitCode {
    start::run(bench())
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    let shape = Shape::of(1_000);
    let questions = shape.questions(QUESTIONS);
    let people = People::of(shape).await?;
    let resolved = allocations(&people.resolved(&questions))?;
    let from_token = allocations(&people.from_token(&questions)?)?;
    let judges: [(&str, Box<dyn Judge>); 5] = [
        (PlainCasbin::NAME, Box::new(PlainCasbin::new(shape, &questions).await?)),
        (CachedCasbin::NAME, Box::new(CachedCasbin::new(shape, &questions).await?)),
        (IndexedCasbin::NAME, Box::new(IndexedCasbin::new(shape, &questions).await?)),
        (PolicyARoleCedar::NAME, Box::new(PolicyARoleCedar::new(shape, &questions)?)),
        (OnePolicyCedar::NAME, Box::new(OnePolicyCedar::new(shape, &questions)?)),
    ];
    for (peer, judge) in judges {
        let theirs = allocations(judge.as_ref())?;
        report.compared("allocations of a check", resolved, peer, theirs, f64::NAN, None);
    }
    report.alone("allocations of a check from a token", &from_token.to_string());
    report.end();
    if resolved > 0.0 {
        return Err(Failure::Wrong { expected: "no allocation in a check", got: resolved.to_string() });
    }
    Ok(())
}

/// How many there are in one check, on the average.
fn allocations(judge: &dyn Judge) -> Result<f64, Failure> {
    let all_right = || (0..QUESTIONS).filter(|question| judge.is_right(*question)).count() == QUESTIONS;
    let is_right_before = all_right();
    let region = Region::new(COUNTING);
    let is_right = all_right();
    let stats = region.change();
    if !(is_right_before && is_right) {
        return Err(Failure::Wrong { expected: "right answers", got: "a wrong one".to_owned() });
    }
    #[expect(clippy::cast_precision_loss, reason = "no figure is that exact")]
    Ok((stats.allocations + stats.reallocations) as f64 / QUESTIONS as f64)
}
