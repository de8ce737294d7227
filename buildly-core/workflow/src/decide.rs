//! What several inputs of one run come to, as data to be written; pure.

use buildly_model::{RunId, Timestamp};

use crate::{
    ActivationId, Change, Command, Compiled, EffectId, End, Event, Input, State, StepError, Stepped, Used,
    step,
};

/// So many bits of an effect's number are random, the others its time in microseconds.
const RANDOM_BITS: u32 = 11;

/// An input, and the row that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    pub(crate) used: Option<Used>,
    pub(crate) input: Input,
}

impl Given {
    /// An input of a person, which stands in no row.
    pub(crate) const fn of_person(input: Input) -> Self {
        Self { used: None, input }
    }
}

/// What the inputs come to.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) stepped: Stepped,
    pub(crate) state: State,
    /// Runs to start and to cancel, which only the shell can look up.
    pub(crate) runs: Vec<RunCommand>,
    /// Whether the step stopped at its bound.
    pub(crate) more: bool,
}

/// What a step wants of another run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RunCommand {
    Start { activation: ActivationId, key: String, template: String, input: serde_json::Value },
    Cancel { activation: ActivationId, key: String },
}

/// Steps through the inputs, one after the other.
///
/// # Errors
/// What a person's input is refused with. What a machine hands in is never refused: it is late.
pub(crate) fn decide(
    template: &Compiled,
    run: RunId,
    version: u64,
    mut state: State,
    given: Vec<Given>,
    (now, random): (Timestamp, u64),
) -> Result<Decided, StepError> {
    let mut stepped = Stepped {
        run,
        expected_version: version,
        used: Vec::new(),
        state: String::new(),
        status: state.status(),
        at: now,
        is_ended: false,
        events: Vec::new(),
        effects: Vec::new(),
        first_effect: effect_number(now, random),
        held: None,
        timers: Vec::new(),
        tasks: Vec::new(),
    };
    let (mut runs, mut more) = (Vec::new(), false);
    for (place, Given { used, input }) in given.into_iter().enumerate() {
        let name = input.name();
        let random = random.wrapping_add(u64::try_from(place).unwrap_or(0));
        let outcome = step(template, &state, input, now, random);
        let Some(used) = used else {
            take(&mut stepped, &mut runs, &mut more, &mut state, outcome?);
            continue;
        };
        stepped.used.push(used);
        match outcome {
            Ok(step) => take(&mut stepped, &mut runs, &mut more, &mut state, step),
            Err(error @ StepError::Corrupt { .. }) => return Err(error),
            Err(_) => {
                let late = Event::Late { input: name.to_owned(), activation: None };
                state = state.apply(&late);
                stepped.events.push(late);
            }
        }
    }
    stepped.status = state.status();
    stepped.is_ended = state.is_ended();
    stepped.state = serde_json::to_string(&state)
        .map_err(|error| StepError::Corrupt { reason: format!("the state cannot be written: {error}") })?;
    Ok(Decided { stepped, state, runs, more })
}

/// A number that is nobody's yet, but with a chance of one in two thousand within a microsecond:
/// then the storage refuses it, and the step is decided again.
fn effect_number(now: Timestamp, random: u64) -> EffectId {
    let micros = u64::try_from(now.as_microseconds()).unwrap_or(0);
    // The sign bit stays free for as long as clocks say a year before 2112.
    EffectId(((micros << RANDOM_BITS) | (random >> (u64::BITS - RANDOM_BITS))) & (u64::MAX >> 1))
}

fn take(
    stepped: &mut Stepped,
    runs: &mut Vec<RunCommand>,
    more: &mut bool,
    state: &mut State,
    step: crate::Step,
) {
    *state = step.state;
    stepped.events.extend(step.events);
    stepped.effects.extend(step.effects);
    stepped.timers.extend(step.timers);
    for command in step.commands {
        match command {
            Command::StartRun { activation, key, template, input } => {
                runs.push(RunCommand::Start { activation, key, template, input });
            }
            Command::CancelRun { activation } => {
                runs.push(RunCommand::Cancel { activation, key: state.key(activation) });
            }
            task => stepped.tasks.push(task),
        }
    }
    *more = step.more;
}

/// What the journal calls a step: its weightiest event.
pub(crate) fn kind_of(stepped: &Stepped, before: crate::Status) -> &'static str {
    let weight = |event: &Event| match event {
        Event::Finished { .. } => 5,
        Event::Started { .. } => 4,
        Event::TaskCompleted { .. } => 3,
        Event::Paused | Event::Resumed | Event::VariablesSet { .. } => 2,
        Event::SignalCame { .. } | Event::Emitted { .. } => 1,
        _ => 0,
    };
    let heaviest = stepped.events.iter().max_by_key(|event| weight(event));
    match heaviest {
        Some(event) if weight(event) >= 3 => event.kind(),
        _ if stepped.status != before && stepped.status == crate::Status::NeedsAttention => {
            "workflow.run.stopped"
        }
        Some(event) if weight(event) > 0 => event.kind(),
        _ => "workflow.run.stepped",
    }
}

/// The key by which the start of a level's run is known in the organization.
pub(crate) fn child_key(key: &str) -> String {
    format!("level:{key}")
}

/// What a run that waits for another is told of its end.
pub(crate) fn child_ended(parent: RunId, activation: ActivationId, at: Timestamp, end: End) -> Change {
    let input = Input::ChildEnded { activation, end };
    Change::InputQueued { run: parent, key: format!("child:{activation}"), at, input }
}
