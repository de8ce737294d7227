//! What the cases work on, and how they speak of it.

use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Commit, LeaseId, Nodes, Part};
use buildly_model::{EventId, Identity, OrganizationId, RunId, StoreError, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    ActingAs, ActivationId, Change, Command, Effect, EffectId, Event, Input, Leased, RunSummary, Start,
    Status, Stepped, Store, StoredRun, Timer, TimerKind, Used, Waiting, Work,
};

/// What a case works on: an empty store.
pub struct Subject {
    /// Reads.
    pub store: Arc<dyn Store>,
    /// Work.
    pub work: Arc<dyn Work>,
    /// Levels.
    pub levels: Arc<dyn crate::levels::Store>,
    /// The leases of nodes.
    pub nodes: Arc<dyn Nodes>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
}

/// An organization.
pub const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0xacae));
pub(super) const GLOBEX: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0x610b));
/// The lease of a node.
pub const NODE: LeaseId = LeaseId(Uuid::from_u128(0x0de1));
/// The lease of another node.
pub const OTHER_NODE: LeaseId = LeaseId(Uuid::from_u128(0x0de2));
/// Longer than any test.
pub const LONG: Duration = Duration::from_secs(600);

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

pub(super) const fn run_id(number: u128) -> RunId {
    RunId::from_uuid(Uuid::from_u128(number))
}

/// A run that has not begun.
pub(super) fn run(number: u128, organization: OrganizationId) -> RunSummary {
    RunSummary {
        id: run_id(number),
        organization,
        template: "onboarding".to_owned(),
        template_version: 3,
        status: Status::New,
        business_key: None,
        starter: "user:ada".to_owned(),
        parent: None,
        created_at: at(0),
        updated_at: at(0),
        ended_at: None,
    }
}

/// What begins it.
pub(super) fn begin(run: &RunSummary) -> Input {
    Input::Started(Start { run: run.id, input: json!({ "n": 1 }), starter: run.starter.clone(), caused: 0 })
}

/// A step of a run that is at `version`, which changes its state and nothing else.
pub(super) fn step(number: u128, version: u64) -> Stepped {
    Stepped {
        run: run_id(number),
        expected_version: version,
        used: Vec::new(),
        state: format!("{{\"after\":{version}}}"),
        status: Status::Running,
        at: at(10),
        is_ended: false,
        events: Vec::new(),
        effects: Vec::new(),
        first_effect: EffectId(u64::try_from(number).unwrap_or(0) * 1_000_000 + version * 10_000 + 1),
        held: None,
        timers: Vec::new(),
        tasks: Vec::new(),
    }
}

/// The effect of one activation.
pub(super) fn effect(activation: u64) -> Effect {
    Effect {
        activation: ActivationId(activation),
        attempt: 1,
        key: format!("run:{activation}"),
        level: "register".to_owned(),
        acting: ActingAs::Starter("user:ada".to_owned()),
        request: "{\"operation\":\"crm.create\",\"parameters\":{}}".to_owned(),
        timeout: Duration::from_millis(1_500),
    }
}

pub(super) fn timer(activation: u64, due: Option<Timestamp>) -> Timer {
    Timer { activation: ActivationId(activation), kind: TimerKind::Wait, due }
}

/// A task for somebody.
pub(super) fn open_task(activation: u64, group: Option<&str>, user: Option<&str>) -> Command {
    Command::OpenTask {
        activation: ActivationId(activation),
        level: "approve".to_owned(),
        group: group.map(str::to_owned),
        user: user.map(str::to_owned),
        show: json!({ "amount": 7, "text": "nul \u{0} inside" }),
        due: Some(at(500)),
    }
}

pub(super) fn fact(number: u64) -> Event {
    Event::Late { input: format!("fact {number}"), activation: Some(ActivationId(number)) }
}

pub(super) fn signal(name: &str, payload: Value) -> Input {
    Input::Signal { name: name.to_owned(), dedup: name.to_owned(), payload }
}

