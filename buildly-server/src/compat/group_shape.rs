//! A group as existing clients read and write it.

use buildly_core::auth::identity::{Group, GroupUpdate};
use buildly_core::model::{Action, Actions};
use buildly_core::workflow::levels::LevelsOfGroups;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::request::Fields;

/// What the members of a group may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Permissions {
    create: bool,
    read: bool,
    update: bool,
    delete: bool,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoreGroup {
    id: i64,
    uuid: Uuid,
    name: String,
    is_global: bool,
    is_org_level: bool,
    /// Whether new users of the organization join it.
    is_default: bool,
    permissions: Permissions,
    organization: Option<Uuid>,
    workflowlevel1s: Vec<i64>,
    workflowlevel2s: Vec<Uuid>,
}

/// A group as it is written.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoreGroupInput {
    name: String,
    organization: Option<Uuid>,
    is_global: Option<bool>,
    is_org_level: Option<bool>,
    /// Whether new users of the organization join it; set by its administrators.
    is_default: Option<bool>,
    permissions: Option<Permissions>,
}

impl From<Actions> for Permissions {
    fn from(actions: Actions) -> Self {
        Self {
            create: actions.contains(Action::Create),
            read: actions.contains(Action::Read),
            update: actions.contains(Action::Update),
            delete: actions.contains(Action::Delete),
        }
    }
}

/// A group, without what it is attached to.
impl From<Group> for CoreGroup {
    fn from(group: Group) -> Self {
        Self::with(group, &LevelsOfGroups::default())
    }
}

impl CoreGroup {
    /// A group, with those of the levels that it is attached to.
    pub(super) fn with(group: Group, levels: &LevelsOfGroups) -> Self {
        let LevelsOfGroups { level1s, level2s } = levels;
        let own1 = level1s.iter().filter(|(attached, _)| *attached == group.id);
        let own2 = level2s.iter().filter(|(attached, _)| *attached == group.id);
        Self {
            workflowlevel1s: own1.map(|(_, number)| *number).collect(),
            workflowlevel2s: own2.map(|(_, level)| level.as_uuid()).collect(),
            id: group.number,
            uuid: group.id.as_uuid(),
            name: group.name,
            is_global: group.is_global,
            is_org_level: group.is_organization_level,
            is_default: group.is_default,
            permissions: group.permissions.into(),
            organization: group.organization.map(|organization| organization.as_uuid()),
        }
    }
}

/// Reads what is written; every refusal stays in `fields`.
pub(super) fn read(fields: &mut Fields) -> GroupUpdate {
    GroupUpdate {
        name: fields.text("name"),
        organization: fields.parsed("organization"),
        is_global: fields.boolean("is_global"),
        is_organization_level: fields.boolean("is_org_level"),
        is_default: fields.boolean("is_default"),
        permissions: permissions(fields),
    }
}

/// All four keys, each true or false, and no other.
fn permissions(fields: &mut Fields) -> Option<Actions> {
    const REFUSED: &str = "Permissions field: incorrect keys format";
    if !fields.has("permissions") {
        return None;
    }
    let Some(Value::Object(given)) = fields.value("permissions") else {
        return fields.refuse("permissions", REFUSED);
    };
    let read = |actions: Actions, action: Action| match given.get(action.name())? {
        Value::Bool(true) => Some(actions.with(action)),
        Value::Bool(false) => Some(actions),
        _ => None,
    };
    let actions = Action::ALL.into_iter().try_fold(Actions::NONE, read).filter(|_| given.len() == 4);
    actions.or_else(|| fields.refuse("permissions", REFUSED))
}
