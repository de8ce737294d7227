//! Sets of time: sorted intervals that neither touch nor overlap. Pure.

use buildly_model::Timestamp;

/// A time from its start up to, but without, its end; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interval {
    pub(crate) starts: Timestamp,
    pub(crate) ends: Timestamp,
}

impl Interval {
    /// The interval, unless it is empty.
    pub(crate) fn new(starts: Timestamp, ends: Timestamp) -> Option<Self> {
        (starts < ends).then_some(Self { starts, ends })
    }

    /// What both have.
    pub(crate) fn meet(self, other: Self) -> Option<Self> {
        Self::new(self.starts.max(other.starts), self.ends.min(other.ends))
    }
}

/// Makes a set of any intervals.
pub(crate) fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut set: Vec<Interval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        match set.last_mut() {
            Some(last) if interval.starts <= last.ends => last.ends = last.ends.max(interval.ends),
            _ => set.push(interval),
        }
    }
    set
}

/// The time that is in both sets.
pub(crate) fn intersection(one: &[Interval], other: &[Interval]) -> Vec<Interval> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut set = Vec::new();
    while let (Some(left), Some(right)) = (one.peek(), other.peek()) {
        set.extend(left.meet(**right));
        if left.ends <= right.ends {
            one.next()
        } else {
            other.next()
        };
    }
    set
}

/// The time that is in `whole` and not in `taken`.
pub(crate) fn difference(whole: &[Interval], taken: &[Interval]) -> Vec<Interval> {
    let first = whole.first().map(|interval| interval.starts);
    let last = whole.last().map(|interval| interval.ends);
    let (Some(mut free_from), Some(end)) = (first, last) else { return Vec::new() };
    let mut gaps = Vec::with_capacity(taken.len() + 1);
    for interval in taken {
        gaps.extend(Interval::new(free_from, interval.starts.min(end)));
        free_from = free_from.max(interval.ends);
    }
    gaps.extend(Interval::new(free_from, end));
    intersection(whole, &gaps)
}

#[cfg(test)]
mod tests;
