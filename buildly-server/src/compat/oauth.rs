//! `/oauth/…`: tokens for applications (RFC 6749, 7009, 7662), in the shapes of the old wire.

mod application;
mod authorization;
mod error;
mod introspection;
mod listing;
mod revocation;
mod token;

use buildly_core::auth::token::ClientCredentials;

use crate::request::{Authorization, Fields};
use crate::route::{delete, get, patch, post, put};
use crate::{Request, Routes};

pub use application::{ApplicationBody, ApplicationInput};
pub use authorization::AuthorizationInput;
pub use error::OAuthError;
pub use introspection::{IntrospectionBody, IntrospectionInput};
pub use listing::{AccessTokenBody, RefreshTokenBody};
pub use revocation::RevocationInput;
pub use token::{TokenBody, TokenInput};

/// The operations of OAuth.
pub(crate) fn routes() -> Routes {
    let routes = Routes::compat("oauth", "Tokens for applications (OAuth 2.0), and the applications.")
        .add(
            post("/oauth/token/", token::issue)
                .summary("Issues tokens")
                .description(
                    "Grants `authorization_code`, `password`, `refresh_token` and `client_credentials`. \
                     The client presents itself with HTTP Basic or with `client_id` and `client_secret` \
                     in the body; a public client only with `client_id`. A service account is a client, \
                     too: its id and one of its API keys, with `client_credentials`, give a token that \
                     services can check by themselves. Errors are those of RFC 6749 section 5.2.",
                )
                .takes_fields::<TokenInput>()
                .answers::<TokenBody>(200)
                .answers::<OAuthError>(400)
                .answers::<OAuthError>(401)
                .public(),
        )
        .add(
            get("/oauth/authorize/", authorization::ask)
                .summary("Asks a person to let an application act for them")
                .description(
                    "A page for a browser (RFC 6749 section 4.1, with PKCE, RFC 7636): the person signs in \
                     and is sent back to the application with a code that is good once, for a minute.",
                )
                .query("response_type", "`code`.")
                .query("client_id", "The application.")
                .query("redirect_uri", "One of its registered addresses.")
                .query("scope", "At most `read write introspection`.")
                .query("state", "Handed back as it is.")
                .query("code_challenge", "The SHA-256 of the verifier, in Base64url.")
                .query("code_challenge_method", "`S256`.")
                .answers_media(200, "text/html")
                .public(),
        )
        .add(
            post("/oauth/authorize/", authorization::decide)
                .summary("What the person decided")
                .takes_form::<AuthorizationInput>()
                .answers_nothing(303)
                .public(),
        )
        .add(
            post("/oauth/revoke_token/", revocation::revoke)
                .summary("Ends the session of a token")
                .description("Every form of the token stops working at once, on every node.")
                .takes_fields::<RevocationInput>()
                .answers_nothing(200)
                .answers::<OAuthError>(401)
                .public(),
        )
        .add(
            post("/oauth/introspect/", introspection::introspect)
                .summary("Says what a token is worth now")
                .description("For confidential clients, and for signed-in callers.")
                .takes_fields::<IntrospectionInput>()
                .answers::<IntrospectionBody>(200)
                .answers::<OAuthError>(401)
                .public(),
        );
    tokens(applications(routes))
}

fn tokens(routes: Routes) -> Routes {
    routes
        .add(
            get("/oauth/accesstokens/", listing::access_tokens)
                .summary("Lists the access tokens that have not ended")
                .query("user__username", "Only those of this user.")
                .query_integer("after", "Only those after this id.")
                .answers_list::<AccessTokenBody>(200),
        )
        .add(
            get("/oauth/accesstokens/{id}/", listing::access_token)
                .summary("Reads an access token")
                .answers::<AccessTokenBody>(200),
        )
        .add(
            delete("/oauth/accesstokens/{id}/", listing::end_access)
                .summary("Ends the session of an access token")
                .answers_nothing(204),
        )
        .add(
            get("/oauth/refreshtokens/", listing::refresh_tokens)
                .summary("Lists the refresh tokens")
                .query("user__username", "Only those of this user.")
                .query_integer("after", "Only those after this id.")
                .answers_list::<RefreshTokenBody>(200),
        )
        .add(
            get("/oauth/refreshtokens/{id}/", listing::refresh_token)
                .summary("Reads a refresh token")
                .answers::<RefreshTokenBody>(200),
        )
        .add(
            delete("/oauth/refreshtokens/{id}/", listing::end_refresh)
                .summary("Ends the session of a refresh token")
                .answers_nothing(204),
        )
}

fn applications(routes: Routes) -> Routes {
    routes
        .add(
            get("/oauth/applications/", application::list)
                .summary("Lists the applications")
                .description("A list that was cut says in `Link` where it goes on.")
                .query("user__username", "Only those that this user has registered.")
                .query_integer("after", "Where to go on, from `Link`.")
                .answers_list::<ApplicationBody>(200),
        )
        .add(
            post("/oauth/applications/", application::create)
                .summary("Registers an application")
                .description("The secret of a confidential application is in this answer only.")
                .takes_fields::<ApplicationInput>()
                .answers::<ApplicationBody>(201),
        )
        .add(
            get("/oauth/applications/{id}/", application::read)
                .summary("Reads an application")
                .answers::<ApplicationBody>(200),
        )
        .add(
            put("/oauth/applications/{id}/", application::change)
                .summary("Replaces an application")
                .takes_fields::<ApplicationInput>()
                .answers::<ApplicationBody>(200),
        )
        .add(
            patch("/oauth/applications/{id}/", application::change)
                .summary("Changes an application")
                .takes_fields::<ApplicationInput>()
                .answers::<ApplicationBody>(200),
        )
        .add(
            delete("/oauth/applications/{id}/", application::remove)
                .summary("Removes an application; tokens issued to it stop working")
                .answers_nothing(204),
        )
}

/// How the client presents itself: HTTP Basic wins over the body.
fn client(request: &Request, fields: &mut Fields) -> ClientCredentials {
    if let Ok(Authorization::Basic { name, secret }) = request.authorization() {
        return ClientCredentials { client_id: Some(name), client_secret: Some(secret) };
    }
    ClientCredentials { client_id: fields.text("client_id"), client_secret: fields.secret("client_secret") }
}
