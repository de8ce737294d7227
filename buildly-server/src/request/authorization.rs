//! The `Authorization` header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildly_core::{Buildly, auth};
use buildly_model::{Principal, Secret};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};

use super::Request;
use crate::Problem;

/// Where scripts may put an API key instead.
const API_KEY_HEADER: &str = "x-api-key";

/// What a caller shows as proof of who it is.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// Nothing: an anonymous caller.
    Absent,
    /// `Bearer …` or `JWT …`: an access token, or an API key.
    Token(Secret),
    /// `Basic …` (RFC 7617): an OAuth client's id and secret.
    Basic {
        /// The client's id.
        name: String,
        /// Its secret.
        secret: Secret,
    },
    /// `X-Api-Key: …` or `Api-Key …`: a service account's key.
    ApiKey(Secret),
}

impl Authorization {
    /// Reads the header.
    ///
    /// # Errors
    /// 401 if it is there, but twice, not readable, or of an unknown scheme.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            let key = headers.get(API_KEY_HEADER).map(|value| value.to_str().map_err(|_| unreadable()));
            return Ok(key.transpose()?.map_or(Self::Absent, |key| Self::ApiKey(Secret::new(key))));
        };
        if values.next().is_some() {
            return Err(Problem::unauthenticated("Send one `Authorization` header, not several."));
        }
        let value = value.to_str().map_err(|_| unreadable())?.trim();
        let (scheme, rest) = value.split_once(' ').ok_or_else(unreadable)?;
        let rest = rest.trim();
        if rest.is_empty() || rest.contains(' ') {
            return Err(unreadable());
        }
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "jwt" => Ok(Self::Token(Secret::new(rest))),
            "api-key" => Ok(Self::ApiKey(Secret::new(rest))),
            "basic" => basic(rest),
            _ => Err(unreadable()),
        }
    }
}

fn basic(encoded: &str) -> Result<Authorization, Problem> {
    let bytes = STANDARD.decode(encoded).map_err(|_| unreadable())?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    let (name, secret) = text.split_once(':').ok_or_else(unreadable)?;
    Ok(Authorization::Basic { name: name.to_owned(), secret: Secret::new(secret) })
}

fn unreadable() -> Problem {
    Problem::unauthenticated(
        "The `Authorization` header cannot be read; send `Bearer` and an access token, such as `Bearer eyJ…`.",
    )
}

impl Request {
    /// Who is asking, signed in.
    ///
    /// # Errors
    /// 401 if nobody is, or if what was shown as proof does not hold.
    pub fn principal<'a>(
        &self,
        buildly: &'a Buildly,
    ) -> impl Future<Output = Result<Principal, Problem>> + Send + use<'a> {
        let asking = self.principal_or_anonymous(buildly);
        async {
            let principal = asking.await?;
            if principal.is_signed_in() {
                return Ok(principal);
            }
            Err(Problem::unauthenticated("Authentication credentials were not provided."))
        }
    }

    /// Who is asking; [`Principal::ANONYMOUS`] if nothing was shown as proof.
    ///
    /// The future does not hold the request, whose body cannot be shared between threads.
    ///
    /// # Errors
    /// 401 if what was shown does not hold.
    pub fn principal_or_anonymous<'a>(
        &self,
        buildly: &'a Buildly,
    ) -> impl Future<Output = Result<Principal, Problem>> + Send + use<'a> {
        let shown = self.authorization();
        async {
            match shown? {
                Authorization::Absent => Ok(Principal::ANONYMOUS),
                Authorization::Token(token) | Authorization::ApiKey(token) => {
                    buildly.auth().authenticate(token.expose()).await.map_err(refused)
                }
                Authorization::Basic { .. } => Err(Problem::unauthenticated(
                    "HTTP Basic is for OAuth clients; send `Bearer` and an access token.",
                )),
            }
        }
    }
}

/// What was shown does not hold: 401 that says why (RFC 6750 section 3.1).
fn refused(error: auth::Error) -> Problem {
    let challenge = "Bearer realm=\"buildly\", error=\"invalid_token\"";
    let is_refusal = matches!(error, auth::Error::Token(_));
    let problem = Problem::from(error);
    if is_refusal {
        problem.with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    } else {
        problem
    }
}
