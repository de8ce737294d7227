//! Commands of several areas that are written together or not at all.
//!
//! Each command is decided by the operation of its area, with its rights and its rules, as it
//! would be alone; only what it writes is put into one unit with the others. So this is no second
//! way to write, and a command can do here what it could do alone, and nothing more.

use buildly_auth::identity::{GroupKey, GroupUpdate, Made, OrganizationUpdate};
use buildly_gateway::Registration;
use buildly_journal::{Commit as _, Part};
use buildly_mesh::{JoinRecord, JoinRecordInput};
use buildly_model::system::System;
use buildly_model::{
    Clock as _, GroupId, JoinRecordId, OrganizationId, Principal, Revision, RunId, ServiceId, StoreError,
};
use buildly_unit::Change;
use buildly_workflow::{StartRun, Starting};

use crate::{Buildly, Error};

/// The most commands of one unit.
pub const COMMANDS_MAX: usize = 100;
/// How often a unit is decided again when somebody else was faster.
const ATTEMPTS_MAX: u32 = 3;

/// Commands that [`Buildly::atomically`] performs together or not at all, in this order.
///
/// What a command makes has its id at once, so that the next one can name it.
///
/// ```
/// use buildly_core::UnitOfWork;
/// use buildly_core::auth::identity::{GroupUpdate, OrganizationUpdate};
///
/// let mut unit = UnitOfWork::new();
/// let globex = unit.create_organization(OrganizationUpdate {
///     name: Some("Globex".to_owned()),
///     ..OrganizationUpdate::default()
/// });
/// unit.create_group(GroupUpdate {
///     name: Some("Auditors".to_owned()),
///     organization: Some(globex),
///     ..GroupUpdate::default()
/// });
/// ```
#[derive(Debug, Clone, Default)]
pub struct UnitOfWork {
    commands: Vec<Command>,
}

#[derive(Debug, Clone)]
enum Command {
    Organization(OrganizationId, Box<OrganizationUpdate>),
    Group(GroupId, GroupUpdate),
    Service(Box<Registration>, ServiceId, Vec<GroupKey>),
    Link(JoinRecordInput),
    Run(StartRun),
}

/// What a unit has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// A reader at this revision sees it.
    pub revision: Revision,
    /// The join records, in the order of the commands; also one that was there before.
    pub links: Vec<JoinRecordId>,
    /// The runs, in the order of the commands; also one that its idempotency key had started before.
    pub runs: Vec<RunId>,
}

/// What the commands come to as things are now.
#[derive(Default)]
struct Plan {
    parts: Vec<Part<Change>>,
    made: Made,
    links: Vec<JoinRecord>,
    runs: Vec<RunId>,
    /// Those of the runs that begin with this unit.
    begun: Vec<RunId>,
}

impl UnitOfWork {
    /// A unit without commands.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`buildly_auth::Auth::create_organization`].
    pub fn create_organization(&mut self, organization: OrganizationUpdate) -> OrganizationId {
        let id = OrganizationId::generate(System.now(), &System);
        self.commands.push(Command::Organization(id, Box::new(organization)));
        id
    }

    /// As [`buildly_auth::Auth::create_group`], also in an organization that this unit makes.
    pub fn create_group(&mut self, group: GroupUpdate) -> GroupId {
        let id = GroupId::generate(System.now(), &System);
        self.commands.push(Command::Group(id, group));
        id
    }

    /// As [`buildly_gateway::Gateway::register`], with these groups attached, also such that this
    /// unit makes; without any the service is open to every signed-in user.
    pub fn register_service(
        &mut self,
        registration: Registration,
        groups: impl IntoIterator<Item = GroupKey>,
    ) -> ServiceId {
        let id = registration.id.unwrap_or_else(|| ServiceId::generate(System.now(), &System));
        let registration = Box::new(Registration { id: Some(id), ..registration });
        self.commands.push(Command::Service(registration, id, groups.into_iter().collect()));
        id
    }

    /// As [`buildly_mesh::Mesh::create_join_record`].
    pub fn link_records(&mut self, link: JoinRecordInput) {
        self.commands.push(Command::Link(link));
    }

    /// As [`buildly_workflow::Workflow::start`].
    pub fn start_run(&mut self, start: StartRun) {
        self.commands.push(Command::Run(start));
    }

