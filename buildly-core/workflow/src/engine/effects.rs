//! Effects: the shell around the worker.

use std::sync::Arc;
use std::time::Duration;

use buildly_model::{OrganizationId, RunId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::warn;

use super::resting::Resting;
use super::{Engine, Taken, stopped};
use crate::bells::Rings;
use crate::decide::Given;
use crate::{Action, Answer, Change, EffectId, Happening, Input, Used, Worker};

/// How long calls under way may take when the node stops.
const DRAIN: Duration = Duration::from_secs(10);

pub(super) async fn perform(engine: &Engine, resting: &Arc<Resting>, mut stop: watch::Receiver<bool>) {
    let (happened, mut happenings) = mpsc::unbounded_channel();
    let shell = Shell { engine: engine.clone(), resting: Arc::clone(resting), happened };
    let began = Instant::now();
    let (mut handed, load) = engine.workflow.handover.open(Arc::clone(&engine.owner), engine.settings);
    let mut worker = Worker::new(engine.settings);
    let mut tasks = JoinSet::new();
    let mut wake = shell.act(worker.on(Happening::Woken, Duration::ZERO), &mut tasks);
    let mut drained_at = None;
    loop {
        let poll = began.elapsed().saturating_add(engine.settings.poll);
        let sleep = wake.map_or(poll, |at| at).saturating_sub(began.elapsed());
        // Its room is free again once the worker has counted it.
        let mut counted = None;
        let happening = tokio::select! {
            biased;
            () = stopped(&mut stop), if drained_at.is_none() => {
                drained_at = Some(Instant::now() + DRAIN);
                Happening::Stopping
            }
            Some(happening) = happenings.recv() => happening,
            Some(mut handed) = handed.recv() => {
                let leased = std::mem::take(&mut handed.leased);
                let asked_at = handed.asked_at.saturating_duration_since(began);
                counted = Some(handed);
                Happening::Handed { leased, asked_at }
            }
            () = engine.workflow.parts.bells.effects(), if drained_at.is_none() => Happening::Woken,
            () = tokio::time::sleep(sleep) => Happening::Woken,
            Some(_) = tasks.join_next() => continue,
        };
        wake = shell.act(worker.on(happening, began.elapsed()), &mut tasks);
        load.is(worker.under_way());
        drop(counted);
        if drained_at.is_some_and(|at| worker.is_idle() || Instant::now() >= at) {
            return;
        }
    }
}

struct Shell {
    engine: Engine,
    resting: Arc<Resting>,
    happened: mpsc::UnboundedSender<Happening>,
}

impl Shell {
    /// Begins what is to be done; when to wake the worker.
    fn act(&self, actions: Vec<Action>, tasks: &mut JoinSet<()>) -> Option<Duration> {
        let mut wake = None;
        for action in actions {
            let (engine, happened) = (self.engine.clone(), self.happened.clone());
            match action {
                Action::Wake(at) => wake = Some(wake.map_or(at, |known: Duration| known.min(at))),
                Action::Take { max, lease } => {
                    tasks.spawn(async move {
                        let owner = (engine.owner)();
                        let taken = engine.workflow.parts.work.take_effects(owner, max, lease).await;
                        let taken = taken.unwrap_or_else(|error| {
                            warn!(%error, "effects cannot be taken; trying again");
                            Vec::new()
                        });
                        // Nobody listens any more once the node has stopped.
                        let _ = happened.send(Happening::Taken(taken));
                    });
                }
                Action::Send(leased) => {
                    tasks.spawn(async move {
                        let outcome = engine.services.perform(&leased).await;
                        let (id, epoch) = (leased.id, leased.epoch);
                        let _ = happened.send(Happening::Answered { id, epoch, outcome });
                    });
                }
                Action::HandIn { id, epoch, organization, run, answer } => {
                    let resting = Arc::clone(&self.resting);
                    tasks.spawn(async move {
                        let given =
                            Given { used: Some(Used::Effect { id, epoch }), input: Input::Answered(answer) };
                        let _ =
                            happened.send(match engine.take(&resting, organization, run, &[given]).await {
                                Taken::Settled => Happening::HandedIn { id, epoch },
                                Taken::Again => Happening::NotHandedIn { id, epoch },
                            });
                    });
                }
                Action::GiveBack { id, epoch } => {
                    tasks.spawn(async move { give_back(&engine, id, epoch).await });
                }
                Action::Late { organization, run, answer } => {
                    tasks.spawn(async move { queue_late(&engine, organization, run, answer).await });
                }
            }
        }
        wake
    }
}

async fn give_back(engine: &Engine, id: EffectId, epoch: u64) {
    if let Err(error) = engine.workflow.parts.work.give_back_effect(id, epoch).await {
        warn!(%error, "an effect could not be given back; its lease ends by itself");
    }
}

/// An answer that came after the call was given up.
async fn queue_late(engine: &Engine, organization: OrganizationId, run: RunId, answer: Answer) {
    let parts = &engine.workflow.parts;
    let key = format!("late:{}:{}", answer.activation, answer.attempt);
    let change = Change::InputQueued { run, key, at: parts.clock.now(), input: Input::Answered(answer) };
    let part = buildly_journal::Part::of_all(Some(organization), vec![change], Vec::new());
    let rings = Rings::of(&part.changes);
    match parts.commits.commit(part).await {
        Ok(_) => parts.bells.ring(&rings),
        Err(error) => warn!(%run, %error, "a late answer could not be kept"),
    }
}
