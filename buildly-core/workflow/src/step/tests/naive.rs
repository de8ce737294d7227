//! A naive interpreter: it knows the template and the log of answers, and computes from them,
//! by recursion and from the beginning each time, what must have become of the run.
//!
//! Times are positions in the log. Compensations are answered at once, so they take no time.

use std::collections::BTreeMap;

use crate::testing::Shape;

/// Where a call stands: the places from the root down.
pub(super) type Path = Vec<u32>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Done,
    Refused,
    Unknown,
}

/// The answers, in commit order.
pub(super) type Log = BTreeMap<Path, (usize, Answered)>;

#[derive(Debug, Clone)]
struct Call {
    path: Path,
    has_undo: bool,
    started: usize,
    answer: Option<(usize, Answered)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done(usize),
    Failed(usize),
    Dead(usize),
}

impl End {
    const fn time(self) -> usize {
        match self {
            Self::Done(time) | Self::Failed(time) | Self::Dead(time) => time,
        }
    }
}

/// What became of a part: how it ended, which calls it made, what was undone when.
#[derive(Debug, Clone, Default)]
struct Story {
    end: Option<End>,
    calls: Vec<Call>,
    undone: Vec<(usize, Path)>,
}

impl Story {
    /// The part is stopped at `time`: nothing begins from then on.
    fn cut(&mut self, time: usize) {
        self.calls.retain(|call| call.started < time);
        self.undone.retain(|(at, _)| *at <= time);
    }

    /// When the calls that are out at `time` have been answered.
    fn settled(&self, time: usize) -> Option<usize> {
        self.calls.iter().try_fold(time, |latest, call| Some(latest.max(call.answer?.0)))
    }

    /// Undoes, at `time`, what happened or may have and is not undone yet; the last first.
    fn undo(&mut self, time: usize) {
        let is_done = |call: &&Call| self.undone.iter().any(|(_, path)| *path == call.path);
        let mut happened: Vec<(usize, Path)> = self
            .calls
            .iter()
            .filter(|call| call.has_undo && !is_done(call))
            .filter_map(|call| {
                call.answer
                    .filter(|(_, how)| *how != Answered::Refused)
                    .map(|(at, _)| (at, call.path.clone()))
            })
            .collect();
        happened.sort_unstable_by(|one, other| other.cmp(one));
        self.undone.extend(happened.into_iter().map(|(_, path)| (time, path)));
    }

    fn take(&mut self, part: Story) {
        self.calls.extend(part.calls);
        self.undone.extend(part.undone);
    }
}

/// How a run stands, as the naive interpreter sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: &'static str,
    pub(super) started: Vec<Path>,
    pub(super) undone: Vec<Path>,
}

pub(super) fn interpret(shape: &Shape, log: &Log) -> Verdict {
    let mut story = tell(shape, &mut Vec::new(), 0, log);
    let status = match story.end {
        Some(End::Done(_) | End::Dead(_)) => "completed",
        Some(End::Failed(time)) => match story.settled(time) {
            Some(settled) => {
                story.undo(settled);
                "failed"
            }
            None => "running",
        },
        None => "running",
    };
    let mut started: Vec<Path> = story.calls.iter().map(|call| call.path.clone()).collect();
    started.sort_unstable();
    // Parts are told before what is around them, so equal times are in the right order.
    story.undone.sort_by_key(|(time, _)| *time);
    Verdict { status, started, undone: story.undone.into_iter().map(|(_, path)| path).collect() }
}

fn tell(shape: &Shape, path: &mut Path, start: usize, log: &Log) -> Story {
    match shape {
        Shape::Call { has_undo } => {
            let answer = log.get(path).copied();
            let end = answer
                .map(|(time, how)| if how == Answered::Done { End::Done(time) } else { End::Failed(time) });
            let call = Call { path: path.clone(), has_undo: *has_undo, started: start, answer };
            Story { end, calls: vec![call], undone: Vec::new() }
        }
        Shape::Skipped(_) => Story { end: Some(End::Dead(start)), ..Story::default() },
        Shape::Sequence(parts) => one_by_one(parts.iter(), path, start, log),
        Shape::Loop { rounds, body } => one_by_one((0..*rounds).map(|_| &**body), path, start, log),
        Shape::Decide { chosen, ways } => match ways.get(*chosen) {
            Some(way) => within(way, u32::try_from(*chosen).unwrap(), path, start, log).completing(),
            None => Story { end: Some(End::Done(start)), ..Story::default() },
        },
        Shape::Parallel(parts) => {
            let stories = told(parts, path, start, log);
            all_of(stories, start)
        }
        Shape::ForEach { items, at_once, body } => {
            let mut stories: Vec<Story> = Vec::new();
            let mut busy: Vec<End> = Vec::new();
            for item in 0..*items {
                let running = stories.iter().filter(|story| story.end.is_none()).count() + busy.len();
                let from = if running < *at_once as usize {
                    start
                } else {
                    let Some(place) = (0..busy.len()).min_by_key(|place| busy[*place].time()) else { break };
                    match busy.remove(place) {
                        End::Failed(_) => break,
                        end => end.time(),
                    }
                };
                let story = within(body, item, path, from, log);
                busy.extend(story.end);
                stories.push(story);
            }
            let is_whole = stories.len() == *items as usize;
            let mut all = all_of(stories, start);
            if !is_whole && !matches!(all.end, Some(End::Failed(_))) {
                all.end = None;
            }
            all
        }
        Shape::Any(needed, parts) => some_of(*needed as usize, told(parts, path, start, log), start),
        Shape::Rescued { body, handler } => {
            let mut story = within(body, 0, path, start, log);
            if let Some(End::Failed(time)) = story.end {
                story.end = None;
                if let Some(settled) = story.settled(time) {
                    story.undo(settled);
                    let rescue = within(handler, 1, path, settled, log);
                    story.end = rescue.end;
                    story.take(rescue);
                }
            }
            story.completing()
        }
    }
}

