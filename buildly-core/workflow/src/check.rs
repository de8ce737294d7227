//! The publishing check: what would go wrong in every run, or in some, said beforehand.
//!
//! The tree of levels is sound by construction; what can go wrong is that a stage wants more
//! than it can get, that links contradict the order or lead out of where levels run many
//! times, that somebody is waited for without end, that expressions read what is not there,
//! and that the world outside lacks what is named. Conditions are taken as able to go either
//! way. Linear in levels and links.

mod expressions;
mod finding;
mod order;
mod outcome;
mod references;
mod waits;

use crate::Compiled;
pub use finding::{Finding, Severity};
pub use references::{Operation, Outside, Parameter};

/// Checks a template that is to be published. It can be, if no finding is an error.
#[must_use]
pub fn check(template: &Compiled, outside: &dyn Outside) -> Vec<Finding> {
    let mut findings = check_structure(template);
    references::check(template, outside, &mut findings);
    findings
}

/// The part of [`check()`] that needs no world outside: what a text alone shows.
#[must_use]
pub fn check_structure(template: &Compiled) -> Vec<Finding> {
    let mut findings = Vec::new();
    order::check(template, &mut findings);
    outcome::check(template, &mut findings);
    expressions::check(template, &mut findings);
    waits::check(template, &mut findings);
    findings
}

#[cfg(test)]
pub(crate) mod tests;
