//! Levels 2.

use buildly_journal::Part;
use buildly_model::{Action, GroupId, LevelRowId, Principal, RunId, Timestamp};
use serde_json::{Value, json};

use super::level1::GROUPS_MAX;
use super::{
    Change, Counted, Input, Key, Kind, Level2, Level2Details, Level2Filter, Levels, Over, Record, Row,
    Standing, Window, again, set, taken,
};
use crate::bells::Rings;
use crate::{Error, Right, StartRun, Status};

/// How deep levels 2 may be nested.
const DEPTH_MAX: usize = 50;

/// What a level 2 is a part of, as a client says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// Of another level 2 of the same level 1.
    Level2(LevelRowId),
    /// Of nothing; the number is the client's, 0 as usual.
    None(i64),
}

/// What changes of a level 2, or what a new one is; `None` stays, or is as usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Level2Update {
    /// What people call it; needed for a new one.
    pub name: Option<String>,
    /// What it belongs to; needed for a new one.
    pub level1: Option<Key>,
    /// What it is a part of.
    pub parent: Option<Parent>,
    /// The groups attached to it.
    pub groups: Option<Vec<GroupId>>,
    /// Its type.
    pub kind: Option<Option<LevelRowId>>,
    /// Its status.
    pub status: Option<Option<LevelRowId>>,
    /// Free text.
    pub description: Option<Option<String>>,
    /// Free text.
    pub notes: Option<Option<String>>,
    /// A shorter name.
    pub short_name: Option<Option<String>>,
    /// When it begins.
    pub start_date: Option<Option<Timestamp>>,
    /// When it ends.
    pub end_date: Option<Option<Timestamp>>,
}

impl Levels {
    /// A part of the list of the levels 2 that the caller sees, by name.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Forbidden`] if the caller belongs nowhere.
    pub async fn level2s(
        &self,
        principal: &Principal,
        filter: &Level2Filter,
        window: Window,
    ) -> Result<Counted<Record<Level2>>, Error> {
        let seen = self.standing(principal).await?.seen()?;
        Ok(self.store.level2s(&seen, filter, window).await?)
    }

    /// A level 2.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if the caller may not look at it.
    pub async fn level2(&self, principal: &Principal, id: LevelRowId) -> Result<Record<Level2>, Error> {
        let standing = self.standing(principal).await?;
        self.level2_for(&standing, Action::Read, id).await
    }

    /// Makes a level 2; if its level 1 names a template, a run of that starts with it, for the
    /// caller, or nothing is written.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may create things in its level 1, and start runs
    /// if there is one; [`Error::Invalid`]; [`Error::Conflict`] if there are too many, or no
    /// version of the template is published.
    pub async fn create_level2(
        &self,
        principal: &Principal,
        update: &Level2Update,
    ) -> Result<Record<Level2>, Error> {
        let standing = self.standing(principal).await?;
        let key = update.level1.ok_or_else(|| Error::field("workflowlevel1", "This field is required."))?;
        let level1 = self.over(&standing, key).await?;
        standing.require(Action::Create, level1.organization, &level1.value.groups)?;
        let bare = new_level2(Over::from(&level1), &standing);
        let mut record = self.new_record(level1.organization, bare);
        let before = record.clone();
        apply(&mut record.value, update);
        self.check_level2(&standing, &before, &record).await?;
        self.require_room(Kind::Level2, Some(level1.organization)).await?;
        let started = match &level1.value.details.template {
            Some(template) => Some(self.run_of(principal, &standing, template, &record).await?),
            None => None,
        };
        record.value.run = started.as_ref().map(|(run, _)| (*run, Status::New));
        let (place, facts) = ((Some(record.organization), record.id), json!({"name": record.value.name}));
        let part = self.part(principal, place, Change::Created(Row::Level2(record)), facts);
        let parts: Vec<_> = started.into_iter().map(|(_, start)| start).chain([part]).collect();
        let rings = Rings::of(parts.iter().flat_map(|part| &part.changes));
        self.workflow.parts.commits.commit_all(parts).await.map_err(taken)?;
        self.workflow.parts.bells.ring(&rings);
        self.read_level2(place.1).await
    }

    /// What starts the run of a new level 2, which is its business key and its input.
    async fn run_of(
        &self,
        principal: &Principal,
        standing: &Standing,
        template: &str,
        record: &Record<Level2>,
    ) -> Result<(RunId, Part<crate::Change>), Error> {
        if standing.organization != Some(record.organization) {
            let reason = "a run is started by somebody of the organization; this level 1 starts runs";
            return Err(Error::Forbidden { reason: reason.to_owned() });
        }
        let organization = self.workflow.parts.access.require(principal, Right::Start).await?;
        let key = record.id.to_string();
        let start = StartRun {
            template: template.to_owned(),
            version: None,
            input: input_of(record),
            business_key: Some(key.clone()),
            idempotency_key: None,
        };
        let start_key = format!("{}:{key}", principal.identity);
        match self.workflow.requested(principal, organization, start, Some(start_key)).await {
            Err(Error::NotFound { .. }) => Err(Error::Conflict {
                reason: format!(
                    "this level 1 starts runs of `{template}`, of which no version is published; publish one, \
                     or clear `template`"
                ),
            }),
            requested => requested,
        }
    }

