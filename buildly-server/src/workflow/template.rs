//! `/workflow/templates/`: drafts, checks, publishing.

use buildly_core::Buildly;
use buildly_core::workflow::{Finding, ParseError, Template, TemplateFilter, template as format};
use serde_json::{Value, json};

use super::shape::TemplateBody;
use super::{after, next, picture};
use crate::route::{delete, get, post};
use crate::{Problem, Request, Response, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .add(
            get("/workflow/templates/", list)
                .summary("Lists versions of templates, newest first")
                .query("name", "Only versions of this name")
                .query("status", "Only versions that are `draft`, `published` or `retired`")
                .query_integer("limit", "How many on a page")
                .query("cursor", "Where the page begins, as `next` says it")
                .answers_page::<TemplateBody>(200),
        )
        .add(
            post("/workflow/templates/", save)
                .summary("Saves a template as a draft")
                .description(
                    "JSON or YAML, see `/workflow/schema/`. The newest draft of that name is replaced; \
                     a version that is published never changes. With `?publish=true` it is published at once.",
                )
                .query("publish", "`true`: publish it at once")
                .takes_document()
                .answers::<TemplateBody>(201),
        )
        .add(
            post("/workflow/check/", check)
                .summary("Says what is wrong with a template")
                .description("As it would be published now: `findings` with level, reason and mending.")
                .takes_document()
                .answers_object(200),
        )
        .add(
            get("/workflow/schema/", schema)
                .summary("The JSON Schema of templates")
                .answers_object(200)
                .public(),
        )
        .add(
            get("/workflow/templates/{name}/", read_newest)
                .summary("Reads the newest published version")
                .answers::<TemplateBody>(200),
        )
        .add(
            get("/workflow/templates/{name}/{version}/", read)
                .summary("Reads a version")
                .answers::<TemplateBody>(200),
        )
        .add(
            delete("/workflow/templates/{name}/{version}/", remove)
                .summary("Removes a draft")
                .answers_nothing(204),
        )
        .add(
            post("/workflow/templates/{name}/{version}/publish/", publish)
                .summary("Publishes a draft: runs can be made of it, and it never changes")
                .description("400 with `findings` if it is not sound.")
                .answers::<TemplateBody>(200),
        )
        .add(
            post("/workflow/templates/{name}/{version}/retire/", retire)
                .summary("Retires a version: its runs go on, no new ones are made of it")
                .answers::<TemplateBody>(200),
        )
        .add(
            get("/workflow/templates/{name}/{version}/picture/", draw)
                .summary("Draws a version")
                .query("format", "`svg` (the default), `mermaid` or `text`")
                .answers_media(200, "image/svg+xml"),
        )
}

/// A template out of a document; a sentence or findings if it is none.
pub(crate) fn template_of(document: &Value) -> Result<Template, Problem> {
    Template::from_value(document).map_err(|error: ParseError| Problem::field("template", error.to_string()))
}

/// `GET /workflow/templates/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let name = request.query().first("name").filter(|name| !name.is_empty()).map(str::to_owned);
    let filter = TemplateFilter { name, status: request.query_value("status")? };
    let size = request.page_size()?.rows();
    let rows = buildly.workflow().templates(&principal, &filter, after(&request)?, size).await?;
    let next = next(&rows);
    let results: Vec<_> = rows.rows.into_iter().map(TemplateBody::summary).collect();
    Ok(Response::page(&request, &results, next.as_ref()))
}

/// `POST /workflow/templates/`
async fn save(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let template = template_of(&request.document().await?)?;
    let mut stored = buildly.workflow().save_draft(&principal, &template).await?;
    if request.query_value("publish")?.unwrap_or(false) {
        stored = buildly.workflow().publish(&principal, &stored.name, Some(stored.version)).await?;
    }
    Ok(Response::created(&TemplateBody::whole(stored)))
}

/// `POST /workflow/check/`
async fn check(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let template = template_of(&request.document().await?)?;
    let findings = buildly.workflow().check(&principal, &template).await?;
    let can_be_published = !findings.iter().any(Finding::is_error);
    Ok(Response::ok(&json!({"findings": findings, "can_be_published": can_be_published})))
}

/// `GET /workflow/schema/`
async fn schema(_: &Buildly, _: Request) -> Result<Response, Problem> {
    Ok(Response::ok(&format::json_schema()))
}

/// `GET /workflow/templates/{name}/`
async fn read_newest(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let stored = buildly.workflow().template(&principal, request.path_text("name"), None).await?;
    Ok(Response::ok(&TemplateBody::whole(stored)))
}

/// `GET /workflow/templates/{name}/{version}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let version = request.path("version")?;
    let stored = buildly.workflow().template(&principal, request.path_text("name"), Some(version)).await?;
    Ok(Response::ok(&TemplateBody::whole(stored)))
}

/// `DELETE /workflow/templates/{name}/{version}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let version = request.path("version")?;
    buildly.workflow().delete_draft(&principal, request.path_text("name"), version).await?;
    Ok(Response::no_content())
}

/// `POST /workflow/templates/{name}/{version}/publish/`
async fn publish(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let version = Some(request.path("version")?);
    let stored = buildly.workflow().publish(&principal, request.path_text("name"), version).await?;
    Ok(Response::ok(&TemplateBody::whole(stored)))
}

/// `POST /workflow/templates/{name}/{version}/retire/`
async fn retire(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let version = request.path("version")?;
    let stored = buildly.workflow().retire(&principal, request.path_text("name"), version).await?;
    Ok(Response::ok(&TemplateBody::whole(stored)))
}

/// `GET /workflow/templates/{name}/{version}/picture/`
async fn draw(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let format = request.query_value("format")?.unwrap_or_default();
    let version = request.path("version")?;
    let stored = buildly.workflow().template(&principal, request.path_text("name"), Some(version)).await?;
    let document = serde_json::from_str(&stored.document).unwrap_or_default();
    Ok(picture::draw(&template_of(&document)?, &Default::default(), format))
}
