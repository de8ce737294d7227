//! Bugs planted on purpose, to prove that the simulator finds them; none outside of tests.

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "planted by tests only"))]
pub(crate) enum Bug {
    /// Effects are sent before the step that wants them is committed.
    SendBeforeCommit,
    /// The idempotency key contains the attempt.
    KeyFromAttempt,
    /// What may have happened is not undone.
    UndoOnlyCompleted,
    /// An answer that comes after the cancelling completes the level.
    AnswerAfterCancel,
    /// A lease is counted from when the node looks at it, not from when it was asked for.
    LeaseByLocalClock,
}

#[cfg(test)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

#[cfg(not(test))]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

/// Plants a bug in this thread, or none.
#[cfg(test)]
pub(crate) fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}
