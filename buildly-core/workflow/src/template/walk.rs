//! Every level of a template.

use super::{Branch, Kind, Level, Template};

impl Template {
    /// Every level, from the outside in, with branches and compensations.
    pub fn walk(&self) -> impl Iterator<Item = &Level> {
        let mut waiting: Vec<&Level> = branches(&self.on).chain(&self.levels).collect();
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(branches(&next.on));
            waiting.extend(parts(&next.kind));
            Some(next)
        })
    }
}

fn branches(on: &[Branch]) -> impl Iterator<Item = &Level> {
    on.iter().map(|branch| &*branch.level)
}

fn parts(kind: &Kind) -> Vec<&Level> {
    match kind {
        Kind::Sequence(levels) | Kind::Parallel(levels) | Kind::Race(levels) => levels.iter().collect(),
        Kind::Any(any) => any.levels.iter().collect(),
        Kind::ForEach(each) => vec![&each.level],
        Kind::Loop(again) => vec![&again.level],
        Kind::Decide(decide) => {
            let chosen = decide.branches.iter().map(|choice| &choice.level);
            chosen.chain(decide.otherwise.as_deref()).collect()
        }
        Kind::Task(_) | Kind::Call(_) | Kind::Read(_) | Kind::Wait(_) | Kind::Run(_) | Kind::Emit(_) => {
            Vec::new()
        }
    }
}
