//! The operations by name: arguments and answers are JSON, so that each is written down once
//! here and once, with its types, in each binding that has them.

mod gateway;
mod identity;
mod journal;
mod mesh;
mod workflow;

use buildly_core::Buildly;
use buildly_model::{Principal, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

macro_rules! operations {
    ($($area:ident::$name:ident,)*) => {
        /// Their names.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Performs the operation of that name.
        ///
        /// # Errors
        /// A [`Failure`] of any class.
        pub async fn perform(
            buildly: Buildly,
            operation: String,
            arguments: String,
        ) -> Result<String, Failure> {
            buildly.require_fresh()?;
            match operation.as_str() {
                $(stringify!($name) => {
                    let arguments = read(&arguments)?;
                    write(&Box::pin($area::$name(&buildly, arguments)).await?)
                })*
                unknown => Err(Failure::not_found(format!("there is no operation `{unknown}`"))),
            }
        }
    };
}

operations! {
    identity::create_superuser,
    identity::register,
    identity::sign_in,
    identity::refresh,
    identity::sign_out,
    identity::me,
    identity::users,
    identity::update_user,
    identity::groups,
    identity::create_group,
    identity::check_permission,
    gateway::register_service,
    gateway::services,
    gateway::delete_service,
    gateway::set_service_groups,
    mesh::create_record_type,
    mesh::create_relationship,
    mesh::link,
    workflow::check_template,
    workflow::publish_template,
    workflow::start_run,
    workflow::run,
    workflow::runs,
    workflow::run_history,
    workflow::control_run,
    workflow::send_signal,
    workflow::report_event,
    workflow::tasks,
    workflow::task,
    workflow::claim_task,
    workflow::complete_task,
    journal::events,
    journal::verify_journal,
    journal::backup,
}

pub(crate) fn read<T: DeserializeOwned>(arguments: &str) -> Result<T, Failure> {
    // An array of values would be taken for them, too.
    if !arguments.trim_start().starts_with('{') {
        return Err(Failure::invalid("invalid input: expected the arguments as a JSON object"));
    }
    serde_json::from_str(arguments).map_err(|error| Failure::invalid(format!("invalid input: {error}")))
}

fn write(answer: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(answer)
        .map_err(|error| Failure::broken(format!("the answer cannot be written as JSON: {error}")))
}

/// Who performs it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Caller {
    /// Nobody who is signed in.
    #[default]
    Anonymous,
    /// The bearer of an access token or API key.
    Token(Secret),
    /// The user of that name, without proof: whoever opened the folder owns it.
    ActingAs(String),
}

impl Caller {
    async fn principal(&self, buildly: &Buildly) -> Result<Principal, Failure> {
        Ok(match self {
            Self::Anonymous => Principal::ANONYMOUS,
            Self::Token(token) => buildly.auth().authenticate(token.expose()).await?,
            Self::ActingAs(username) => buildly.auth().acting_as(username).await?,
        })
    }
}

/// Arguments of which only the caller counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByCaller {
    #[serde(default)]
    caller: Caller,
}
