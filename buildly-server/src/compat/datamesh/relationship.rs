//! `/datamesh/relationships/`: declared links between record types.

use buildly_core::Buildly;
use buildly_core::mesh::{DescribedRelationship, RelationshipInput, RelationshipUpdate};
use buildly_model::RecordTypeId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::LogicModuleModel;
use crate::compat::list::Part;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A relationship.
#[derive(Debug, Serialize, ToSchema)]
struct RelationshipBody {
    /// Its id.
    relationship_uuid: Uuid,
    /// Where it starts.
    origin_model: LogicModuleModel,
    /// Where it leads.
    related_model: LogicModuleModel,
    /// The field under which joined records stand.
    key: String,
    /// The field that holds the key of the other record, if the services keep one.
    fk_field_name: Option<String>,
}

impl From<DescribedRelationship> for RelationshipBody {
    fn from(one: DescribedRelationship) -> Self {
        Self {
            relationship_uuid: one.relationship.id.as_uuid(),
            origin_model: one.origin.into(),
            related_model: one.related.into(),
            key: one.relationship.key,
            fk_field_name: one.relationship.foreign_key,
        }
    }
}

/// A relationship as it shall be.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
struct RelationshipBodyInput {
    /// The field under which joined records stand.
    key: String,
    /// The model where it starts.
    origin_model_id: Uuid,
    /// The model where it leads.
    related_model_id: Uuid,
    /// The field that holds the key of the other record.
    fk_field_name: Option<String>,
}

/// Adds the operations on relationships.
pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(
            get("/datamesh/relationships/", list)
                .summary("Lists relationships")
                .description("A list that was cut says in `Link` where it goes on.")
                .query("after", "Where to go on, from `Link`.")
                .answers_list::<RelationshipBody>(200),
        )
        .add(
            post("/datamesh/relationships/", create)
                .summary("Declares a relationship (superusers)")
                .takes_fields::<RelationshipBodyInput>()
                .answers::<RelationshipBody>(201),
        )
        .add(
            get("/datamesh/relationships/{relationship_uuid}/", read)
                .summary("Reads a relationship")
                .answers::<RelationshipBody>(200),
        )
        .add(
            put("/datamesh/relationships/{relationship_uuid}/", replace)
                .summary("Replaces a relationship (superusers)")
                .takes_fields::<RelationshipBodyInput>()
                .answers::<RelationshipBody>(200),
        )
        .add(
            patch("/datamesh/relationships/{relationship_uuid}/", change)
                .summary("Changes a relationship (superusers)")
                .takes_fields::<RelationshipBodyInput>()
                .answers::<RelationshipBody>(200),
        )
        .add(
            delete("/datamesh/relationships/{relationship_uuid}/", remove)
                .summary("Removes a relationship with its join records (superusers)")
                .answers_nothing(204),
        )
}

/// `GET /datamesh/relationships/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let all = buildly.mesh().relationships(&principal).await?;
    Ok(Part::of(&request, all, |one| one.relationship.id.as_uuid())?.answer_with(RelationshipBody::from))
}

/// `POST /datamesh/relationships/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let input = whole(&mut fields);
    fields.finish()?;
    let created = buildly.mesh().create_relationship(&principal, input).await?;
    Ok(Response::created(&RelationshipBody::from(created)))
}

/// `GET /datamesh/relationships/{relationship_uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let found = buildly.mesh().relationship(&principal, request.path("relationship_uuid")?).await?;
    Ok(Response::ok(&RelationshipBody::from(found)))
}

/// `PUT /datamesh/relationships/{relationship_uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let input = whole(&mut fields);
    fields.finish()?;
    let update = RelationshipUpdate {
        key: Some(input.key),
        origin: Some(input.origin),
        related: Some(input.related),
        foreign_key: Some(input.foreign_key),
    };
    let id = request.path("relationship_uuid")?;
    let changed = buildly.mesh().update_relationship(&principal, id, update).await?;
    Ok(Response::ok(&RelationshipBody::from(changed)))
}

/// `PATCH /datamesh/relationships/{relationship_uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let has_foreign_key = fields.has("fk_field_name");
    let foreign_key = fields.text("fk_field_name");
    let update = RelationshipUpdate {
        key: fields.text("key"),
        origin: fields.parsed("origin_model_id"),
        related: fields.parsed("related_model_id"),
        foreign_key: has_foreign_key.then_some(foreign_key),
    };
    fields.finish()?;
    let id = request.path("relationship_uuid")?;
    let changed = buildly.mesh().update_relationship(&principal, id, update).await?;
    Ok(Response::ok(&RelationshipBody::from(changed)))
}

/// `DELETE /datamesh/relationships/{relationship_uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.mesh().delete_relationship(&principal, request.path("relationship_uuid")?).await?;
    Ok(Response::no_content())
}

/// A whole relationship; a model that is missing is the nil UUID, which is no model's.
fn whole(fields: &mut Fields) -> RelationshipInput {
    let unknown = RecordTypeId::from_uuid(Uuid::nil());
    RelationshipInput {
        key: fields.text("key").unwrap_or_default(),
        origin: fields.parsed("origin_model_id").unwrap_or(unknown),
        related: fields.parsed("related_model_id").unwrap_or(unknown),
        foreign_key: fields.text("fk_field_name"),
    }
}
