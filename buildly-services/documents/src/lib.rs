//! Documents: what is known about them, their folders, their versions, and their content on disk.
//!
//! A version never changes. Its content is a file named by its SHA-256, below a folder of its
//! organization, so the same content is kept once, and what is read can be checked. Content
//! streams to and from disk; no request holds more than one piece of it.
//!
//! Documents and folders are open to the whole organization unless somebody restricts them;
//! what is in a folder follows it. Documents are shared with users, not with groups: a token
//! names its user, and groups are the core's to know. See `buildly_kit`'s `restrictable`.

mod content;
mod document;
mod download;
mod folder;
mod limits;
mod range;
mod remove;
mod sweep;
mod upload;

use std::path::Path;
use std::sync::Arc;

use buildly_kit::Declaration;
use http::Method;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Content as MediaType, Ref, Required};

pub use content::Content;
pub use document::{Document, Version};
pub use folder::Folder;
pub use limits::{CONTENT_BYTES_MAX, Limits, ORGANIZATION_BYTES_MAX};

/// The version of the service's tables: counted up when a field, a record type or a rule is
/// added. 2: folders and sharing.
const SCHEMA_VERSION: u32 = 2;

/// The service, with content in the folder `folder` within these limits. What a crash left
/// behind there is removed once the service is open.
///
/// # Errors
/// If the folder cannot be made or written to, or another process has it.
pub fn declaration(folder: &Path, limits: Limits) -> std::io::Result<Declaration> {
    let content = Arc::new(Content::open(folder, limits)?);
    let download = |what: &str, summary: &str| {
        begin(what, summary).response("200", bytes("The content.")).response("206", bytes("A range of it."))
    };
    Ok(Declaration::new("documents", "Documents", "Documents in folders, their versions and their content.")
        .schema_version(SCHEMA_VERSION)
        .at_start(sweep::Sweep { content: Arc::clone(&content) })
        .record::<Folder>()
        .record::<Document>()
        .record::<Version>()
        .operation(
            Method::PUT,
            "/documents/{id}/content/",
            begin(
                "upload_content",
                "Keep the body as the newest version; the same content again makes no new one.",
            )
            .request_body(Some(any_body()))
            .response("200", version("The newest version has this content already."))
            .response("201", version("The new version.")),
            upload::Upload { content: Arc::clone(&content) },
        )
        .operation(
            Method::GET,
            "/documents/{id}/content/",
            download("download_content", "The content of the newest version."),
            download::Newest { content: Arc::clone(&content) },
        )
        .operation(
            Method::GET,
            "/versions/{id}/content/",
            download("download_version", "The content of one version."),
            download::OfVersion { content: Arc::clone(&content) },
        )
        .operation(
            Method::DELETE,
            "/documents/{id}/",
            begin("delete_document", "Delete a document with its versions and their content.")
                .response("204", Response::new("It is gone.")),
            remove::Remove { content },
        ))
}

fn begin(id: &str, summary: &str) -> OperationBuilder {
    let uuid = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    let key = ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).format(Some(uuid))));
    OperationBuilder::new().tag("content").operation_id(Some(id)).summary(Some(summary)).parameter(key)
}

fn any_body() -> utoipa::openapi::request_body::RequestBody {
    utoipa::openapi::request_body::RequestBodyBuilder::new()
        .content("*/*", MediaType::builder().build())
        .required(Some(Required::True))
        .build()
}

fn bytes(description: &str) -> Response {
    utoipa::openapi::ResponseBuilder::new()
        .description(description)
        .content("*/*", MediaType::builder().build())
        .build()
}

fn version(description: &str) -> Response {
    let schema = MediaType::builder().schema(Some(Ref::from_schema_name("Version"))).build();
    utoipa::openapi::ResponseBuilder::new()
        .description(description)
        .content("application/json", schema)
        .build()
}
