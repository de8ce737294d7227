//! `/datamesh/logicmodulemodels/`: record types.

use buildly_core::Buildly;
use buildly_core::mesh::{RecordType, RecordTypeInput, RecordTypeUpdate};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::compat::list::Part;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A record type.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogicModuleModel {
    /// Its id.
    logic_module_model_uuid: Uuid,
    /// The name of the service; `core` for records of the core itself.
    logic_module_endpoint_name: String,
    /// What one record is called.
    model: String,
    /// The list's path below the service.
    endpoint: String,
    /// The field of a record that holds its key.
    lookup_field_name: String,
    /// Whether the core itself keeps these records.
    is_local: bool,
}

impl From<RecordType> for LogicModuleModel {
    fn from(one: RecordType) -> Self {
        Self {
            logic_module_model_uuid: one.id.as_uuid(),
            logic_module_endpoint_name: one.service,
            model: one.model,
            endpoint: one.endpoint,
            lookup_field_name: one.key_field,
            is_local: one.is_local,
        }
    }
}

/// A record type as it shall be.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
pub(super) struct LogicModuleModelInput {
    /// The name of the service; slashes around it do not count.
    logic_module_endpoint_name: String,
    /// What one record is called, such as `Contact`.
    model: String,
    /// The list's path below the service, such as `/contacts/`.
    endpoint: String,
    /// The field of a record that holds its key; `id` if it is not said.
    lookup_field_name: Option<String>,
    /// Whether the core itself keeps these records.
    is_local: Option<bool>,
}

/// Adds the operations on record types.
pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(
            get("/datamesh/logicmodulemodels/", list)
                .summary("Lists models")
                .description("A list that was cut says in `Link` where it goes on.")
                .query("after", "Where to go on, from `Link`.")
                .answers_list::<LogicModuleModel>(200),
        )
        .add(
            post("/datamesh/logicmodulemodels/", create)
                .summary("Declares a model (superusers)")
                .takes_fields::<LogicModuleModelInput>()
                .answers::<LogicModuleModel>(201),
        )
        .add(
            get("/datamesh/logicmodulemodels/{logic_module_model_uuid}/", read)
                .summary("Reads a model")
                .answers::<LogicModuleModel>(200),
        )
        .add(
            put("/datamesh/logicmodulemodels/{logic_module_model_uuid}/", replace)
                .summary("Replaces a model (superusers)")
                .takes_fields::<LogicModuleModelInput>()
                .answers::<LogicModuleModel>(200),
        )
        .add(
            patch("/datamesh/logicmodulemodels/{logic_module_model_uuid}/", change)
                .summary("Changes a model (superusers)")
                .takes_fields::<LogicModuleModelInput>()
                .answers::<LogicModuleModel>(200),
        )
        .add(
            delete("/datamesh/logicmodulemodels/{logic_module_model_uuid}/", remove)
                .summary("Removes a model with its relationships and join records (superusers)")
                .answers_nothing(204),
        )
}

/// `GET /datamesh/logicmodulemodels/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let all = buildly.mesh().record_types(&principal).await?;
    Ok(Part::of(&request, all, |one| one.id.as_uuid())?.answer_with(LogicModuleModel::from))
}

/// `POST /datamesh/logicmodulemodels/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let input = whole(&mut fields);
    fields.finish()?;
    let created = buildly.mesh().create_record_type(&principal, input).await?;
    Ok(Response::created(&LogicModuleModel::from(created)))
}

/// `GET /datamesh/logicmodulemodels/{logic_module_model_uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let found = buildly.mesh().record_type(&principal, request.path("logic_module_model_uuid")?).await?;
    Ok(Response::ok(&LogicModuleModel::from(found)))
}

/// `PUT /datamesh/logicmodulemodels/{logic_module_model_uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let input = whole(&mut fields);
    fields.finish()?;
    let update = RecordTypeUpdate {
        service: Some(input.service),
        model: Some(input.model),
        endpoint: Some(input.endpoint),
        key_field: Some(input.key_field),
        is_local: Some(input.is_local),
    };
    let id = request.path("logic_module_model_uuid")?;
    let changed = buildly.mesh().update_record_type(&principal, id, update).await?;
    Ok(Response::ok(&LogicModuleModel::from(changed)))
}

/// `PATCH /datamesh/logicmodulemodels/{logic_module_model_uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let update = RecordTypeUpdate {
        service: fields.text("logic_module_endpoint_name"),
        model: fields.text("model"),
        endpoint: fields.text("endpoint"),
        key_field: fields.text("lookup_field_name"),
        is_local: fields.boolean("is_local"),
    };
    fields.finish()?;
    let id = request.path("logic_module_model_uuid")?;
    let changed = buildly.mesh().update_record_type(&principal, id, update).await?;
    Ok(Response::ok(&LogicModuleModel::from(changed)))
}

/// `DELETE /datamesh/logicmodulemodels/{logic_module_model_uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.mesh().delete_record_type(&principal, request.path("logic_module_model_uuid")?).await?;
    Ok(Response::no_content())
}

/// A whole record type; what is missing is blank, and refused by the mesh once it has looked at
/// the caller's rights.
fn whole(fields: &mut Fields) -> RecordTypeInput {
    RecordTypeInput {
        service: fields.text("logic_module_endpoint_name").unwrap_or_default(),
        model: fields.text("model").unwrap_or_default(),
        endpoint: fields.text("endpoint").unwrap_or_default(),
        key_field: fields.text("lookup_field_name").unwrap_or_else(|| "id".to_owned()),
        is_local: fields.boolean("is_local").unwrap_or_default(),
    }
}
