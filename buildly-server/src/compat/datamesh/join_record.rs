//! `/datamesh/joinrecords/`: the links between records.

use buildly_core::Buildly;
use buildly_core::mesh::{JoinRecordInput, JoinRecordUpdate};
use buildly_model::PageSize;
use http::header::LINK;

use super::join_record_shape::{JoinRecordBody, JoinRecordBodyInput, ORIGIN, RELATED, filter};
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// Adds the operations on join records.
pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(
            get("/datamesh/joinrecords/", list)
                .summary("Lists the join records of the own organization")
                .description("A list that was cut says in `Link` where it goes on.")
                .query("record_id", "Only these keys, comma-separated.")
                .query("record_uuid", "Only these keys, comma-separated.")
                .query("related_record_id", "Only these keys, comma-separated.")
                .query("related_record_uuid", "Only these keys, comma-separated.")
                .query_integer("limit", "The most rows, up to 1000.")
                .query_integer("after", "Where to go on, from `Link`.")
                .answers_list::<JoinRecordBody>(200),
        )
        .add(
            post("/datamesh/joinrecords/", create)
                .summary("Links two records; an existing link is given back")
                .takes_fields::<JoinRecordBodyInput>()
                .answers::<JoinRecordBody>(201),
        )
        .add(
            get("/datamesh/joinrecords/{join_record_uuid}/", read)
                .summary("Reads a join record")
                .answers::<JoinRecordBody>(200),
        )
        .add(
            put("/datamesh/joinrecords/{join_record_uuid}/", replace)
                .summary("Replaces a join record")
                .takes_fields::<JoinRecordBodyInput>()
                .answers::<JoinRecordBody>(200),
        )
        .add(
            patch("/datamesh/joinrecords/{join_record_uuid}/", change)
                .summary("Changes a join record")
                .takes_fields::<JoinRecordBodyInput>()
                .answers::<JoinRecordBody>(200),
        )
        .add(
            delete("/datamesh/joinrecords/{join_record_uuid}/", remove)
                .summary("Removes a join record")
                .answers_nothing(204),
        )
}

/// `GET /datamesh/joinrecords/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let size = PageSize::clamped(request.query_value("limit")?.unwrap_or(PageSize::MAX));
    let after = request.query_value("after")?;
    let page = buildly.mesh().join_records(&principal, &filter(request.query())?, after, size).await?;
    let response = Response::ok(&page.records.into_iter().map(JoinRecordBody::from).collect::<Vec<_>>());
    Ok(match page.next {
        Some(next) => response.with_header(LINK, link_to(&request, next)),
        None => response,
    })
}

/// `POST /datamesh/joinrecords/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let input = JoinRecordInput {
        origin_type: fields.required_text("origin_model_name"),
        related_type: fields.required_text("related_model_name"),
        origin: ORIGIN.required_key(&mut fields),
        related: RELATED.required_key(&mut fields),
    };
    fields.finish()?;
    let created = buildly.mesh().create_join_record(&principal, input).await?;
    Ok(Response::created(&JoinRecordBody::from(created)))
}

/// `GET /datamesh/joinrecords/{join_record_uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let found = buildly.mesh().join_record(&principal, request.path("join_record_uuid")?).await?;
    Ok(Response::ok(&JoinRecordBody::from(found)))
}

/// `PUT /datamesh/joinrecords/{join_record_uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let update = JoinRecordUpdate {
        origin_type: Some(fields.required_text("origin_model_name")),
        related_type: Some(fields.required_text("related_model_name")),
        origin: Some(ORIGIN.required_key(&mut fields)),
        related: Some(RELATED.required_key(&mut fields)),
    };
    fields.finish()?;
    let id = request.path("join_record_uuid")?;
    let changed = buildly.mesh().update_join_record(&principal, id, update).await?;
    Ok(Response::ok(&JoinRecordBody::from(changed)))
}

/// `PATCH /datamesh/joinrecords/{join_record_uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let update = JoinRecordUpdate {
        origin_type: fields.text("origin_model_name"),
        related_type: fields.text("related_model_name"),
        origin: ORIGIN.key(&mut fields),
        related: RELATED.key(&mut fields),
    };
    fields.finish()?;
    let id = request.path("join_record_uuid")?;
    let changed = buildly.mesh().update_join_record(&principal, id, update).await?;
    Ok(Response::ok(&JoinRecordBody::from(changed)))
}

/// `DELETE /datamesh/joinrecords/{join_record_uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.mesh().delete_join_record(&principal, request.path("join_record_uuid")?).await?;
    Ok(Response::no_content())
}

/// The same question from another place on (RFC 8288).
fn link_to(request: &Request, next: u64) -> String {
    let query = request.uri().query().unwrap_or_default();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let query = kept.map(str::to_owned).chain([format!("after={next}")]).collect::<Vec<_>>().join("&");
    format!("<{}?{query}>; rel=\"next\"", request.uri().path())
}
