//! A user as existing clients read and write it.

use buildly_core::auth::identity::{ProfileUpdate, User, UserView};
use buildly_core::workflow::levels::LevelsOfGroups;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::compat::group_shape::CoreGroup;
use crate::compat::organization_shape::{OrganizationBody, clearable};
use crate::request::Fields;

/// A user, with organization and groups in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoreUser {
    #[serde(flatten)]
    account: Account,
    organization: Option<OrganizationBody>,
    core_groups: Vec<CoreGroup>,
}

/// A user, with organization and groups by their ids: the answer to a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoreUserChanged {
    #[serde(flatten)]
    account: Account,
    organization: Option<Uuid>,
    core_groups: Vec<i64>,
    organization_name: Option<String>,
}

/// What the user is, apart from where it belongs.
#[derive(Debug, Serialize, ToSchema)]
struct Account {
    id: i64,
    core_user_uuid: Uuid,
    username: String,
    email: String,
    is_active: bool,
    privacy_disclaimer_accepted: bool,
    tos_disclaimer_accepted: bool,
    invitation_token: Option<String>,
    subscription_active: bool,
    #[serde(flatten)]
    profile: ProfileBody,
}

/// What users say about themselves.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileBody {
    first_name: String,
    last_name: String,
    title: Option<String>,
    contact_info: Option<String>,
    user_type: String,
    survey_status: bool,
    email_preferences: Option<Value>,
    push_preferences: Option<Value>,
    user_timezone: Option<String>,
}

/// A user as it is registered or changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoreUserInput {
    username: String,
    password: String,
    organization_name: String,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    is_active: Option<bool>,
    core_groups: Option<Vec<i64>>,
    invitation_token: Option<String>,
    title: Option<String>,
    contact_info: Option<String>,
    privacy_disclaimer_accepted: Option<bool>,
    tos_disclaimer_accepted: Option<bool>,
    user_type: Option<String>,
    survey_status: Option<bool>,
    email_preferences: Option<Value>,
    push_preferences: Option<Value>,
    user_timezone: Option<String>,
}

impl CoreUser {
    /// Renders a user in full, save for what the groups are attached to.
    #[must_use]
    pub fn of(view: UserView) -> Self {
        Self::with(view, &LevelsOfGroups::default())
    }

    /// Renders a user in full, with those of the levels that the groups are attached to.
    #[must_use]
    pub fn with(view: UserView, levels: &LevelsOfGroups) -> Self {
        let subscription_active =
            view.organization.as_ref().is_some_and(|organization| organization.details.subscription_active);
        Self {
            account: Account::of(&view.user, subscription_active),
            organization: view.organization.map(Into::into),
            core_groups: view.groups.into_iter().map(|group| CoreGroup::with(group, levels)).collect(),
        }
    }
}

impl CoreUserChanged {
    /// Renders a user with ids.
    #[must_use]
    pub fn of(view: UserView) -> Self {
        let subscription_active =
            view.organization.as_ref().is_some_and(|organization| organization.details.subscription_active);
        Self {
            account: Account::of(&view.user, subscription_active),
            organization: view.user.organization.map(|organization| organization.as_uuid()),
            core_groups: view.groups.iter().map(|group| group.number).collect(),
            organization_name: view.organization.map(|organization| organization.name),
        }
    }
}

impl Account {
    fn of(user: &User, subscription_active: bool) -> Self {
        Self {
            id: user.number,
            core_user_uuid: user.id.as_uuid(),
            username: user.username.clone(),
            email: user.email.clone(),
            is_active: user.is_active,
            privacy_disclaimer_accepted: user.profile.privacy_disclaimer_accepted,
            tos_disclaimer_accepted: user.profile.tos_disclaimer_accepted,
            invitation_token: None,
            subscription_active,
            profile: ProfileBody::of(user),
        }
    }
}

impl ProfileBody {
    /// Renders what a user says about themself.
    #[must_use]
    pub fn of(user: &User) -> Self {
        let profile = user.profile.clone();
        Self {
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            title: profile.title,
            contact_info: profile.contact_info,
            user_type: profile.user_type,
            survey_status: profile.survey_status,
            email_preferences: profile.email_preferences,
            push_preferences: profile.push_preferences,
            user_timezone: profile.user_timezone,
        }
    }
}

/// Reads what users say about themselves; every refusal stays in `fields`.
pub(super) fn read_profile(fields: &mut Fields) -> ProfileUpdate {
    let as_it_came = |fields: &mut Fields, name: &str| fields.value(name).cloned();
    ProfileUpdate {
        first_name: fields.text("first_name"),
        last_name: fields.text("last_name"),
        title: clearable(fields, "title", Fields::text),
        contact_info: clearable(fields, "contact_info", Fields::text),
        privacy_disclaimer_accepted: fields.boolean("privacy_disclaimer_accepted"),
        tos_disclaimer_accepted: fields.boolean("tos_disclaimer_accepted"),
        user_type: fields.text("user_type"),
        survey_status: fields.boolean("survey_status"),
        email_preferences: clearable(fields, "email_preferences", as_it_came),
        push_preferences: clearable(fields, "push_preferences", as_it_came),
        user_timezone: clearable(fields, "user_timezone", Fields::text),
    }
}
