//! Where everything is, for clients that look it up (RFC 8414).

use serde::Serialize;

use super::SCOPE;

/// The metadata of the authorization server at a base URL.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    code_challenge_methods_supported: Vec<&'static str>,
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
}

impl Discovery {
    /// The metadata of a deployment that issues tokens as `issuer` and answers at `base_url`.
    ///
    /// ID tokens are not issued, but clients insist on the two fields about them.
    #[must_use]
    pub fn at(issuer: &str, base_url: &str, algorithm: super::Algorithm) -> Self {
        let base = base_url.trim_end_matches('/');
        let methods = || vec!["client_secret_basic", "client_secret_post", "none"];
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: format!("{base}/oauth/authorize/"),
            token_endpoint: format!("{base}/oauth/token/"),
            revocation_endpoint: format!("{base}/oauth/revoke_token/"),
            introspection_endpoint: format!("{base}/oauth/introspect/"),
            jwks_uri: format!("{base}/.well-known/jwks.json"),
            scopes_supported: SCOPE.split(' ').collect(),
            response_types_supported: vec!["code"],
            grant_types_supported: vec![
                "authorization_code",
                "password",
                "refresh_token",
                "client_credentials",
            ],
            code_challenge_methods_supported: vec!["S256"],
            authorization_response_iss_parameter_supported: true,
            token_endpoint_auth_methods_supported: methods(),
            revocation_endpoint_auth_methods_supported: methods(),
            introspection_endpoint_auth_methods_supported: vec!["client_secret_basic", "client_secret_post"],
            subject_types_supported: vec!["public"],
            id_token_signing_alg_values_supported: vec![algorithm.name()],
        }
    }
}
