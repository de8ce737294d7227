//! How an error of an area becomes one of a binding: one place for all of them.

use std::error::Error;
use std::time::Duration;

use buildly_core::auth::token::GrantError;
use buildly_core::{auth, gateway, mesh, workflow};
use buildly_model::{ErrorKind, FieldError, StoreError};

/// Why something could not be done.
#[derive(Debug)]
pub struct Failure {
    class: Class,
    message: String,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
}

/// What can be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An error of an area, of that kind.
    Of(ErrorKind),
    /// The deployment is closed.
    Closed,
    /// The deployment was opened by a process of which this one was forked.
    Forked,
}

impl Failure {
    fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), fields: Vec::new(), retry_after: None }
    }

    /// The input is wrong.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Class::Of(ErrorKind::Invalid), message)
    }

    /// One field of the input is wrong.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        FieldError::new(field, message).into()
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Class::Of(ErrorKind::NotFound), message)
    }

    /// Too much or too often.
    #[must_use]
    pub fn limited(message: impl Into<String>) -> Self {
        Self::new(Class::Of(ErrorKind::Limited), message)
    }

    /// Something that is needed does not answer.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Class::Of(ErrorKind::Unavailable), message)
    }

    /// A fault of ours.
    #[must_use]
    pub fn broken(message: impl Into<String>) -> Self {
        Self::new(Class::Of(ErrorKind::Corrupt), message)
    }

    /// The deployment is closed.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(Class::Closed, "this deployment is closed; open it again")
    }

    /// The deployment was opened by another process.
    #[must_use]
    pub fn forked(opened_by: u32) -> Self {
        let message = format!(
            "this deployment was opened by process {opened_by} and cannot be used in process {}, which was \
             forked from it: open it after the fork, or start processes with the method `spawn`",
            std::process::id()
        );
        Self::new(Class::Forked, message)
    }

    fn of(kind: ErrorKind, error: &impl Error) -> Self {
        Self::new(Class::Of(kind), error.to_string())
    }

    fn with_fields(self, fields: &[FieldError]) -> Self {
        Self { fields: fields.to_vec(), ..self }
    }

    /// What can be done about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// A sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Every refused field of an input.
    #[must_use]
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    /// When to come again, if that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl From<FieldError> for Failure {
    fn from(refused: FieldError) -> Self {
        Self::invalid(format!("invalid input: {refused}")).with_fields(&[refused])
    }
}

impl From<buildly_core::Error> for Failure {
    fn from(error: buildly_core::Error) -> Self {
        match error {
            buildly_core::Error::Auth(error) => error.into(),
            error => Self::of(error.kind(), &error),
        }
    }
}

impl From<auth::Error> for Failure {
    fn from(error: auth::Error) -> Self {
        let failure = Self::of(error.kind(), &error);
        match error {
            auth::Error::Invalid(fields) => failure.with_fields(&fields),
            auth::Error::Limited { retry_after } => Self { retry_after: Some(retry_after), ..failure },
            _ => failure,
        }
    }
}

impl From<GrantError> for Failure {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Failed(error) => error.into(),
            GrantError::Limited { retry_after } => {
                Self { retry_after: Some(retry_after), ..Self::of(ErrorKind::Limited, &error) }
            }
            GrantError::InvalidClient | GrantError::InvalidGrant(_) => {
                Self::of(ErrorKind::Unauthenticated, &error)
            }
            GrantError::InvalidRequest(_)
            | GrantError::UnauthorizedClient
            | GrantError::UnsupportedGrantType
            | GrantError::InvalidScope
            | _ => Self::of(ErrorKind::Invalid, &error),
        }
    }
}

impl From<gateway::Error> for Failure {
    fn from(error: gateway::Error) -> Self {
        let failure = Self::of(error.kind(), &error);
        if let gateway::Error::Invalid(fields) = &error { failure.with_fields(fields) } else { failure }
    }
}

impl From<mesh::Error> for Failure {
    fn from(error: mesh::Error) -> Self {
        let failure = Self::of(error.kind(), &error);
        if let mesh::Error::Invalid(fields) = &error { failure.with_fields(fields) } else { failure }
    }
}

impl From<workflow::Error> for Failure {
    fn from(error: workflow::Error) -> Self {
        let failure = Self::of(error.kind(), &error);
        match &error {
            workflow::Error::Invalid(fields)
            | workflow::Error::Step(workflow::StepError::Invalid(fields)) => failure.with_fields(fields),
            // All that must be mended, not only the first.
            workflow::Error::Unsound(findings) => {
                let mended = |finding: &workflow::Finding| {
                    FieldError::new(&finding.level, format!("{}; {}", finding.reason, finding.mending))
                };
                failure.with_fields(&findings.iter().map(mended).collect::<Vec<_>>())
            }
            _ => failure,
        }
    }
}

impl From<workflow::ParseError> for Failure {
    fn from(error: workflow::ParseError) -> Self {
        Self::field("template", error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of(error.kind(), &error)
    }
}
