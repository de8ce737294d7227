//! Folds events into the state. Total: replaying a stored history cannot fail.

use serde_json::Value;

use super::event::{Ended, Part};
use super::{Activation, ActivationId, Each, Event, Phase, Role, STATE_FORMAT, Scope, State};

/// How many keys of signals are remembered here; the inbox table remembers all.
const SIGNALS_SEEN_MAX: usize = 1_000;
/// How many doubtful compensations are remembered.
const DOUBTS_MAX: usize = 1_000;

impl State {
    /// The state after `event`. An event that does not fit changes nothing.
    #[must_use]
    pub fn apply(mut self, event: &Event) -> Self {
        self.fold(event);
        self
    }

    pub(crate) fn fold(&mut self, event: &Event) {
        match event {
            Event::Started { start, at: _ } => {
                self.format = STATE_FORMAT;
                self.run = Some(start.run);
                self.starter.clone_from(&start.starter);
                self.caused = start.caused;
                self.values_bytes += bytes(&start.input);
                self.input = start.input.clone();
                self.next_activation = self.next_activation.max(1);
                self.next_completion = self.next_completion.max(1);
            }
            Event::Entered { .. } => self.enter(event),
            Event::Moved { activation, phase } => self.change(*activation, |live| live.phase = phase.clone()),
            Event::DeadlineSet { activation, due } => self.change(*activation, |live| live.deadline = *due),
            Event::Requested { activation, request } => {
                self.values_bytes += request.len() as u64;
                self.change(*activation, |live| live.request = Some(request.clone()));
            }
            Event::Called { activation, attempt } => self.change(*activation, |live| {
                live.phase = Phase::Calling;
                live.attempt = *attempt;
            }),
            // What comes of it follows in the same step.
            Event::Answered { activation, outcome: _ } => {
                self.change(*activation, |live| match &mut live.phase {
                    Phase::Cancelling { is_calling, .. } => *is_calling = false,
                    phase => *phase = Phase::Ready,
                })
            }
            Event::Doubted { activation, unsure } => self.change(*activation, |live| live.unsure = *unsure),
            Event::Spread { activation, items } => {
                self.values_bytes += items.iter().map(bytes).sum::<u64>();
                let results = vec![Value::Null; items.len()];
                let each = Each { items: items.clone(), next: 0, results };
                self.change(*activation, |live| live.each = Some(each));
            }
            Event::Opened { activation } => self.change(*activation, |live| live.open()),
            Event::Counted { activation, index, part } => {
                if let Part::Done(Some(result)) = part {
                    self.values_bytes += bytes(result);
                }
                self.change(*activation, |live| live.count(*index, part));
            }
            Event::Beside { activation, opened } => self.change(*activation, |live| {
                live.beside = if *opened { live.beside + 1 } else { live.beside.saturating_sub(1) };
            }),
            Event::Attached { activation, parent } => {
                self.change(*activation, |live| live.parent = Some(*parent));
            }
            Event::Settled { activation } => self.settle(*activation),
            Event::Ended { activation, how } => self.leave(*activation, how),
            Event::Linked { scope, link, alive } => {
                if let Some(scope) = self.scopes.get_mut(scope) {
                    match alive {
                        Some(alive) => scope.links.insert(*link, *alive),
                        None => scope.links.remove(link),
                    };
                }
            }
            Event::Happened { number, undo } => {
                self.next_completion = self.next_completion.max(number.saturating_add(1));
                self.values_bytes += undo.request.as_ref().map_or(0, |request| request.len() as u64);
                self.undo.insert(*number, undo.clone());
            }
            Event::UndoBegun { number } => {
                if let Some(undo) = self.undo.get_mut(number) {
                    undo.begun = true;
                }
            }
            Event::Undone { number, by_us, doubt } => {
                if let Some(undo) = self.undo.remove(number) {
                    self.release(undo.request.as_ref().map_or(0, |request| request.len() as u64));
                }
                self.undone += u64::from(*by_us);
                if let Some((activation, doubt)) = doubt {
                    self.doubts.insert(*activation, doubt.clone());
                    if self.doubts.len() > DOUBTS_MAX {
                        self.doubts.pop_first();
                    }
                }
            }
            Event::TaskCompleted { level, by } => {
                self.completers.insert(*level, by.clone());
            }
            Event::SignalCame { dedup, kept } => {
                self.signals_seen.push_back(dedup.clone());
                if self.signals_seen.len() > SIGNALS_SEEN_MAX {
                    self.signals_seen.pop_front();
                }
                if let Some(kept) = kept {
                    self.values_bytes += bytes(&kept.payload);
                    self.signals.push_back(kept.clone());
                }
            }
            Event::SignalTaken { name } => {
                let place = self.signals.iter().position(|kept| kept.name == *name);
                if let Some(kept) = place.and_then(|place| self.signals.remove(place)) {
                    self.release(bytes(&kept.payload));
                }
            }
            Event::VariablesSet { values } => {
                for (name, value) in values {
                    self.values_bytes += bytes(value);
                    if let Some(old) = self.variables.insert(name.clone(), value.clone()) {
                        self.release(bytes(&old));
                    }
                }
            }
            Event::Paused => self.paused = true,
            Event::Resumed => self.paused = false,
            // Facts for people and other systems; the run itself does not depend on them.
            Event::Emitted { .. } | Event::Late { .. } => {}
            Event::Finished { end } => self.finish(end),
        }
    }