impl Subject {
    pub(super) async fn write(&self, organization: OrganizationId, change: Change) -> Result<(), StoreError> {
        self.write_all(organization, vec![change]).await
    }

    pub(super) async fn write_all(
        &self,
        organization: OrganizationId,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        self.commits.commit(Part::of_all(Some(organization), changes, Vec::new())).await.map(drop)
    }

    pub(super) async fn start(&self, run: RunSummary) {
        let (organization, input) = (run.organization, begin(&run));
        let change = Change::RunStarted { run, start_key: None, state: "{}".to_owned(), input: Some(input) };
        self.write(organization, change).await.expect("the run is new");
    }

    /// A run of ACME's whose first step has been made.
    pub(super) async fn begun(&self, number: u128, organization: OrganizationId, stepped: Stepped) {
        self.start(run(number, organization)).await;
        let used = self.waiting(number).await.iter().map(|waiting| Used::Inbox(waiting.id)).collect();
        self.step(organization, Stepped { used, ..stepped }).await.expect("nobody else steps it");
    }

    pub(super) async fn step(
        &self,
        organization: OrganizationId,
        stepped: Stepped,
    ) -> Result<(), StoreError> {
        self.write(organization, Change::RunStepped(Box::new(stepped))).await
    }

    pub(super) async fn queue(
        &self,
        organization: OrganizationId,
        number: u128,
        key: &str,
    ) -> Result<(), StoreError> {
        let (run, key, input) = (run_id(number), key.to_owned(), signal(key, Value::Null));
        self.write(organization, Change::InputQueued { run, key, at: at(1), input }).await
    }

    pub(super) async fn read(&self, organization: OrganizationId, number: u128) -> StoredRun {
        let found = self.store.find_run(organization, run_id(number)).await.expect("reads");
        found.expect("the run is there")
    }

    /// The inputs that wait for a run.
    pub(super) async fn waiting(&self, number: u128) -> Vec<Waiting> {
        let all = self.work.waiting_inputs(None, 1_000).await.expect("reads");
        all.rows.into_iter().filter(|waiting| waiting.run == run_id(number)).collect()
    }

    /// A run with so many effects, numbered from 1; it is at version 1 then.
    pub async fn flood(&self, number: u128, organization: OrganizationId, many: u64) {
        let effects = (1..=many).map(effect).collect();
        self.begun(number, organization, Stepped { effects, ..step(number, 0) }).await;
    }

    /// Steps the run of number 1 of [`ACME`], as an answer to an effect.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn hand_in(&self, version: u64, id: EffectId, epoch: u64) -> Result<(), StoreError> {
        let used = vec![Used::Effect { id, epoch }];
        self.step(ACME, Stepped { used, ..step(1, version) }).await
    }

    /// Steps a run of [`ACME`] that is at `version` to a state of so many bytes, and tells the journal.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn step_and_tell(
        &self,
        number: u128,
        version: u64,
        state_bytes: usize,
    ) -> Result<(), StoreError> {
        let state = format!("\"{}\"", "x".repeat(state_bytes));
        let stepped = Stepped { state, events: vec![fact(version)], ..step(number, version) };
        let told = buildly_journal::Event {
            id: EventId::from_uuid(Uuid::from_u128((number << 64) | u128::from(version))),
            kind: "workflow.run.stepped".into(),
            subject: run_id(number).to_string(),
            actor: Identity::Anonymous,
            at: stepped.at,
            payload: json!({ "version": version }),
        };
        let change = Change::RunStepped(Box::new(stepped));
        self.commits.commit(Part::of(Some(ACME), change, told)).await.map(drop)
    }

    /// Both nodes hold leases from now on.
    pub(super) async fn nodes_live(&self) {
        for node in [NODE, OTHER_NODE] {
            self.nodes.begin_lease(node).await.expect("a new lease");
        }
    }

    pub(super) async fn take(&self, node: LeaseId, most: usize) -> Vec<Leased> {
        self.work.take_effects(node, most, LONG).await.expect("takes")
    }
}