    async fn plan(&self, buildly: &Buildly, principal: &Principal) -> Result<Plan, Error> {
        let mut plan = Plan::default();
        for command in &self.commands {
            plan.add(buildly, principal, command).await?;
        }
        Ok(plan)
    }
}

impl Plan {
    async fn add(
        &mut self,
        buildly: &Buildly,
        principal: &Principal,
        command: &Command,
    ) -> Result<(), Error> {
        let identity = |part: Part<buildly_auth::identity::Change>| {
            part.map(|change| Change::Auth(buildly_auth::Change::Identity(change)))
        };
        match command {
            Command::Organization(id, organization) => {
                let part = buildly.auth().organization_part(principal, *id, organization).await?;
                self.parts.push(identity(part));
                self.made.organizations.push(*id);
            }
            Command::Group(id, group) => {
                let part = buildly.auth().group_part(principal, *id, group, &self.made).await?;
                self.parts.push(identity(part));
                self.made.groups.push(*id);
            }
            Command::Service(registration, id, groups) => {
                // The groups stand before the service does, so that it is never open to all in between.
                if !groups.is_empty() {
                    let part = buildly.auth().service_groups_part(principal, *id, groups, &self.made).await?;
                    self.parts.push(identity(part));
                }
                let registration = registration.as_ref().clone();
                let (_, part) = buildly.gateway().registration_part(principal, registration).await?;
                self.parts.push(part.map(Change::Gateway));
            }
            Command::Link(link) => {
                let (record, part) = buildly.mesh().join_record_part(principal, link).await?;
                let pair = |record: &JoinRecord| {
                    (record.relationship, record.origin.clone(), record.related.clone())
                };
                match self.links.iter().find(|other| pair(other) == pair(&record)).cloned() {
                    Some(same) => self.links.push(same),
                    None => {
                        self.parts.extend(part.map(|part| part.map(Change::Mesh)));
                        self.links.push(record);
                    }
                }
            }
            Command::Run(start) => match buildly.workflow().start_part(principal, start.clone()).await? {
                Starting::Started(run) => self.runs.push(run.summary.id),
                Starting::New(run, part) => {
                    self.parts.push(part.map(Change::Workflow));
                    self.runs.push(run);
                    self.begun.push(run);
                }
            },
        }
        Ok(())
    }
}

impl Buildly {
    /// Performs the commands of a unit together or not at all: one commit holds them, with their
    /// events, and a crash at any instant leaves all or none. Each needs the rights that it needs
    /// alone.
    ///
    /// # Errors
    /// The error of the first command that is refused; [`Error::Unit`] if two commands exclude each
    /// other, or there are more than [`COMMANDS_MAX`]. Nothing is written then.
    pub async fn atomically(&self, principal: &Principal, unit: UnitOfWork) -> Result<Written, Error> {
        if unit.commands.len() > COMMANDS_MAX {
            return Err(Error::Unit {
                reason: format!(
                    "a unit has at most {COMMANDS_MAX} commands; this one has {}",
                    unit.commands.len()
                ),
            });
        }
        for attempt in 1.. {
            let Plan { parts, links, runs, begun, .. } = unit.plan(self, principal).await?;
            match self.commits().commit_all(parts).await {
                Ok(revision) => {
                    begun.into_iter().for_each(|run| self.workflow().wake(run));
                    let links = links.into_iter().map(|link| link.id).collect();
                    return Ok(Written { revision, links, runs });
                }
                // Decided again, it either fits or is refused by the command that does not.
                Err(error) if attempt < ATTEMPTS_MAX && is_outrun(&error) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(StoreError::Stale.into())
    }
}

const fn is_outrun(error: &StoreError) -> bool {
    matches!(error, StoreError::Stale | StoreError::Taken { .. } | StoreError::Missing { .. })
}

/// What is said of a unit that the storage does not take however often it is decided.
fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Taken { field: "organization_name" } => {
            Error::Auth(buildly_auth::Error::from(error).of_taken_organization())
        }
        StoreError::Taken { field } => {
            Error::Unit { reason: format!("two commands take the same `{field}`; give each its own") }
        }
        other => other.into(),
    }
}
