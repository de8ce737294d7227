//! Partners, as services behind the gateway: each stands at an address of its own and answers
//! with its document, or with what its exchange brought.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_auth::Auth;
use buildly_extension::{Exchange, Partner, PartnerFault};
use buildly_gateway_http::{Client, Connection};
use buildly_model::{Body, BodyError, OrganizationId};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::Error;

/// What may be given to an exchange, in bytes.
const GIVEN_BYTES_MAX: usize = 4 << 20;

/// Attaches each partner to its address.
///
/// # Errors
/// [`Error::Setting`] for a name that is no part of an address.
pub(crate) fn attach(partners: Vec<Arc<dyn Partner>>, client: &Client, auth: &Auth) -> Result<(), Error> {
    for partner in partners {
        let name = partner.name().to_owned();
        let is_label = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        if name.is_empty() || name.len() > 63 || !name.bytes().all(is_label) {
            let reason =
                format!("`{name}`: a partner's name has lower-case letters, digits and `-`, at most 63");
            return Err(Error::Setting { setting: "partner", reason });
        }
        let stand = Stand { partner, auth: auth.clone() };
        client.attach(&format!("{name}.partner.localhost"), Arc::new(stand));
    }
    Ok(())
}

/// A partner as a service.
struct Stand {
    partner: Arc<dyn Partner>,
    /// Says for which organization: the gateway forwards the caller's token.
    auth: Auth,
}

#[async_trait]
impl Connection for Stand {
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError> {
        let answered = match (request.method(), request.uri().path().trim_end_matches('/')) {
            (&Method::GET, "/docs/openapi.json" | "/docs/swagger.json") => Ok(self.document()),
            (&Method::POST, "/exchange") => self.exchange(request).await,
            (_, "/exchange") => Err((StatusCode::METHOD_NOT_ALLOWED, "An exchange is a POST.".to_owned())),
            _ => Err((StatusCode::NOT_FOUND, "There is no such path.".to_owned())),
        };
        Ok(match answered {
            Ok(value) => answer(StatusCode::OK, "application/json", &value),
            Err((status, detail)) => {
                let title = status.canonical_reason().unwrap_or_default();
                let problem = json!({"type": "about:blank", "status": status.as_u16(), "title": title, "detail": detail});
                answer(status, "application/problem+json", &problem)
            }
        })
    }
}

impl Stand {
    /// What the gateway and workflows know of it (OpenAPI 3.1).
    fn document(&self) -> Value {
        let described = |description: &str| json!({"description": description});
        let exchange = json!({
            "operationId": "exchange",
            "summary": "Exchange once with the partner.",
            "requestBody": {"content": {"application/json": {"schema": {}}}},
            "responses": {
                "200": {"description": "What it brought.", "content": {"application/json": {"schema": {}}}},
                "422": described("The partner does not take it."),
                "503": described("The partner cannot be reached now."),
            },
        });
        json!({
            "openapi": "3.1.0",
            "info": {"title": self.partner.name(), "version": "1"},
            "paths": {"/exchange/": {"post": exchange}},
        })
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Value, (StatusCode, String)> {
        let (head, body) = request.into_parts();
        let organization = self.organization(&head.headers).await?;
        let key = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
        let bytes = body.collect(GIVEN_BYTES_MAX).await;
        let bytes = bytes.map_err(|error| (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
        let given = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
        let given = given.map_err(|error| (StatusCode::BAD_REQUEST, format!("Expected JSON: {error}.")))?;
        let exchanged = self.partner.exchange(Exchange { organization, key, given }).await;
        exchanged.map_err(|fault| match fault {
            PartnerFault::Unavailable(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
            fault => (StatusCode::UNPROCESSABLE_ENTITY, fault.to_string()),
        })
    }

    async fn organization(&self, headers: &HeaderMap) -> Result<OrganizationId, (StatusCode, String)> {
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let principal = self.auth.authenticate(token).await;
        let principal = principal.map_err(|error| (StatusCode::UNAUTHORIZED, error.to_string()))?;
        principal.organization.ok_or_else(|| {
            (StatusCode::FORBIDDEN, "An exchange is for an organization, and you are in none.".to_owned())
        })
    }
}

fn answer(status: StatusCode, kind: &'static str, value: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(value.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
