//! What must be true at the end of a story.

use super::world::World;
use crate::{End, Ended, Event, Status};

impl World {
    /// What must be true at the end.
    pub(super) fn judge(&mut self) -> Result<(), String> {
        for ((run, activation), keys) in &self.services.keys {
            if keys.len() > 1 {
                return Err(format!(
                    "activation {activation} of {run} was applied under {} keys",
                    keys.len()
                ));
            }
            let stored = &self.store.runs[run];
            let level = stored.events.iter().find_map(|event| match event {
                Event::Entered { activation: entered, level, .. } if entered == activation => Some(*level),
                _ => None,
            });
            let has_undo =
                level.and_then(|level| stored.template.node(level)).is_some_and(|node| node.undo.is_some());
            if !has_undo {
                continue;
            }
            let is_undone = keys.iter().all(|key| self.services.undone.contains(key));
            let is_done = stored.events.iter().any(|event| {
                matches!(event, Event::Ended { activation: ended, how: Ended::Done { .. } } if ended == activation)
            });
            let is_completed = matches!(stored.state.end, Some(End::Completed { .. }));
            let is_right = is_undone || (is_done && is_completed);
            if !is_right {
                let told = stored.events.iter().map(|event| format!("{event:?}"));
                let own = told.filter(|event| event.contains(&format!("ActivationId({activation})")));
                let own = own.collect::<Vec<_>>().join("\n");
                return Err(format!(
                    "activation {activation} of {run} was applied, and is neither completed nor undone:\n{own}"
                ));
            }
        }
        for run in self.store.runs.values() {
            let of = |wanted: fn(&Event) -> bool| run.events.iter().filter(|event| wanted(event)).count();
            let doubtful = of(|event| matches!(event, Event::Undone { doubt: Some(_), .. }));
            let late = of(|event| matches!(event, Event::Late { .. }));
            (0..doubtful).for_each(|_| self.seen.note("undone in doubt"));
            (0..late).for_each(|_| self.seen.note("late answer"));
            self.seen.note(match run.state.status() {
                Status::Completed => "completed",
                Status::Compensated => "compensated",
                Status::Failed => "failed",
                Status::Cancelled => "cancelled",
                _ => "not ended",
            });
        }
        Ok(())
    }
}
