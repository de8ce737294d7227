//! The OpenAPI 3.1 document of a service, made from what it declares.

use http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, ParameterStyle, Paths,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, KnownFormat, OpenApiBuilder, Ref, Required};

use crate::list::{filter_names, order_names};
use crate::operation::Route;
use crate::service::Declaration;
use crate::shape::Shape;
use crate::value::Kind;

const SECURITY: &str = "token";

/// The document; its schemas are those of the structs, and what every record has beside them.
pub(crate) fn document(declaration: &Declaration, shapes: &[Shape], routes: &[Route]) -> Value {
    let mut paths = Paths::new();
    for shape in shapes {
        let list = format!("/{}/", shape.record_type.plural);
        let detail = format!("{list}{{id}}/");
        for (method, is_detail, operation) in operations(shape) {
            paths.add_path_operation(if is_detail { &detail } else { &list }, vec![method], operation);
        }
    }
    for route in routes {
        if let Some(method) = method_of(&route.method) {
            paths.add_path_operation(route.path, vec![method], route.document.clone());
        }
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title(declaration.title)
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(declaration.description))
                .build(),
        )
        .paths(paths)
        .components(Some(
            ComponentsBuilder::new().security_scheme(SECURITY, SecurityScheme::Http(bearer)).build(),
        ))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(SECURITY, [])]))
        .build();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        schemas.insert("schemas".to_owned(), Value::Object(all_schemas(shapes)));
    }
    document
}

/// Three of each record type: as it is shown, as it is written, and as it is changed.
fn all_schemas(shapes: &[Shape]) -> Map<String, Value> {
    let mut schemas = Map::new();
    for shape in shapes {
        schemas.extend(shape.schemas.iter().cloned());
        let properties: Map<String, Value> =
            shape.fields.iter().map(|field| (field.name.clone(), field.schema.clone())).collect();
        let required: Vec<&str> =
            shape.fields.iter().filter(|field| field.is_required).map(|field| field.name.as_str()).collect();
        let own = json!({
            "id": {"type": "string", "format": "uuid", "readOnly": true, "description": "The key."},
            "version": {"type": "integer", "format": "int64", "readOnly": true, "description": "How often it has been written; the entity tag."},
            "created_at": {"type": "string", "format": "date-time", "readOnly": true},
            "updated_at": {"type": "string", "format": "date-time", "readOnly": true},
        });
        let mut shown = properties.clone();
        shown.extend(own.as_object().cloned().unwrap_or_default());
        let mut always = vec!["id", "version", "created_at", "updated_at"];
        always.extend(shape.fields.iter().map(|field| field.name.as_str()));
        let description = &shape.description;
        let name = &shape.schema_name;
        schemas.insert(
            name.clone(),
            json!({"type": "object", "description": description, "properties": shown, "required": always}),
        );
        schemas.insert(
            format!("{name}Write"),
            json!({"type": "object", "description": description, "properties": properties, "required": required, "additionalProperties": false}),
        );
        schemas.insert(
            format!("{name}Change"),
            json!({"type": "object", "description": description, "properties": properties, "additionalProperties": false}),
        );
    }
    schemas.insert("Problem".to_owned(), problem_schema());
    schemas
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {
                "type": "object",
                "description": "Each refused field with its sentences.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
            "conflicts_with": {
                "type": "string",
                "format": "uuid",
                "description": "The record that has the time already.",
            },
        },
    })
}

fn operations(shape: &Shape) -> Vec<(HttpMethod, bool, Operation)> {
    let (name, plural) = (shape.record_type.name, shape.record_type.plural);
    let schema = shape.schema_name.as_str();
    let begin = |verb: &str, summary: String| {
        OperationBuilder::new()
            .tag(plural)
            .operation_id(Some(format!("{verb}_{}", if verb == "list" { plural } else { name })))
            .summary(Some(summary))
    };
    let mut list = begin("list", format!("A page of {plural}."));
    for parameter in list_parameters(shape) {
        list = list.parameter(parameter);
    }
    let page = ResponseBuilder::new()
        .description("A page.")
        .content("application/json", ContentBuilder::new().schema(Some(page_schema(schema))).build());
    let detail = |verb: &str, summary: String| begin(verb, summary).parameter(key_parameter());
    let found = || response("The record.", schema);
    let mut operations = vec![
        (HttpMethod::Get, false, problems(list.response("200", page.build())).build()),
        (
            HttpMethod::Get,
            true,
            problems(detail("read", format!("One {name}.")).response("200", found())).build(),
        ),
    ];
    if shape.record_type.is_read_only {
        return operations;
    }
    let write = format!("{schema}Write");
    operations.extend([
        (
            HttpMethod::Post,
            false,
            problems(
                begin("create", format!("Make a {name}."))
                    .parameter(header_parameter("Idempotency-Key", "Repeating the request with the same key gives the same answer and makes nothing twice; kept for 24 hours."))
                    .request_body(Some(request_body(&write)))
                    .response("201", found()),
            )
            .build(),
        ),
        (
            HttpMethod::Put,
            true,
            problems(
                detail("replace", format!("Replace a {name}, or make it under this id."))
                    .parameter(header_parameter("If-Match", "The entity tag of the version that is replaced."))
                    .parameter(header_parameter("If-None-Match", "`*`: only if there is none yet."))
                    .request_body(Some(request_body(&write)))
                    .response("200", found())
                    .response("201", found()),
            )
            .build(),
        ),
        (
            HttpMethod::Patch,
            true,
            problems(
                detail("change", format!("Change some fields of a {name}."))
                    .parameter(header_parameter("If-Match", "The entity tag of the version that is changed."))
                    .request_body(Some(request_body(&format!("{schema}Change"))))
                    .response("200", found()),
            )
            .build(),
        ),
        (
            HttpMethod::Delete,
            true,
            problems(
                detail("delete", format!("Delete a {name}."))
                    .parameter(header_parameter("If-Match", "The entity tag of the version that is deleted."))
                    .response("204", Response::new("It is gone.")),
            )
            .build(),
        ),
    ]);
    operations
}

