//! Operations on services.

use buildly_core::Buildly;
use buildly_core::gateway::{Policy, Service, ServiceKey, Update, Version};
use buildly_model::{Cursor, FieldError, Principal, version_from_if_match};
use http::StatusCode;
use http::header::{ETAG, IF_MATCH};

use super::shape::{NewService, ServiceBody, ServiceChange};
use super::strict;
use crate::{Problem, Request, Response};

/// `GET /gateway/services/`
pub(super) async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let rows = request.page_size()?.rows() as usize;
    let after = match request.cursor() {
        Some(cursor) => cursor.0.parse().map_err(|_| refused_cursor())?,
        None => 0,
    };
    let services = buildly.gateway().services(&principal).await?;
    let mut rest = services.iter().filter(|service| service.number > after);
    let page: Vec<&Service> = rest.by_ref().take(rows).collect();
    let next = rest.next().and(page.last()).map(|last| Cursor(last.number.to_string()));
    let page: Vec<ServiceBody> = page.into_iter().map(Into::into).collect();
    Ok(Response::page(&request, &page, next.as_ref()))
}

fn refused_cursor() -> FieldError {
    FieldError::new("cursor", "Take the cursor from `next` of the page before.")
}

/// `POST /gateway/services/`
pub(super) async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let registration = request.json::<NewService>().await?.into_registration()?;
    let service = buildly.gateway().register(&principal, registration).await?;
    Ok(answer(StatusCode::CREATED, &service))
}

/// `GET /gateway/services/{service}/`
pub(super) async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (_, service) = find(buildly, &request).await?;
    Ok(answer(StatusCode::OK, &service))
}

/// `PATCH /gateway/services/{service}/`
pub(super) async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    let seen = seen(&request)?;
    refuse_other_version(seen, &service)?;
    let update = request.json::<ServiceChange>().await?.into_update()?;
    let service = buildly.gateway().update(&principal, service.id, &update, seen).await?;
    Ok(answer(StatusCode::OK, &service))
}

/// `DELETE /gateway/services/{service}/`
pub(super) async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    refuse_other_version(seen(&request)?, &service)?;
    buildly.gateway().delete(&principal, service.id).await?;
    buildly.auth().set_service_groups(&principal, service.id, &[]).await?;
    Ok(Response::no_content())
}

/// `GET /gateway/services/{service}/specification/`
pub(super) async fn specification(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    let version = version(&request)?;
    let version = version.as_ref().or(service.default_version());
    let stored = buildly.gateway().specification(&principal, service.id, version).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("No document of this service is stored yet."))?;
    let is_json = stored.text.trim_start().starts_with('{');
    let media_type = if is_json { "application/json" } else { "application/yaml" };
    Ok(Response::bytes(StatusCode::OK, media_type, stored.text))
}

/// `POST /gateway/services/{service}/specification/`
pub(super) async fn refresh(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    let version = version(&request)?;
    buildly.gateway().refresh_specification(&principal, service.id, version.as_ref()).await?;
    let service = buildly.gateway().service(&principal, service.id).await?;
    Ok(answer(StatusCode::OK, &service))
}

/// `GET /gateway/services/{service}/policy/`
pub(super) async fn policy(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (_, service) = find(buildly, &request).await?;
    Ok(Response::ok(&service.policy).with_header(ETAG, tag(&service)))
}

/// `PUT /gateway/services/{service}/policy/`
pub(super) async fn set_policy(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    let seen = seen(&request)?;
    refuse_other_version(seen, &service)?;
    let policy: Policy = strict::body(&mut request).await?;
    let update = Update { policy: Some(policy), ..Update::default() };
    let service = buildly.gateway().update(&principal, service.id, &update, seen).await?;
    Ok(Response::ok(&service.policy).with_header(ETAG, tag(&service)))
}

/// Who asks, and the service that the path names.
pub(super) async fn find(buildly: &Buildly, request: &Request) -> Result<(Principal, Service), Problem> {
    let principal = request.principal(buildly).await?;
    let key: ServiceKey = request.path("service")?;
    let service = buildly.gateway().find_service(&principal, &key).await?;
    Ok((principal, service))
}

fn answer(status: StatusCode, service: &Service) -> Response {
    Response::json(status, &ServiceBody::from(service)).with_header(ETAG, tag(service))
}

fn tag(service: &Service) -> String {
    format!("\"{}\"", service.version)
}

fn seen(request: &Request) -> Result<Option<u64>, Problem> {
    let seen = request.header(IF_MATCH).map(version_from_if_match).transpose()?;
    Ok(seen.flatten())
}

fn refuse_other_version(seen: Option<u64>, service: &Service) -> Result<(), Problem> {
    match seen {
        Some(seen) if seen != service.version => Err(Problem::precondition_failed(
            "The service changed since it was read; read it again and repeat the change.",
        )),
        _ => Ok(()),
    }
}

fn version(request: &Request) -> Result<Option<Version>, Problem> {
    let text = request.query().first("version").filter(|text| !text.is_empty());
    let refused = || FieldError::new("version", "Expected a version such as `v2`.");
    Ok(text.map(|text| Version::parse(text).ok_or_else(refused)).transpose()?)
}
