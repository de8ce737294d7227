//! Permission checks beside casbin and Cedar, at casbin's public shapes.
#![expect(clippy::print_stdout, reason = "a bench speaks to the terminal")]

use std::process::ExitCode;

use benches::permission::{
    CachedCasbin, IndexedCasbin, Judge, OnePolicyCedar, People, PlainCasbin, PolicyARoleCedar, TOKENS,
};
use benches::report::{Report, Target};
use benches::seed::{Question, Shape};
use benches::timing::{Cost, FEW, clock_ns, time};
use benches::{Failure, settings, start};

/// So many questions are drawn, half of them to be denied.
const QUESTIONS: usize = 20_000;
/// What a check may cost on the average, its caller known.
const RESOLVED_NS: f64 = 100.0;
/// And with a token to be looked at first.
const FROM_TOKEN_NS: f64 = 500.0;

fn main() -> ExitCode {
    start::run(bench())
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    println!("the clock costs {:.0} ns, which every p99 holds", clock_ns());
    for shape in [Shape::of(1_000), Shape::of(100_000), Shape { users: 100_000, organizations: 100 }] {
        one_shape(&mut report, shape).await?;
    }
    report.end();
    Ok(())
}

async fn one_shape(report: &mut Report, shape: Shape) -> Result<(), Failure> {
    let questions = shape.questions(QUESTIONS);
    let people = People::of(shape).await?;
    let resolved = cost(&people.resolved(&questions), &questions)?;
    let name = |what: &str| {
        let Shape { users, organizations } = shape;
        format!(
            "permission check, {users} users, {} roles, {organizations} organization(s), {what}",
            shape.roles()
        )
    };
    let target = |limit, cost: Cost| format!("{cost}, {}", Target::AtMost(limit).judge(cost.mean_ns));
    report.alone(&name("caller known"), &target(RESOLVED_NS, resolved));
    let of_tokens = questions.get(..TOKENS as usize).unwrap_or_default();
    let from_token = cost(&people.from_token(&questions)?, of_tokens)?;
    report.alone(&name("from its token"), &target(FROM_TOKEN_NS, from_token));
    if shape.organizations > 1 {
        // The packages have no walls between organizations that could be compared.
        return Ok(());
    }
    let mut beside = |peer: &str, theirs: Cost| {
        let ratio = theirs.mean_ns / resolved.mean_ns;
        report.compared(&name("caller known"), resolved, peer, theirs, ratio, None);
    };
    if settings::wants("casbin") {
        beside(PlainCasbin::NAME, cost(&PlainCasbin::new(shape, &questions).await?, &questions)?);
        let few = questions.get(..FEW).unwrap_or_default();
        beside(CachedCasbin::NAME, cost(&CachedCasbin::new(shape, few).await?, few)?);
        beside(IndexedCasbin::NAME, cost(&IndexedCasbin::new(shape, &questions).await?, &questions)?);
    }
    if settings::wants("cedar") {
        beside(PolicyARoleCedar::NAME, cost(&PolicyARoleCedar::new(shape, &questions)?, &questions)?);
        beside(OnePolicyCedar::NAME, cost(&OnePolicyCedar::new(shape, &questions)?, &questions)?);
    }
    Ok(())
}

fn cost(judge: &dyn Judge, questions: &[Question]) -> Result<Cost, Failure> {
    time(questions.len(), settings::seconds_each(), &|question| judge.is_right(question))
}
