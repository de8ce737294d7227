//! How far a run has come, as a picture shows it.

use std::collections::BTreeMap;

use super::{Mark, Marks};
use crate::{ActivationId, Compiled, End, Ended, Event, Phase};

/// The marks of a run, from its history, oldest event first. A level that runs many times is
/// shown as it last was.
pub fn progress<'a>(template: &Compiled, events: impl IntoIterator<Item = &'a Event>) -> Marks {
    let mut marks = Marks::new();
    let mut levels: BTreeMap<ActivationId, &str> = BTreeMap::new();
    let mut happened: BTreeMap<u64, &str> = BTreeMap::new();
    for event in events {
        match event {
            Event::Entered { activation, level, .. } => {
                if let Some(node) = template.node(*level) {
                    levels.insert(*activation, &node.name);
                    marks.insert(node.name.clone(), Mark::Live);
                }
            }
            Event::Moved { activation, phase } => {
                if let Some(name) = levels.get(activation) {
                    let mark = if matches!(phase, Phase::Stuck { .. }) { Mark::Failed } else { Mark::Live };
                    marks.insert((*name).to_owned(), mark);
                }
            }
            Event::Ended { activation, how } => {
                if let Some(name) = levels.remove(activation) {
                    match how {
                        Ended::Done { .. } => marks.insert(name.to_owned(), Mark::Completed),
                        Ended::Failed { .. } => marks.insert(name.to_owned(), Mark::Failed),
                        Ended::Skipped => marks.insert(name.to_owned(), Mark::Skipped),
                        Ended::Dropped => marks.remove(name),
                    };
                }
            }
            Event::Happened { number, undo } => {
                if let Some(name) = levels.get(&undo.activation) {
                    happened.insert(*number, name);
                }
            }
            Event::Undone { number, .. } => {
                if let Some(name) = happened.remove(number) {
                    marks.insert(name.to_owned(), Mark::Undone);
                }
            }
            Event::Finished { end } => {
                let mark = match end {
                    End::Completed { .. } => Mark::Completed,
                    End::Failed { .. } | End::Cancelled { .. } => Mark::Failed,
                };
                marks.retain(|_, mark| *mark != Mark::Live);
                // It was cancelled by its own fault, like all that had to be.
                if let End::Failed { fault } = end
                    && template.find(&fault.level).is_some()
                {
                    marks.entry(fault.level.clone()).or_insert(Mark::Failed);
                }
                marks.insert(template.name.clone(), mark);
            }
            _ => {}
        }
    }
    marks
}