    /// Changes a level 2. Moving it to another level 1 needs the right to delete it here and to
    /// create it there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_level2(
        &self,
        principal: &Principal,
        id: LevelRowId,
        update: &Level2Update,
    ) -> Result<Record<Level2>, Error> {
        again(|| self.try_update_level2(principal, id, update)).await
    }

    async fn try_update_level2(
        &self,
        principal: &Principal,
        id: LevelRowId,
        update: &Level2Update,
    ) -> Result<Record<Level2>, Error> {
        let standing = self.standing(principal).await?;
        let before = self.level2_for(&standing, Action::Update, id).await?;
        let mut next = before.clone();
        if let Some(key) = update.level1 {
            let place = (before.organization, before.value.level1.id, before.value.attached());
            next.value.level1 = self.carried(&standing, place, key).await?;
        }
        apply(&mut next.value, update);
        self.check_level2(&standing, &before, &next).await?;
        next.edited_at = self.now();
        let facts = json!({"name": next.value.name});
        let change = Change::Updated(Row::Level2(next));
        self.write(principal, (before.organization, id), change, facts).await?;
        self.read_level2(id).await
    }

    /// Removes a level 2; what it was the parent of has none then. A run that it started goes on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_level2(&self, principal: &Principal, id: LevelRowId) -> Result<(), Error> {
        again(|| async move {
            let standing = self.standing(principal).await?;
            let level = self.level2_for(&standing, Action::Delete, id).await?;
            let change = Change::Deleted { kind: Kind::Level2, id, version: level.version };
            let facts = json!({"name": level.value.name});
            self.write(principal, (level.organization, id), change, facts).await
        })
        .await
    }

    /// Another organization's is forbidden and not missing, as old clients know it.
    async fn level2_for(
        &self,
        standing: &Standing,
        action: Action,
        id: LevelRowId,
    ) -> Result<Record<Level2>, Error> {
        let level = self.read_level2(id).await?;
        standing.require(action, level.organization, level.value.attached())?;
        Ok(level)
    }

    async fn read_level2(&self, id: LevelRowId) -> Result<Record<Level2>, Error> {
        self.store.find_level2(id).await?.ok_or_else(|| Error::not_found("workflow level 2", id))
    }

    async fn check_level2(
        &self,
        standing: &Standing,
        before: &Record<Level2>,
        next: &Record<Level2>,
    ) -> Result<(), Error> {
        let Level2 { name, groups, kind, status, details, .. } = &next.value;
        let mut input = Input::default();
        input.name("name", name);
        input.short("short_name", details.short_name.as_ref());
        input.text("description", details.description.as_ref());
        input.text("notes", details.notes.as_ref());
        input.count("core_groups", groups.len(), GROUPS_MAX);
        input.done()?;
        let organization = next.organization;
        if let Some(kind) = kind.filter(|_| *kind != before.value.kind) {
            self.require_type(organization, kind).await?;
        }
        if let Some(status) = status.filter(|_| *status != before.value.status) {
            self.require_status(organization, status).await?;
        }
        if *groups != before.value.groups {
            self.require_attachable(standing, organization, (before.value.attached(), groups)).await?;
        }
        let is_moved = next.value.level1.id != before.value.level1.id;
        match next.value.parent {
            Some(parent) if is_moved || next.value.parent != before.value.parent => {
                self.require_parent(next, parent).await
            }
            _ => Ok(()),
        }
    }

    /// A parent is of the same level 1 and no part of its own part.
    async fn require_parent(&self, level: &Record<Level2>, parent: LevelRowId) -> Result<(), Error> {
        let refused = |message: String| Err(Error::field("parent_workflowlevel2", message));
        let mut above = Some(parent);
        for _ in 0..DEPTH_MAX {
            let Some(id) = above else { return Ok(()) };
            if id == level.id {
                return refused("A level 2 cannot be a part of itself.".to_owned());
            }
            let found = self.store.find_level2(id).await?;
            let Some(found) = found.filter(|found| found.value.level1.id == level.value.level1.id) else {
                return refused(format!("Invalid pk \"{id}\" - there is no such level 2 in this level 1."));
            };
            above = found.value.parent;
        }
        refused(format!("Levels 2 are nested at most {DEPTH_MAX} deep."))
    }
}

/// What a template gets of a level 2: its fields, under the names of the old wire.
fn input_of(record: &Record<Level2>) -> Value {
    let Level2 { name, level1, parent, kind, status, details, .. } = &record.value;
    json!({
        "level2_uuid": record.id,
        "name": name,
        "workflowlevel1": level1.number,
        "level1_uuid": level1.id,
        "parent_workflowlevel2": parent,
        "type": kind,
        "status": status,
        "description": details.description,
        "notes": details.notes,
        "short_name": details.short_name,
        "start_date": details.start_date,
        "end_date": details.end_date,
    })
}

fn new_level2(level1: Over, standing: &Standing) -> Level2 {
    let details = Level2Details { created_by: standing.user, ..Level2Details::default() };
    Level2 {
        name: String::new(),
        level1,
        groups: Vec::new(),
        parent: None,
        kind: None,
        status: None,
        run: None,
        details,
    }
}

fn apply(level: &mut Level2, update: &Level2Update) {
    if let Some(name) = &update.name {
        name.trim().clone_into(&mut level.name);
    }
    set(&mut level.groups, update.groups.as_ref());
    set(&mut level.kind, update.kind.as_ref());
    set(&mut level.status, update.status.as_ref());
    let details = &mut level.details;
    match update.parent {
        Some(Parent::Level2(parent)) => (level.parent, details.parent_number) = (Some(parent), 0),
        Some(Parent::None(number)) => (level.parent, details.parent_number) = (None, number),
        None => {}
    }
    set(&mut details.description, update.description.as_ref());
    set(&mut details.notes, update.notes.as_ref());
    set(&mut details.short_name, update.short_name.as_ref());
    set(&mut details.start_date, update.start_date.as_ref());
    set(&mut details.end_date, update.end_date.as_ref());
}
