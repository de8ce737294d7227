//! What must hold between two steps: nothing live is forgotten by the world.

use std::collections::BTreeSet;

use crate::{ActivationId, Compiled, NodeKind, Phase, Role, State, TimerKind};

/// A run and what the world holds for it.
pub(crate) struct World<'a> {
    pub(crate) template: &'a Compiled,
    pub(crate) state: &'a State,
    pub(crate) effects: BTreeSet<(ActivationId, u32)>,
    pub(crate) timers: BTreeSet<(ActivationId, TimerKind)>,
    pub(crate) tasks: &'a BTreeSet<ActivationId>,
    pub(crate) children: &'a BTreeSet<ActivationId>,
    /// Whether a `Continue` is waiting.
    pub(crate) more: bool,
}

/// Every live activation has something that will bring it on, and counters tell the truth.
pub(crate) fn assert_sound(world: &World<'_>) {
    let state = world.state;
    if state.is_ended() {
        assert!(state.activations.is_empty() && state.undo.is_empty(), "an ended run has nothing left");
        return;
    }
    let parts = |parent: ActivationId, is_meant: fn(&Role) -> bool| {
        let parts =
            state.activations.values().filter(|live| live.parent == Some(parent) && is_meant(&live.role));
        u32::try_from(parts.count()).unwrap()
    };
    let has_timer = |activation, kind| world.timers.contains(&(activation, kind));
    let is_out = |activation, attempt| world.effects.contains(&(activation, attempt));
    for live in state.activations.values() {
        let id = live.id;
        let what = format!("{} ({id}) {:?}", world.template.name_of(live.level), live.phase);
        assert_eq!(live.deadline.is_some(), has_timer(id, TimerKind::Deadline), "deadline of {what}");
        assert!(state.scopes.contains_key(&live.scope), "scope of {what}");
        assert!(
            live.parent.is_none_or(|parent| parent < id && state.activations.contains_key(&parent)),
            "parent of {what}"
        );
        let is_run = matches!(world.template.node(live.level).unwrap().kind, NodeKind::Run { .. });
        match &live.phase {
            Phase::Linked => assert!(state.activations.len() > 1, "{what} waits for something"),
            Phase::Ready => assert!(state.paused || world.more, "{what} begins later"),
            Phase::Calling => assert!(is_out(id, live.attempt), "{what}"),
            Phase::Backoff { .. } => assert!(has_timer(id, TimerKind::Retry), "{what}"),
            Phase::Waiting { .. } => assert!(has_timer(id, TimerKind::Wait), "{what}"),
            Phase::WaitingSignal | Phase::Stuck { .. } => {}
            Phase::Task { .. } => assert!(world.tasks.contains(&id), "{what}"),
            Phase::SubRun => assert!(world.children.contains(&id), "{what}"),
            Phase::Joining { open, .. } => {
                assert_eq!(*open, parts(id, |role| *role == Role::Body), "{what}");
                assert!(*open > 0, "{what} has something to wait for");
            }
            Phase::Handling { .. } => assert_eq!(parts(id, |role| *role == Role::Handler), 1, "{what}"),
            Phase::Draining { .. } => assert!(live.beside > 0, "{what}"),
            Phase::Cancelling { is_calling, open, .. } => {
                assert_eq!(*open, parts(id, |_| true), "{what}");
                assert!(*is_calling || *open > 0, "{what}");
                if *is_calling && !is_run {
                    assert!(is_out(id, live.attempt), "{what}");
                }
            }
            Phase::Undoing { .. } => {
                assert_eq!(parts(id, |role| matches!(role, Role::Undo(_))), 1, "{what}");
                assert_eq!(parts(id, |_| true), 1, "{what}");
            }
        }
        // What a cancelled level stops is all counted as open, whatever it was before.
        let besides = if live.phase.is_ending() {
            0
        } else {
            parts(id, |role| matches!(role, Role::Beside | Role::Undo(_)))
        };
        assert_eq!(live.beside, besides, "branches beside {what}");
    }
    let timers: Vec<_> = world.timers.iter().filter(|(id, _)| !state.activations.contains_key(id)).collect();
    assert!(timers.is_empty(), "timers of nobody: {timers:?}");
    let tasks: Vec<_> = world.tasks.iter().filter(|id| !state.activations.contains_key(id)).collect();
    assert!(tasks.is_empty(), "tasks of nobody: {tasks:?}");
}