/// The answer that every operation may give instead.
fn problems(operation: OperationBuilder) -> OperationBuilder {
    let problem = ResponseBuilder::new().description("What went wrong.").content(
        "application/problem+json",
        ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
    );
    operation.response("default", problem.build())
}

fn response(description: &str, schema: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

fn request_body(schema: &str) -> RequestBody {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
}

fn page_schema(schema: &str) -> Object {
    let link = || {
        ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::SchemaType::from_iter([Type::String, Type::Null]))
    };
    ObjectBuilder::new()
        .property("next", link().description(Some("The next page, if there is one.")))
        .property("previous", link().description(Some("The page before, if there is one.")))
        .property("results", ArrayBuilder::new().items(Ref::from_schema_name(schema)))
        .required("next")
        .required("previous")
        .required("results")
        .build()
}

fn list_parameters(shape: &Shape) -> Vec<Parameter> {
    let query = |name: &str, description: String| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
    };
    let mut parameters = Vec::new();
    for (name, kind, is_list) in filter_names(shape) {
        let field = name.split("__").next().unwrap_or(&name).to_owned();
        let parameter = if is_list {
            query(&name, format!("Only where `{field}` is one of these, comma-separated."))
                .schema(Some(ArrayBuilder::new().items(scalar(kind))))
                .style(Some(ParameterStyle::Form))
                .explode(Some(false))
        } else {
            let what = match name.split_once("__").map(|(_, operator)| operator) {
                Some("gte") => "is at least this",
                Some("lte") => "is at most this",
                Some("isnull") => "is missing (true) or present (false)",
                _ => "is this",
            };
            query(&name, format!("Only where `{field}` {what}.")).schema(Some(scalar(kind)))
        };
        parameters.push(parameter.build());
    }
    if !shape.record_type.searchable.is_empty() {
        let fields = shape.record_type.searchable.join("`, `");
        let description = format!("Only where each word is found in `{fields}`.");
        parameters.push(query("search", description).schema(Some(scalar(Kind::Text))).build());
    }
    let names = order_names(shape).join("`, `");
    let ordering = format!("Fields to order by, comma-separated, `-` turns one round: `{names}`.");
    parameters.push(query("ordering", ordering).schema(Some(scalar(Kind::Text))).build());
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(1000));
    parameters.push(query("limit", "How many records a page holds.".to_owned()).schema(Some(limit)).build());
    let cursor = "Where the page begins: from a `next` or `previous` link.".to_owned();
    parameters.push(query("cursor", cursor).schema(Some(scalar(Kind::Text))).build());
    parameters
}

fn key_parameter() -> Parameter {
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(scalar(Kind::Uuid)))
        .build()
}

fn header_parameter(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(scalar(Kind::Text)))
        .build()
}

fn scalar(kind: Kind) -> Object {
    let (name, format) = match kind {
        Kind::Text | Kind::Json => (Type::String, None),
        Kind::Uuid => (Type::String, Some(KnownFormat::Uuid)),
        Kind::Instant => (Type::String, Some(KnownFormat::DateTime)),
        Kind::Integer => (Type::Integer, Some(KnownFormat::Int64)),
        Kind::Number => (Type::Number, Some(KnownFormat::Double)),
        Kind::Boolean => (Type::Boolean, None),
    };
    ObjectBuilder::new().schema_type(name).format(format.map(SchemaFormat::KnownFormat)).build()
}

fn method_of(method: &Method) -> Option<HttpMethod> {
    match *method {
        Method::GET => Some(HttpMethod::Get),
        Method::POST => Some(HttpMethod::Post),
        Method::PUT => Some(HttpMethod::Put),
        Method::PATCH => Some(HttpMethod::Patch),
        Method::DELETE => Some(HttpMethod::Delete),
        _ => None,
    }
}
