//! Builds templates in Rust, for tests and for applications that keep them in code.

use super::level::FORMAT;
use super::*;

impl Template {
    /// A template that does these levels, one after the other.
    ///
    /// ```
    /// use buildly_workflow::template::{Level, Retry, Template};
    ///
    /// let template = Template::new("onboarding", [
    ///     Level::call("create_contact", "crm.create_contact")
    ///         .body("{'name': input.name}")
    ///         .retry(Retry::attempts(5)),
    ///     Level::task("approve").group("managers"),
    ///     Level::call("remove_contact", "crm.remove_contact")
    ///         .parameter("uuid", "levels.create_contact.uuid")
    ///         .compensates("create_contact")
    ///         .account("janitor"),
    /// ]);
    /// let text = serde_json::to_vec(&template).unwrap();
    /// assert_eq!(Template::from_json(&text).unwrap(), template);
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, levels: impl IntoIterator<Item = Level>) -> Self {
        Self {
            format: FORMAT,
            name: name.into(),
            title: None,
            description: None,
            input: None,
            starts: Vec::new(),
            unhandled: Unhandled::default(),
            deadline: None,
            on: Vec::new(),
            levels: levels.into_iter().collect(),
        }
    }
}

impl Level {
    /// A level of any kind.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            kind,
            when: None,
            after: Vec::new(),
            join: LinkJoin::default(),
            compensates: None,
            actor: Actor::default(),
            retry: None,
            timeout: None,
            deadline: None,
            on: Vec::new(),
        }
    }

    /// Levels one after the other.
    #[must_use]
    pub fn sequence(name: impl Into<String>, levels: impl IntoIterator<Item = Level>) -> Self {
        Self::new(name, Kind::Sequence(levels.into_iter().collect()))
    }

    /// Levels at the same time.
    #[must_use]
    pub fn parallel(name: impl Into<String>, levels: impl IntoIterator<Item = Level>) -> Self {
        Self::new(name, Kind::Parallel(levels.into_iter().collect()))
    }

    /// Levels at the same time, of which `needed` must complete.
    #[must_use]
    pub fn any(name: impl Into<String>, needed: u32, levels: impl IntoIterator<Item = Level>) -> Self {
        Self::new(name, Kind::Any(Any { needed, levels: levels.into_iter().collect() }))
    }

    /// Levels at the same time, of which the first to complete wins.
    #[must_use]
    pub fn race(name: impl Into<String>, levels: impl IntoIterator<Item = Level>) -> Self {
        Self::new(name, Kind::Race(levels.into_iter().collect()))
    }

    /// `level` for each item, `at_once` at a time.
    #[must_use]
    pub fn for_each(name: impl Into<String>, items: impl Into<String>, at_once: u32, level: Level) -> Self {
        let (items, bound) = (items.into(), 1_000);
        Self::new(name, Kind::ForEach(ForEach { items, at_once, bound, level: Box::new(level) }))
    }

    /// `level` while `condition` holds, `bound` times at most.
    #[must_use]
    pub fn repeat(name: impl Into<String>, condition: impl Into<String>, bound: u32, level: Level) -> Self {
        Self::new(name, Kind::Loop(Loop { condition: condition.into(), bound, level: Box::new(level) }))
    }

    /// A person's work.
    #[must_use]
    pub fn task(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Task(Task { group: None, user: None, form: None, show: None }))
    }

    /// A call of a service.
    #[must_use]
    pub fn call(name: impl Into<String>, operation: impl Into<String>) -> Self {
        let operation = operation.into();
        Self::new(
            name,
            Kind::Call(Call { operation, parameters: Default::default(), body: None, result: None }),
        )
    }

    /// A read through the mesh.
    #[must_use]
    pub fn read(name: impl Into<String>, records: impl Into<String>) -> Self {
        Self::new(name, Kind::Read(Read { records: records.into(), query: Default::default(), result: None }))
    }

    /// A choice between levels.
    #[must_use]
    pub fn decide(
        name: impl Into<String>,
        branches: impl IntoIterator<Item = (String, Level)>,
        otherwise: Option<Level>,
    ) -> Self {
        let branches = branches.into_iter().map(|(condition, level)| Choice { condition, level }).collect();
        Self::new(name, Kind::Decide(Decide { branches, otherwise: otherwise.map(Box::new) }))
    }

    /// A pause.
    #[must_use]
    pub fn wait(name: impl Into<String>, delay: Delay) -> Self {
        Self::new(name, Kind::Wait(Wait::For(delay)))
    }

    /// A wait for the clock of a place.
    #[must_use]
    pub fn wait_until(name: impl Into<String>, date: impl Into<String>, zone: impl Into<String>) -> Self {
        Self::new(name, Kind::Wait(Wait::Until(LocalDate { date: date.into(), zone: zone.into() })))
    }

    /// A wait for a signal.
    #[must_use]
    pub fn wait_signal(name: impl Into<String>, signal: impl Into<String>) -> Self {
        Self::new(name, Kind::Wait(Wait::Signal(WaitSignal { name: signal.into(), default: None })))
    }

    /// A run of another template.
    #[must_use]
    pub fn run(name: impl Into<String>, template: impl Into<String>) -> Self {
        Self::new(name, Kind::Run(SubRun { template: template.into(), input: None }))
    }

    /// A fact for the journal.
    #[must_use]
    pub fn emit(name: impl Into<String>, event: impl Into<String>) -> Self {
        Self::new(name, Kind::Emit(Emit { event: event.into(), payload: None }))
    }
}

