//! `/workflowlevel2sort/`: how the levels 2 of a level 1 are arranged, as front ends keep it.

use buildly_core::Buildly;
use buildly_core::workflow::levels::{Order, OrderUpdate, Record};
use buildly_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::input::{json, key, path_key, required_key, row};
use super::window;
use crate::compat::organization_shape::clearable;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// What old clients see where no level 2 is named.
const NO_LEVEL2: Uuid = Uuid::from_u128(0x4000_8000_0000_0000_0000);

/// An order.
#[derive(Debug, Serialize, ToSchema)]
struct WorkflowLevel2Sort {
    id: i64,
    workflowlevel1: i64,
    workflowlevel2_parent: Option<Uuid>,
    workflowlevel2_pk: Uuid,
    /// The arrangement, as the client keeps it.
    #[schema(value_type = Vec<Object>)]
    sort_array: Value,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
}

/// An order as it is written.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
struct WorkflowLevel2SortInput {
    workflowlevel1: i64,
    /// A level 2 of that level 1.
    workflowlevel2_parent: Option<Uuid>,
    workflowlevel2_pk: Option<Uuid>,
    #[schema(value_type = Option<Vec<Object>>)]
    sort_array: Option<Value>,
}

impl From<Record<Order>> for WorkflowLevel2Sort {
    fn from(record: Record<Order>) -> Self {
        Self {
            id: record.number,
            workflowlevel1: record.value.level1.number,
            workflowlevel2_parent: record.value.parent.map(|parent| parent.as_uuid()),
            workflowlevel2_pk: record.value.details.level2.map_or(NO_LEVEL2, |level2| level2.as_uuid()),
            sort_array: record.value.details.sort_array,
            create_date: record.created_at,
            edit_date: record.edited_at,
        }
    }
}

/// The operations on orders.
pub(super) fn routes() -> Routes {
    Routes::compat("workflowlevel2sort", "How workflow levels 2 are arranged, as front ends keep it.")
        .add(
            get("/workflowlevel2sort/", list)
                .summary("Lists orders")
                .query_integer("after", "Where to go on, from `Link`")
                .answers_list::<WorkflowLevel2Sort>(200),
        )
        .add(
            post("/workflowlevel2sort/", create)
                .summary("Stores an order")
                .takes_fields::<WorkflowLevel2SortInput>()
                .answers::<WorkflowLevel2Sort>(201),
        )
        .add(
            get("/workflowlevel2sort/{id}/", read)
                .summary("Reads an order")
                .answers::<WorkflowLevel2Sort>(200),
        )
        .add(
            put("/workflowlevel2sort/{id}/", replace)
                .summary("Changes an order; what does not come stays")
                .takes_fields::<WorkflowLevel2SortInput>()
                .answers::<WorkflowLevel2Sort>(200),
        )
        .add(
            patch("/workflowlevel2sort/{id}/", change)
                .summary("Changes what is named of an order")
                .takes_fields::<WorkflowLevel2SortInput>()
                .answers::<WorkflowLevel2Sort>(200),
        )
        .add(delete("/workflowlevel2sort/{id}/", remove).summary("Removes an order").answers_nothing(204))
}

/// `GET /workflowlevel2sort/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let rows_max = request.configuration().limits.list_rows_max;
    let listed = buildly.levels().orders(&principal, request.query_value("after")?, rows_max).await?;
    let bodies: Vec<WorkflowLevel2Sort> = listed.rows.into_iter().map(Into::into).collect();
    Ok(window::array(&request, listed.next.map(|next| ("after", next.number.to_string())), &bodies))
}

/// `POST /workflowlevel2sort/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    required_key(&mut fields, "workflowlevel1");
    let record = buildly.levels().create_order(&principal, &written(fields)?).await?;
    Ok(Response::created(&WorkflowLevel2Sort::from(record)))
}

/// `GET /workflowlevel2sort/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().order(&principal, path_key(&request)?).await?;
    Ok(Response::ok(&WorkflowLevel2Sort::from(record)))
}

/// `PUT /workflowlevel2sort/{id}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    required_key(&mut fields, "workflowlevel1");
    update(buildly, &request, &written(fields)?).await
}

/// `PATCH /workflowlevel2sort/{id}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let fields = request.fields().await?;
    update(buildly, &request, &written(fields)?).await
}

async fn update(buildly: &Buildly, request: &Request, update: &OrderUpdate) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().update_order(&principal, path_key(request)?, update).await?;
    Ok(Response::ok(&WorkflowLevel2Sort::from(record)))
}

/// `DELETE /workflowlevel2sort/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.levels().delete_order(&principal, path_key(&request)?).await?;
    Ok(Response::no_content())
}

fn written(mut fields: Fields) -> Result<OrderUpdate, Problem> {
    let update = OrderUpdate {
        level1: key(&mut fields, "workflowlevel1"),
        parent: clearable(&mut fields, "workflowlevel2_parent", row),
        level2: clearable(&mut fields, "workflowlevel2_pk", row),
        sort_array: json(&fields, "sort_array"),
    };
    fields.finish()?;
    Ok(update)
}
