//! What users say about themselves.

use buildly_model::{Principal, Secret};
use serde_json::Value;

use super::input::Input;
use super::user_update::UserUpdate;
use super::view::UserView;
use super::{Profile, User, UserKey};
use crate::{Auth, Error};

/// The titles that existing clients know.
const TITLES: [&str; 3] = ["mr", "mrs", "ms"];
/// The kinds of users that existing clients know.
const USER_TYPES: [&str; 2] = ["Developer", "Product Team"];

/// What changes in a profile; `None` stays. The inner `None` clears.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProfileUpdate {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// `mr`, `mrs` or `ms`.
    pub title: Option<Option<String>>,
    /// Free text.
    pub contact_info: Option<Option<String>>,
    /// Whether the privacy disclaimer was accepted.
    pub privacy_disclaimer_accepted: Option<bool>,
    /// Whether the terms of service were accepted.
    pub tos_disclaimer_accepted: Option<bool>,
    /// `Developer` or `Product Team`.
    pub user_type: Option<String>,
    /// Whether the survey was answered.
    pub survey_status: Option<bool>,
    /// Preferences about mail.
    pub email_preferences: Option<Option<Value>>,
    /// Preferences about push messages.
    pub push_preferences: Option<Option<Value>>,
    /// A time zone's name.
    pub user_timezone: Option<Option<String>>,
}

impl ProfileUpdate {
    pub(crate) fn check(&self, input: &mut Input) {
        for (field, text) in [
            ("first_name", self.first_name.as_deref()),
            ("last_name", self.last_name.as_deref()),
            ("contact_info", self.contact_info.as_ref().and_then(Option::as_deref)),
            ("user_timezone", self.user_timezone.as_ref().and_then(Option::as_deref)),
        ] {
            if let Some(text) = text {
                input.text(field, text);
            }
        }
        if let Some(title) = self.title.as_ref().and_then(Option::as_deref) {
            input.choice("title", title, &TITLES);
        }
        if let Some(user_type) = &self.user_type {
            input.choice("user_type", user_type, &USER_TYPES);
        }
        for (field, value) in
            [("email_preferences", &self.email_preferences), ("push_preferences", &self.push_preferences)]
        {
            if let Some(Some(value)) = value {
                input.value(field, value);
            }
        }
    }

    pub(crate) fn apply_to_user(&self, user: &mut User) {
        set(&mut user.first_name, self.first_name.as_ref());
        set(&mut user.last_name, self.last_name.as_ref());
        self.apply(&mut user.profile);
    }

    pub(crate) fn apply(&self, profile: &mut Profile) {
        set(&mut profile.title, self.title.as_ref());
        set(&mut profile.contact_info, self.contact_info.as_ref());
        set(&mut profile.privacy_disclaimer_accepted, self.privacy_disclaimer_accepted.as_ref());
        set(&mut profile.tos_disclaimer_accepted, self.tos_disclaimer_accepted.as_ref());
        set(&mut profile.user_type, self.user_type.as_ref());
        set(&mut profile.survey_status, self.survey_status.as_ref());
        set(&mut profile.email_preferences, self.email_preferences.as_ref());
        set(&mut profile.push_preferences, self.push_preferences.as_ref());
        set(&mut profile.user_timezone, self.user_timezone.as_ref());
    }
}

fn set<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

impl Auth {
    /// Changes a profile and, if given, the password: by the user or by an administrator of
    /// the user's organization. Another organization's name moves the user there, see
    /// [`Auth::move_user`].
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_profile(
        &self,
        principal: &Principal,
        key: UserKey,
        profile: ProfileUpdate,
        password: Option<Secret>,
        organization_name: Option<&str>,
    ) -> Result<UserView, Error> {
        let update = UserUpdate { profile, password, ..UserUpdate::default() };
        let view = self.change_user(principal, key, &update, true).await?;
        match organization_name {
            Some(name) => self.move_user(principal, key, name, None).await,
            None => Ok(view),
        }
    }
}