/// What all kinds can have.
impl Level {
    /// Only if this is true.
    #[must_use]
    pub fn when(self, condition: impl Into<String>) -> Self {
        Self { when: Some(condition.into()), ..self }
    }

    /// Only once that level has ended.
    #[must_use]
    pub fn after(mut self, level: impl Into<String>) -> Self {
        self.after.push(level.into());
        self
    }

    /// One living link is enough.
    #[must_use]
    pub fn after_any(self) -> Self {
        Self { join: LinkJoin::Any, ..self }
    }

    /// It undoes that level, and does nothing else.
    #[must_use]
    pub fn compensates(self, level: impl Into<String>) -> Self {
        Self { compensates: Some(level.into()), ..self }
    }

    /// It acts as a service account.
    #[must_use]
    pub fn account(self, name: impl Into<String>) -> Self {
        Self { actor: Actor::Account(name.into()), ..self }
    }

    /// Attempts are repeated.
    #[must_use]
    pub fn retry(self, retry: Retry) -> Self {
        Self { retry: Some(retry), ..self }
    }

    /// It may take so long as a whole.
    #[must_use]
    pub fn deadline(self, deadline: Delay) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// What is done when `event` happens; the level is stopped and undone first.
    #[must_use]
    pub fn on(mut self, event: BranchEvent, level: Level) -> Self {
        self.on.push(Branch { event, interrupting: true, level: Box::new(level) });
        self
    }

    /// What is done beside the level when `event` happens.
    #[must_use]
    pub fn beside(mut self, event: BranchEvent, level: Level) -> Self {
        self.on.push(Branch { event, interrupting: false, level: Box::new(level) });
        self
    }

    /// The group that may do a task; nothing for other kinds.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        if let Kind::Task(task) = &mut self.kind {
            task.group = Some(name.into());
        }
        self
    }

    /// The schema of a task's form; nothing for other kinds.
    #[must_use]
    pub fn form(mut self, schema: serde_json::Value) -> Self {
        if let Kind::Task(task) = &mut self.kind {
            task.form = Some(schema);
        }
        self
    }

    /// The body of a call, the input of a sub-workflow, the payload of an event (CEL); nothing
    /// for other kinds.
    #[must_use]
    pub fn body(mut self, expression: impl Into<String>) -> Self {
        let expression = Some(expression.into());
        match &mut self.kind {
            Kind::Call(call) => call.body = expression,
            Kind::Run(run) => run.input = expression,
            Kind::Emit(emit) => emit.payload = expression,
            _ => {}
        }
        self
    }

    /// A parameter of a call or of a read (CEL); nothing for other kinds.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, expression: impl Into<String>) -> Self {
        match &mut self.kind {
            Kind::Call(call) => call.parameters.insert(name.into(), expression.into()),
            Kind::Read(read) => read.query.insert(name.into(), expression.into()),
            _ => None,
        };
        self
    }

    /// What is made of an answer (CEL); nothing for other kinds.
    #[must_use]
    pub fn result(mut self, expression: impl Into<String>) -> Self {
        match &mut self.kind {
            Kind::Call(call) => call.result = Some(expression.into()),
            Kind::Read(read) => read.result = Some(expression.into()),
            _ => {}
        }
        self
    }
}
