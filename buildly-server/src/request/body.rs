//! Reading a request's body: bounded in size, time and depth.

use std::sync::PoisonError;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body::Body as _;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Map, Value};

use buildly_core::gateway::openapi;
use buildly_model::Body;

use super::{Fields, Request, form};
use crate::Problem;
use crate::serve::IdleTimeout;

impl Request {
    /// Takes the body as a stream, unread and unbounded.
    pub fn take_body(&mut self) -> Body {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(body, Body::empty())
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// 413 if it is larger than the settings allow, 408 if it does not come in in time, 400
    /// if it breaks off.
    pub async fn bytes(&mut self) -> Result<Bytes, Problem> {
        let limits = &self.configuration().limits;
        let (bytes_max, timeout) = (limits.body_bytes_max, limits.body_timeout);
        let too_large =
            || Problem::too_large(format!("The body is larger than the {bytes_max} bytes allowed here."));
        let body = self.take_body();
        if body.size_hint().lower() > bytes_max as u64 {
            return Err(too_large());
        }
        match tokio::time::timeout(timeout, body.collect(bytes_max)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(error)) if error.is::<IdleTimeout>() => Err(late()),
            Ok(Err(error)) => Err(Problem::invalid("The body broke off.").because(error)),
            Err(_) => Err(late()),
        }
    }

    /// Reads a JSON body as a value of a type; for resources of ours, whose types refuse
    /// unknown fields.
    ///
    /// # Errors
    /// As [`Request::bytes`]; 415 if it says that it is no JSON; 400 if it is not, nests too
    /// deep, or has another shape, then naming the field where it is known.
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        match self.media_type().as_str() {
            "" | "application/json" => {}
            other if other.ends_with("+json") => {}
            other => return Err(unsupported(other, "application/json")),
        }
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| refused_json(&error))
    }

    /// Reads a JSON body that may be left out.
    ///
    /// # Errors
    /// As [`Request::json`].
    pub async fn json_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T, Problem> {
        let bytes = self.bytes().await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(T::default());
        }
        serde_json::from_slice(&bytes).map_err(|error| refused_json(&error))
    }

    /// Reads a document that people write, in JSON or YAML.
    ///
    /// # Errors
    /// As [`Request::bytes`]; 400 if it is neither.
    pub async fn document(&mut self) -> Result<Value, Problem> {
        let bytes = self.bytes().await?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| Problem::invalid(format!("Expected UTF-8 text: {error}.")))?;
        read_document(text).map_err(Problem::invalid)
    }

    /// Reads a body that may be JSON or a form, URL-encoded or multipart, as named fields;
    /// for resources that existing clients write to.
    ///
    /// # Errors
    /// As [`Request::json`]; 400 if it is JSON, but no object.
    pub async fn fields(&mut self) -> Result<Fields, Problem> {
        let media_type = self.media_type();
        let content_type = self.header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let bytes = self.bytes().await?;
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => Ok(Fields::of_form(form::url_encoded(&bytes)?)),
            "multipart/form-data" => Ok(Fields::of_form(form::multipart(&content_type, &bytes)?)),
            "" | "application/json" => object(&bytes).map(Fields::of_json),
            other if other.ends_with("+json") => object(&bytes).map(Fields::of_json),
            other => Err(unsupported(other, "application/json or a form")),
        }
    }

    fn media_type(&self) -> String {
        let value = self.header(CONTENT_TYPE).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// A document that people write, in JSON or YAML; a sentence if it is neither.
pub(crate) fn read_document(text: &str) -> Result<Value, String> {
    openapi::read_text(text).map_err(|error| match error {
        openapi::Error::Malformed { came } => format!("Expected JSON or YAML, got {came}."),
        other => other.to_string(),
    })
}

fn late() -> Problem {
    Problem::request_timeout("The body did not come in in time.")
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes).map_err(|error| refused_json(&error))? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Problem::invalid("Invalid data. Expected a JSON object.")),
    }
}

fn unsupported(media_type: &str, expected: &str) -> Problem {
    Problem::unsupported_media_type(format!(
        "Unsupported media type \"{media_type}\" in request; send {expected}."
    ))
}

/// Says what is wrong with JSON; a field that the parser names gets the blame.
fn refused_json(error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    if error.classify() != Category::Data {
        let problem = if message.starts_with("recursion limit") {
            format!("JSON parse error - nested too deep: line {} column {}", error.line(), error.column())
        } else {
            format!("JSON parse error - {message}")
        };
        return Problem::invalid(problem);
    }
    let blamed = ["unknown field `", "missing field `", "duplicate field `"];
    let field = blamed.iter().find_map(|start| message.strip_prefix(start)?.split('`').next());
    match field {
        Some(field) if message.starts_with("missing") => Problem::field(field, "This field is required."),
        Some(field) if message.starts_with("unknown") => {
            Problem::field(field, "There is no such field here.")
        }
        Some(field) => Problem::field(field, "This field stands there twice."),
        None => Problem::invalid(format!("The JSON has the wrong shape: {}", without_type_names(&message))),
    }
}

/// `expected struct NewUser` means an object to whoever wrote the JSON.
fn without_type_names(message: &str) -> String {
    match message.split_once("expected struct ") {
        Some((before, after)) => {
            let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
            format!("{before}expected an object {rest}").trim_end().to_owned()
        }
        None => message.to_owned(),
    }
}
