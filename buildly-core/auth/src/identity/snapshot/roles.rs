//! The groups of one organization, or of the deployment, interned to small numbers, and per
//! action the set of those that allow it.
//!
//! A number is never given twice in the life of one value and its successors, so a user's
//! set of groups stays valid while groups come and go.

use std::sync::Arc;

use buildly_model::{Action, GroupId};
use foldhash::HashMap;

use super::{Bitmap, Held};
use crate::identity::Group;

/// One bitmap of groups for each action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PerAction([Bitmap; 4]);

impl PerAction {
    /// The groups that allow `action`.
    pub(crate) const fn of(&self, action: Action) -> &Bitmap {
        let [create, read, update, delete] = &self.0;
        match action {
            Action::Create => create,
            Action::Read => read,
            Action::Update => update,
            Action::Delete => delete,
        }
    }

    fn insert(&mut self, group: &Group, number: u32) {
        for (bitmap, action) in self.0.iter_mut().zip(Action::ALL) {
            if group.permissions.contains(action) {
                bitmap.insert(number);
            }
        }
    }
}

/// The groups that are attached to one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attached {
    /// All of them that count.
    pub(crate) groups: Bitmap,
    /// Those that allow an action.
    pub(crate) allowed: PerAction,
}

/// Interned groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    groups: Vec<Option<Arc<Group>>>,
    numbers: HashMap<GroupId, u32>,
    /// Those whose rights count for everything of the organization or deployment.
    pub(crate) granting: PerAction,
    /// Those whose members administer it.
    pub(crate) administering: Bitmap,
}

/// Whether a group's rights count beyond itself.
fn counts(group: &Group) -> bool {
    if group.organization.is_some() {
        group.is_organization_level && !group.is_global
    } else {
        group.is_global
    }
}

impl Roles {
    /// Interns these groups.
    pub(crate) fn new(groups: Vec<Group>) -> Self {
        let mut roles = Self::default();
        groups.into_iter().for_each(|group| roles.intern(group));
        roles.index();
        roles
    }

    /// Adds or replaces a group.
    pub(crate) fn put(&mut self, group: Group) {
        self.intern(group);
        self.index();
    }

    /// Takes a group out; its number stays unused.
    pub(crate) fn remove(&mut self, group: GroupId) {
        if let Some(place) =
            self.numbers.remove(&group).and_then(|number| self.groups.get_mut(number as usize))
        {
            *place = None;
            self.index();
        }
    }

    /// The number of a group.
    pub(crate) fn number(&self, group: GroupId) -> Option<u32> {
        self.numbers.get(&group).copied()
    }

    /// The group under a number.
    pub(crate) fn group(&self, number: u32) -> Option<&Arc<Group>> {
        self.groups.get(number as usize)?.as_ref()
    }

    /// All groups, with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Arc<Group>)> {
        (0..).zip(&self.groups).filter_map(|(number, group)| Some((number, group.as_ref()?)))
    }

    /// The numbers of those of `groups` that are here.
    pub(crate) fn held(&self, groups: &[GroupId]) -> Held {
        groups.iter().filter_map(|group| self.number(*group)).collect()
    }

    /// What attaching `groups` to a service means here.
    pub(crate) fn attach(&self, groups: impl IntoIterator<Item = GroupId>) -> Attached {
        let mut attached = Attached::default();
        for group in groups {
            let Some(number) = self.number(group) else { continue };
            let Some(group) = self.group(number).filter(|group| counts(group)) else { continue };
            attached.groups.insert(number);
            attached.allowed.insert(group, number);
        }
        attached
    }

    fn intern(&mut self, group: Group) {
        let Ok(next) = u32::try_from(self.groups.len()) else { return };
        let number = *self.numbers.entry(group.id).or_insert(next);
        if number == next {
            self.groups.push(Some(Arc::new(group)));
        } else if let Some(place) = self.groups.get_mut(number as usize) {
            *place = Some(Arc::new(group));
        }
    }

    fn index(&mut self) {
        let (mut granting, mut administering) = (PerAction::default(), Bitmap::default());
        for (number, group) in self.iter() {
            if counts(group) {
                granting.insert(group, number);
            }
            if group.is_organization_admin() || group.is_global_admin() {
                administering.insert(number);
            }
        }
        self.granting = granting;
        self.administering = administering;
    }
}