impl Story {
    /// A stage around a part that was skipped completes.
    fn completing(mut self) -> Self {
        if let Some(End::Dead(time)) = self.end {
            self.end = Some(End::Done(time));
        }
        self
    }
}

fn within(shape: &Shape, place: u32, path: &mut Path, start: usize, log: &Log) -> Story {
    path.push(place);
    let story = tell(shape, path, start, log);
    path.pop();
    story
}

fn told(parts: &[Shape], path: &mut Path, start: usize, log: &Log) -> Vec<Story> {
    (0..).zip(parts).map(|(place, part)| within(part, place, path, start, log)).collect()
}

fn one_by_one<'a>(parts: impl Iterator<Item = &'a Shape>, path: &mut Path, start: usize, log: &Log) -> Story {
    let mut story = Story { end: Some(End::Done(start)), ..Story::default() };
    for (place, part) in (0..).zip(parts) {
        let from = match story.end {
            Some(End::Done(time) | End::Dead(time)) => time,
            Some(End::Failed(_)) | None => break,
        };
        let next = within(part, place, path, from, log);
        story.end = next.end;
        story.take(next);
    }
    story.completing()
}

/// All are needed; the first failure stops the others.
fn all_of(mut stories: Vec<Story>, start: usize) -> Story {
    let failed = stories.iter().filter_map(|story| match story.end {
        Some(End::Failed(time)) => Some(time),
        _ => None,
    });
    let end = match failed.min() {
        Some(time) => {
            stories.iter_mut().for_each(|story| story.cut(time));
            Some(End::Failed(time))
        }
        None => {
            stories.iter().try_fold(start, |latest, story| Some(latest.max(story.end?.time()))).map(End::Done)
        }
    };
    let mut all = Story { end, ..Story::default() };
    stories.into_iter().for_each(|story| all.take(story));
    all
}

/// So many are needed; a failed part settles and is undone, and then counts as failed.
fn some_of(needed: usize, mut stories: Vec<Story>, start: usize) -> Story {
    let mut counted: Vec<(usize, bool)> = Vec::new();
    let ends: Vec<Option<usize>> = stories
        .iter_mut()
        .map(|story| match story.end? {
            End::Done(time) | End::Dead(time) => {
                counted.push((time, true));
                Some(time)
            }
            End::Failed(time) => {
                let settled = story.settled(time)?;
                story.undo(settled);
                counted.push((settled, false));
                Some(settled)
            }
        })
        .collect();
    counted.sort_unstable();
    let (mut done, mut open, mut decided) = (0, stories.len(), (needed == 0).then_some((start, true)));
    for (time, is_done) in counted {
        open -= 1;
        done += usize::from(is_done);
        if decided.is_none() && (done >= needed || done + open < needed) {
            decided = Some((time, done >= needed));
        }
    }
    let end = match decided {
        None => None,
        Some((time, false)) => {
            stories.iter_mut().for_each(|story| story.cut(time));
            Some(End::Failed(time))
        }
        Some((time, true)) => {
            let mut over = Some(time);
            for (story, end) in stories.iter_mut().zip(ends) {
                if end.is_some_and(|end| end <= time) {
                    continue;
                }
                // A part that had failed before goes on settling as it was.
                let stopped = match story.end {
                    Some(End::Failed(failed)) if failed < time => failed,
                    _ => {
                        story.cut(time);
                        time
                    }
                };
                let settled = story.settled(stopped);
                if let Some(settled) = settled {
                    story.undone.retain(|(at, _)| *at <= stopped);
                    story.undo(settled);
                }
                over = over.zip(settled).map(|(over, settled)| over.max(settled));
            }
            over.map(End::Done)
        }
    };
    let mut all = Story { end, ..Story::default() };
    stories.into_iter().for_each(|story| all.take(story));
    all
}