    fn change(&mut self, activation: ActivationId, change: impl FnOnce(&mut Activation)) {
        if let Some(live) = self.activations.get_mut(&activation) {
            change(live);
        }
    }

    fn release(&mut self, bytes: u64) {
        self.values_bytes = self.values_bytes.saturating_sub(bytes);
    }

    fn enter(&mut self, event: &Event) {
        let Event::Entered { activation, level, parent, scope, index, role, opens, phase } = event else {
            return;
        };
        self.next_activation = self.next_activation.max(activation.0.saturating_add(1));
        if let Some((around, given)) = opens {
            self.values_bytes += given.values().map(bytes).sum::<u64>();
            let scope = Scope { parent: *around, given: given.clone(), ..Scope::default() };
            self.scopes.insert(*activation, scope);
        }
        self.activations.insert(
            *activation,
            Activation {
                id: *activation,
                level: *level,
                parent: *parent,
                scope: *scope,
                index: *index,
                role: *role,
                phase: phase.clone(),
                attempt: 0,
                request: None,
                unsure: false,
                beside: 0,
                deadline: None,
                each: None,
            },
        );
    }

    fn leave(&mut self, activation: ActivationId, how: &Ended) {
        let Some(left) = self.activations.remove(&activation) else {
            return;
        };
        let each = left.each.iter().flat_map(|each| each.items.iter().chain(&each.results));
        let freed = left.request.map_or(0, |request| request.len() as u64) + each.map(bytes).sum::<u64>();
        self.release(freed);
        match how {
            Ended::Done { result } => {
                self.drop_scope(activation);
                // A compensation's result interests nobody.
                if !matches!(left.role, Role::Undo(_))
                    && let Some(scope) = self.scopes.get_mut(&left.scope)
                {
                    let old = scope.results.insert(left.level, result.clone());
                    self.values_bytes += bytes(result);
                    self.release(old.as_ref().map_or(0, bytes));
                }
            }
            Ended::Failed { .. } | Ended::Skipped => self.drop_scope(activation),
            // Calls that still settle may need what they read; then `settle` drops it.
            Ended::Dropped if self.scopes.contains_key(&activation) && !self.is_read(activation) => {
                self.drop_scope(activation);
            }
            Ended::Dropped => {}
        }
    }

    /// All is known now that compensations need, so scopes without a living owner go.
    fn settle(&mut self, activation: ActivationId) {
        self.change(activation, |live| {
            if let Phase::Cancelling { then, .. } = &live.phase {
                live.phase = Phase::Undoing { then: then.clone() };
            }
        });
        let dead: Vec<ActivationId> = self
            .scopes
            .keys()
            .filter(|scope| !self.activations.contains_key(scope) && !self.is_read(**scope))
            .copied()
            .collect();
        dead.into_iter().for_each(|scope| self.drop_scope(scope));
    }

    /// Whether something live reads a scope.
    fn is_read(&self, scope: ActivationId) -> bool {
        self.activations.values().any(|live| {
            let mut at = Some(live.scope);
            while let Some(around) = at {
                if around == scope {
                    return true;
                }
                // Scopes around have lower numbers, so this comes to an end.
                at = self.scopes.get(&around).and_then(|it| it.parent).filter(|parent| *parent < around);
            }
            false
        })
    }

    fn drop_scope(&mut self, scope: ActivationId) {
        if scope == Self::ROOT {
            return;
        }
        if let Some(dropped) = self.scopes.remove(&scope) {
            let freed: u64 = dropped.given.values().chain(dropped.results.values()).map(bytes).sum();
            self.release(freed);
        }
    }

    fn finish(&mut self, end: &super::End) {
        self.end = Some(end.clone());
        self.activations.clear();
        self.undo.clear();
        self.doubts.clear();
        self.signals.clear();
        self.paused = false;
    }
}

impl Activation {
    fn open(&mut self) {
        match &mut self.phase {
            Phase::Joining { open, .. } | Phase::Cancelling { open, .. } => *open += 1,
            _ => self.phase = Phase::Joining { done: 0, failed: 0, dead: 0, open: 1 },
        }
        if let Some(each) = &mut self.each {
            each.next = each.next.saturating_add(1);
        }
    }

    fn count(&mut self, index: u32, part: &Part) {
        match &mut self.phase {
            Phase::Joining { done, failed, dead, open } => {
                *open = open.saturating_sub(1);
                match part {
                    Part::Done(_) => *done += 1,
                    Part::Failed => *failed += 1,
                    Part::Dead => *dead += 1,
                    Part::Settled => {}
                }
            }
            Phase::Cancelling { open, .. } => *open = open.saturating_sub(1),
            _ => {}
        }
        if let (Part::Done(Some(result)), Some(each)) = (part, &mut self.each)
            && let Some(row) = each.results.get_mut(index as usize)
        {
            *row = result.clone();
        }
    }
}

/// About how many bytes a value takes as JSON.
pub(crate) fn bytes(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len() as u64 + 2,
        Value::Array(items) => 2 + items.iter().map(|item| bytes(item) + 1).sum::<u64>(),
        Value::Object(members) => {
            2 + members.iter().map(|(key, member)| key.len() as u64 + 4 + bytes(member)).sum::<u64>()
        }
    }
}
