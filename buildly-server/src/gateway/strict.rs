//! Reading values whose types take defaults: a member that means nothing is refused.

use buildly_model::FieldError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Problem, Request};

/// Reads a JSON body and refuses members that the type does not know.
pub(super) async fn body<T: DeserializeOwned + Serialize>(request: &mut Request) -> Result<T, Problem> {
    let came: Value = request.json().await?;
    let read: T = serde_json::from_value(came.clone()).map_err(|error| Problem::invalid(sentence(&error)))?;
    let known =
        serde_json::to_value(&read).map_err(|error| Problem::broken("It cannot be read.").because(error))?;
    let mut unknown = Vec::new();
    collect_unknown(&came, &known, "", &mut unknown);
    if unknown.is_empty() { Ok(read) } else { Err(unknown.into()) }
}

fn sentence(error: &serde_json::Error) -> String {
    format!("The body cannot be read: {error}.")
}

/// Both are as deep as the reader allows.
fn collect_unknown(came: &Value, known: &Value, below: &str, unknown: &mut Vec<FieldError>) {
    let (Some(came), Some(known)) = (came.as_object(), known.as_object()) else { return };
    for (name, value) in came {
        let path = if below.is_empty() { name.clone() } else { format!("{below}.{name}") };
        match known.get(name) {
            Some(known) => collect_unknown(value, known, &path, unknown),
            None => unknown.push(FieldError::new(path, "There is no such field.")),
        }
    }
}
