//! A service in the shape of the old wire.

use buildly_core::Buildly;
use buildly_core::auth::identity::GroupKey;
use buildly_core::gateway::openapi::Document;
use buildly_core::gateway::{Credential, Service};
use buildly_model::{Principal, Timestamp};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Problem, Request};

/// A service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogicModule {
    /// Its stable number.
    id: i64,
    /// Its UUID.
    uuid: Uuid,
    /// Its UUID under its older name.
    module_uuid: Uuid,
    /// What people call it.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// Its base URL.
    endpoint: Option<String>,
    /// The first segment of its paths.
    endpoint_name: String,
    /// The path below its base URL where its document is; `docs` when absent.
    docs_endpoint: Option<String>,
    /// Its document, once it was fetched.
    #[schema(value_type = Option<Object>)]
    api_specification: Option<Box<RawValue>>,
    /// The version of OpenAPI that the document follows.
    swagger_version: Option<&'static str>,
    /// The groups whose members may use it; all signed-in users if none.
    core_groups: Vec<i64>,
    /// What travels to it: `forward`, `none`, or `own:` and where the secret is.
    credential: String,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
}

impl LogicModule {
    pub(super) async fn of(
        buildly: &Buildly,
        principal: &Principal,
        service: &Service,
    ) -> Result<Self, Problem> {
        let groups = buildly.auth().service_groups(service.id).await?;
        let version = service.default_version();
        let specification = buildly.gateway().specification(principal, service.id, version).await?;
        let snapshot = buildly.snapshot();
        let api = snapshot.gateway.find(service.id).and_then(|known| known.api(None));
        Ok(Self {
            id: service.number,
            uuid: service.id.as_uuid(),
            module_uuid: service.id.as_uuid(),
            name: service.title.clone(),
            description: service.description.clone(),
            endpoint: service.endpoint().map(ToString::to_string),
            endpoint_name: service.name.to_string(),
            docs_endpoint: service.docs_endpoint.clone(),
            api_specification: specification.and_then(|specification| as_json(specification.text)),
            swagger_version: api.map(|api| api.dialect.number()),
            core_groups: groups.iter().map(|group| group.number).collect(),
            credential: service.credential.to_string(),
            create_date: service.created_at,
            edit_date: service.updated_at,
        })
    }
}

/// A document as JSON: as it came if it is JSON, else read from YAML.
fn as_json(text: String) -> Option<Box<RawValue>> {
    if text.trim_start().starts_with('{') {
        return RawValue::from_string(text.trim().to_owned()).ok();
    }
    to_raw_value(Document::read(&text).ok()?.root()).ok()
}

/// What clients send of a service; unknown fields are ignored.
#[derive(Debug, Default, ToSchema)]
#[schema(as = LogicModuleInput)]
pub(super) struct Input {
    /// What people call it; the endpoint's name when absent.
    pub(super) name: Option<String>,
    /// What it is for.
    #[schema(value_type = Option<String>)]
    pub(super) description: Option<Option<String>>,
    /// Its base URL.
    pub(super) endpoint: Option<String>,
    /// The first segment of its paths.
    pub(super) endpoint_name: Option<String>,
    /// The path below its base URL where its document is.
    #[schema(value_type = Option<String>)]
    pub(super) docs_endpoint: Option<Option<String>>,
    /// The groups whose members may use it, by number or UUID.
    #[schema(value_type = Option<Vec<String>>)]
    #[schema(rename = "core_groups")]
    pub(super) groups: Option<Vec<GroupKey>>,
    /// What travels to it: `forward`, `none`, or `own:` and where the secret is.
    #[schema(value_type = Option<String>)]
    pub(super) credential: Option<Credential>,
}

impl Input {
    pub(super) async fn read(request: &mut Request) -> Result<Self, Problem> {
        let mut fields = request.fields().await?;
        let mut absent_or_null = |name: &str| fields.has(name).then(|| fields.text(name));
        let (description, docs_endpoint) = (absent_or_null("description"), absent_or_null("docs_endpoint"));
        for name in ["endpoint", "endpoint_name"] {
            if fields.has(name) && fields.value(name).is_none() {
                fields.missing::<()>(name);
            }
        }
        let groups =
            fields.list("core_groups").map(|list| list.iter().map(group_key).collect::<Option<Vec<_>>>());
        if groups == Some(None) {
            fields.refuse::<()>("core_groups", "Expected a list of group ids.");
        }
        let input = Self {
            name: fields.text("name"),
            description,
            endpoint: fields.text("endpoint"),
            endpoint_name: fields.text("endpoint_name"),
            docs_endpoint,
            groups: groups.flatten(),
            credential: fields.parsed("credential"),
        };
        fields.finish()?;
        Ok(input)
    }

    /// Refuses an input that lacks what a service must have.
    pub(super) fn with_all_required(self) -> Result<Self, Problem> {
        let required =
            [("endpoint", self.endpoint.is_none()), ("endpoint_name", self.endpoint_name.is_none())];
        let missing = required.into_iter().filter(|(_, is_missing)| *is_missing);
        let missing: Vec<_> = missing
            .map(|(name, _)| buildly_model::FieldError::new(name, "This field is required."))
            .collect();
        if missing.is_empty() { Ok(self) } else { Err(missing.into()) }
    }
}

fn group_key(value: &Value) -> Option<GroupKey> {
    match value {
        Value::Number(number) => number.as_i64().map(GroupKey::Number),
        Value::String(text) => {
            let number = text.parse().map(GroupKey::Number);
            number.ok().or_else(|| text.parse().map(GroupKey::Id).ok())
        }
        _ => None,
    }
}
