//! `/oauth/authorize/`: where a person lets an application act for them (RFC 6749 section
//! 4.1).
//!
//! The page keeps no session and sets no cookie: whoever agrees signs in on it, so another
//! site can neither agree for a person nor find out who is signed in.

use buildly_core::Buildly;
use buildly_core::auth::Error;
use buildly_core::auth::token::{AuthorizationError, AuthorizationRequest};
use buildly_model::Secret;
use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{Problem, Request, Response};

/// The form of the page.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct AuthorizationInput {
    /// `allow` or `deny`.
    decision: String,
    /// Whoever agrees signs in.
    username: Option<String>,
    /// The password.
    password: Option<String>,
}

/// `GET /oauth/authorize/`
pub(super) async fn ask(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let asked = read(|name| request.query().first(name).map(str::to_owned));
    Ok(match buildly.auth().authorization(&asked) {
        Ok(application) => page(StatusCode::OK, &application, &asked, ""),
        Err(error) => refused(&error),
    })
}

/// `POST /oauth/authorize/`
pub(super) async fn decide(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let asked = read(|name| fields.text(name));
    if fields.text("decision").as_deref() != Some("allow") {
        let location = buildly.auth().refuse_authorization(&asked);
        return Ok(location.map_or_else(|error| refused(&error), |location| see_other(&location)));
    }
    let username = fields.text("username").unwrap_or_default();
    let password = fields.secret("password").unwrap_or_else(|| Secret::new(""));
    let application = match buildly.auth().authorization(&asked) {
        Ok(application) => application,
        Err(error) => return Ok(refused(&error)),
    };
    let decided = buildly.auth().authorize(&asked, &username, &password, request.client_address()).await;
    Ok(match decided {
        Ok(Ok(location)) => see_other(&location),
        Ok(Err(error)) => try_again(error, &application, &asked)?,
        Err(error) => refused(&error),
    })
}

fn read(mut text: impl FnMut(&str) -> Option<String>) -> AuthorizationRequest {
    let mut present = |name| text(name).filter(|text| !text.is_empty());
    AuthorizationRequest {
        response_type: present("response_type"),
        client_id: present("client_id"),
        redirect_uri: present("redirect_uri"),
        scope: present("scope"),
        state: present("state"),
        code_challenge: present("code_challenge"),
        code_challenge_method: present("code_challenge_method"),
    }
}

/// What signing in says, on the same page.
fn try_again(error: Error, application: &str, asked: &AuthorizationRequest) -> Result<Response, Problem> {
    Ok(match error {
        Error::WrongCredentials => {
            page(StatusCode::UNAUTHORIZED, application, asked, "Name or password is wrong.")
        }
        Error::AwaitingApproval => {
            let why = "This account awaits approval by an administrator of the organization.";
            page(StatusCode::FORBIDDEN, application, asked, why)
        }
        Error::Limited { retry_after } => {
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            let why = format!("Too many attempts; try again in {seconds} s.");
            page(StatusCode::TOO_MANY_REQUESTS, application, asked, &why)
                .with_header(RETRY_AFTER, seconds.to_string())
        }
        other => return Err(other.into()),
    })
}

fn refused(error: &AuthorizationError) -> Response {
    match error {
        AuthorizationError::Refused { location } => see_other(location),
        other => {
            let body = format!("<h1>This cannot go on</h1>\n<p>{}</p>\n", escaped(&other.to_string()));
            Response::html(StatusCode::BAD_REQUEST, document(&body)).no_store()
        }
    }
}

/// 303, so that no browser sends the form, and the password in it, to the application (RFC
/// 9700 section 4.12).
fn see_other(location: &str) -> Response {
    Response::empty(StatusCode::SEE_OTHER).with_header(LOCATION, location).no_store()
}

fn page(status: StatusCode, application: &str, asked: &AuthorizationRequest, why: &str) -> Response {
    let AuthorizationRequest {
        response_type,
        client_id,
        redirect_uri,
        scope,
        state,
        code_challenge,
        code_challenge_method,
    } = asked;
    let hidden: String = [
        ("response_type", response_type),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("scope", scope),
        ("state", state),
        ("code_challenge", code_challenge),
        ("code_challenge_method", code_challenge_method),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        let value = escaped(value.as_deref()?);
        Some(format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n"))
    })
    .collect();
    let alert = match why {
        "" => String::new(),
        why => format!("<p role=\"alert\"><strong>{}</strong></p>\n", escaped(why)),
    };
    let application = escaped(application);
    let body = format!(
        "<h1>{application} asks to act for you</h1>\n{alert}\
         <p>Whoever signs in here lets {application} read and write what they may.</p>\n\
         <form method=\"post\">\n{hidden}\
         <p><label>User name<br><input name=\"username\" autocomplete=\"username\" autofocus></label></p>\n\
         <p><label>Password<br><input name=\"password\" type=\"password\" \
         autocomplete=\"current-password\"></label></p>\n\
         <p><button name=\"decision\" value=\"allow\">Sign in and allow</button>\n\
         <button name=\"decision\" value=\"deny\">Do not allow</button></p>\n</form>\n"
    );
    Response::html(status, document(&body)).no_store()
}

fn document(body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Sign in</title>\n\
         <style>body{{font:16px/1.5 system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}\
         input,button{{font:inherit;padding:.4rem .6rem}}input{{width:100%;box-sizing:border-box}}</style>\n\
         {body}</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
