//! The seeded simulator: nodes, services and a store in one thread and one time, with crashes at
//! any write, sleeps past leases, clocks that differ, lost, late and repeated answers.
//!
//! A seed is a number; the same seed plays the same story. `WORKFLOW_SEEDS` sets how many are
//! played, `WORKFLOW_SEED` plays one.

mod choices;
mod judge;
mod seen;
mod services;
mod store;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::planted::{Bug, plant};
use seen::Seen;
use world::World;

/// What the gate plays, in two minutes of one core; nights play more.
const SEEDS: u64 = 20_000;
/// A coverage of all that is named needs so many.
const SEEDS_OF_ALL: u64 = 1_500;
/// How many seeds may be needed to find a planted bug.
const SEEDS_TO_FIND: u64 = 1_500;

fn play(seed: u64) -> Result<Seen, String> {
    catch_unwind(AssertUnwindSafe(|| World::new(seed).play())).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
    })
}

/// All that was seen, or the first seed that shows a violation.
fn play_all(seeds: impl Iterator<Item = u64>) -> Result<Seen, (u64, String)> {
    let mut all = Seen::default();
    for seed in seeds {
        all.add(&play(seed).map_err(|violation| (seed, violation))?);
    }
    Ok(all)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_crashes_sleeps_or_gets_lost_every_run_ends_and_every_effect_is_there_or_undone() {
    let seeds = match number("WORKFLOW_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WORKFLOW_SEEDS").unwrap_or(SEEDS),
    };
    let is_whole = seeds.end - seeds.start >= SEEDS_OF_ALL;
    let players = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let all = std::thread::scope(|scope| {
        let players: Vec<_> = (0..players)
            .map(|player| {
                scope.spawn({
                    let seeds = seeds.clone();
                    move || play_all(seeds.skip(player).step_by(players))
                })
            })
            .collect();
        let mut all = Seen::default();
        for player in players {
            match player.join().expect("a player does not panic") {
                Ok(seen) => all.add(&seen),
                Err((seed, violation)) => {
                    panic!("seed {seed} (WORKFLOW_SEED={seed} plays it again): {violation}")
                }
            }
        }
        all
    });
    println!("{all:?}");
    if is_whole {
        assert_eq!(
            all.unreached(),
            Vec::<&str>::new(),
            "the simulator no longer reaches some of what it is for"
        );
    }
}

#[test]
fn planted_bugs_are_found() {
    for bug in [
        Bug::SendBeforeCommit,
        Bug::KeyFromAttempt,
        Bug::UndoOnlyCompleted,
        Bug::AnswerAfterCancel,
        Bug::LeaseByLocalClock,
    ] {
        plant(Some(bug));
        let found = (0..SEEDS_TO_FIND).find_map(|seed| play(seed).err().map(|violation| (seed, violation)));
        plant(None);
        let (seed, violation) = found.unwrap_or_else(|| panic!("{bug:?} is not found"));
        println!("{bug:?}: seed {seed}: {}", violation.chars().take(160).collect::<String>());
    }
}

#[test]
fn a_seed_plays_the_same_story_each_time() {
    for seed in 0..20 {
        assert_eq!(play(seed), play(seed));
    }
}
