//! Operations on instances.

use buildly_core::Buildly;
use buildly_model::InstanceId;

use super::service::find;
use super::shape::{InstanceBody, InstanceChange, NewInstance};
use crate::{Problem, Request, Response};

/// `GET /gateway/services/{service}/instances/`
pub(super) async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (_, service) = find(buildly, &request).await?;
    let instances: Vec<InstanceBody> = service.instances.iter().map(Into::into).collect();
    Ok(Response::page(&request, &instances, None))
}

/// `POST /gateway/services/{service}/instances/`
pub(super) async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    let spec = request.json::<NewInstance>().await?.into();
    let instance = buildly.gateway().add_instance(&principal, service.id, &spec).await?;
    Ok(Response::created(&InstanceBody::from(&instance)))
}

/// `GET /gateway/services/{service}/instances/{instance}/`
pub(super) async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (_, service) = find(buildly, &request).await?;
    let id: InstanceId = request.path("instance")?;
    let instance = service.instances.iter().find(|instance| instance.id == id);
    let instance = instance.ok_or_else(|| Problem::not_found("Not found."))?;
    Ok(Response::ok(&InstanceBody::from(instance)))
}

/// `PATCH /gateway/services/{service}/instances/{instance}/`
pub(super) async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    let id = request.path("instance")?;
    let spec = request.json::<InstanceChange>().await?.into();
    let instance = buildly.gateway().update_instance(&principal, service.id, id, &spec).await?;
    Ok(Response::ok(&InstanceBody::from(&instance)))
}

/// `DELETE /gateway/services/{service}/instances/{instance}/`
pub(super) async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let (principal, service) = find(buildly, &request).await?;
    buildly.gateway().remove_instance(&principal, service.id, request.path("instance")?).await?;
    Ok(Response::no_content())
}
