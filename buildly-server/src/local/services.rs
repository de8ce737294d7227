//! Tasks on services, in the name of the first superuser.

use buildly_core::Buildly;
use buildly_core::gateway::{Registration, Service};
use serde_json::{Value, json};

use crate::Problem;

/// Registers a service and fetches its document; a document that cannot be had yet is told,
/// not an error: it is fetched when it is first needed.
pub(super) async fn register(
    buildly: &Buildly,
    name: String,
    endpoint: String,
    docs_endpoint: Option<String>,
) -> Result<Value, Problem> {
    let operator = buildly.auth().operator().await?;
    let registration =
        Registration { name: Some(name), endpoint: Some(endpoint), docs_endpoint, ..Registration::default() };
    let service = buildly.gateway().register(&operator, registration).await?;
    let fetched = buildly.gateway().refresh_specification(&operator, service.id, None).await;
    let mut told = shown(&service);
    if let (Err(error), Value::Object(fields)) = (fetched, &mut told) {
        fields.insert("document_missing".to_owned(), Value::String(error.to_string()));
    }
    Ok(told)
}

/// The registered services.
pub(super) async fn list(buildly: &Buildly) -> Result<Value, Problem> {
    let operator = buildly.auth().operator().await?;
    let services = buildly.gateway().services(&operator).await?;
    Ok(json!({"services": services.iter().map(shown).collect::<Vec<_>>()}))
}

/// Takes a service off the gateway.
pub(super) async fn remove(buildly: &Buildly, name: &str) -> Result<Value, Problem> {
    let operator = buildly.auth().operator().await?;
    let found = buildly.gateway().snapshot().find_by_name(name).map(|found| found.service.id);
    let service = found.ok_or_else(|| Problem::not_found(format!("Service \"{name}\" not found.")))?;
    buildly.gateway().delete(&operator, service).await?;
    Ok(json!({"name": name}))
}

/// A service as commands show it.
pub(super) fn shown(service: &Service) -> Value {
    let endpoint = service.endpoint().map(|url| url.as_str());
    json!({"id": service.number, "uuid": service.id, "name": service.name.as_str(), "endpoint": endpoint})
}
