//! Describing an operation for the OpenAPI document.

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Required, ResponseBuilder, Schema};

use super::Operation;

/// Named schemas that an operation refers to.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

impl Operation {
    /// What it does, in a few words.
    #[must_use]
    pub fn summary(self, summary: &'static str) -> Self {
        self.described(|entry| entry.summary(Some(summary)))
    }

    /// What there is to know beside the summary.
    #[must_use]
    pub fn description(self, description: &'static str) -> Self {
        self.described(|entry| entry.description(Some(description)))
    }

    /// A text parameter of the query.
    #[must_use]
    pub fn query(self, name: &'static str, description: &'static str) -> Self {
        let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build();
        self.parameter(name, description, text)
    }

    /// A whole number in the query.
    #[must_use]
    pub fn query_integer(self, name: &'static str, description: &'static str) -> Self {
        let integer = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).build();
        self.parameter(name, description, integer)
    }

    fn parameter(self, name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .description(Some(description))
            .required(Required::False)
            .schema(Some(schema));
        self.described(|entry| entry.parameter(parameter))
    }

    /// A JSON body of a type.
    #[must_use]
    pub fn takes<T: ToSchema>(self) -> Self {
        self.takes_as::<T>(&["application/json"])
    }

    /// A document of any shape, as JSON or YAML; the description says which.
    #[must_use]
    pub fn takes_document(self) -> Self {
        let object = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).build();
        let content = ContentBuilder::new().schema(Some(RefOr::from(object))).build();
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content("application/json", content.clone())
            .content("application/yaml", content);
        self.described(|entry| entry.request_body(Some(body.build())))
    }

    /// A body of a type, as JSON or as a form.
    #[must_use]
    pub fn takes_fields<T: ToSchema>(self) -> Self {
        self.takes_as::<T>(&["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
    }

    /// A body of a type, as a form only.
    #[must_use]
    pub fn takes_form<T: ToSchema>(self) -> Self {
        self.takes_as::<T>(&["application/x-www-form-urlencoded", "multipart/form-data"])
    }

    fn takes_as<T: ToSchema>(mut self, media_types: &[&str]) -> Self {
        let schema = self.reference::<T>();
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        for media_type in media_types {
            body = body.content(*media_type, ContentBuilder::new().schema(Some(schema.clone())).build());
        }
        self.described(|entry| entry.request_body(Some(body.build())))
    }

    /// Answers one value of a type.
    #[must_use]
    pub fn answers<T: ToSchema>(mut self, status: u16) -> Self {
        let schema = self.reference::<T>();
        self.answers_as(status, "application/json", Some(schema))
    }

    /// Answers a plain list of a type.
    #[must_use]
    pub fn answers_list<T: ToSchema>(mut self, status: u16) -> Self {
        let list = ArrayBuilder::new().items(self.reference::<T>()).build();
        self.answers_as(status, "application/json", Some(list.into()))
    }

    /// Answers a page of a type: `next`, `previous`, `results`.
    #[must_use]
    pub fn answers_page<T: ToSchema>(mut self, status: u16) -> Self {
        let list = ArrayBuilder::new().items(self.reference::<T>()).build();
        let url =
            || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null])).build();
        let page = ObjectBuilder::new()
            .property("next", url())
            .property("previous", url())
            .property("results", list)
            .required("results")
            .build();
        self.answers_as(status, "application/json", Some(page.into()))
    }

    /// Answers a JSON object whose fields the description names.
    #[must_use]
    pub fn answers_object(self, status: u16) -> Self {
        let object = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).build();
        self.answers_as(status, "application/json", Some(object.into()))
    }

    /// Answers something that is no JSON.
    #[must_use]
    pub fn answers_media(self, status: u16, media_type: &'static str) -> Self {
        self.answers_as(status, media_type, None)
    }

    /// Answers nothing but a status.
    #[must_use]
    pub fn answers_nothing(mut self, status: u16) -> Self {
        self.has_answer = true;
        let response = ResponseBuilder::new().description(reason(status));
        self.described(|entry| entry.response(status.to_string(), response))
    }

    fn answers_as(mut self, status: u16, media_type: &str, schema: Option<RefOr<Schema>>) -> Self {
        self.has_answer = true;
        let content = ContentBuilder::new().schema(schema).build();
        let response = ResponseBuilder::new().description(reason(status)).content(media_type, content);
        self.described(|entry| entry.response(status.to_string(), response))
    }

    fn described(mut self, describe: impl FnOnce(OperationBuilder) -> OperationBuilder) -> Self {
        self.entry = describe(OperationBuilder::from(self.entry)).build();
        self
    }

    /// An example of the body, where the type alone does not say enough, is part of its schema.
    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name();
        if is_plain(&name) {
            return T::schema();
        }
        self.schemas.push((name.to_string(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(name).into()
    }
}

/// Whether a schema is too small to get a name of its own.
fn is_plain(name: &str) -> bool {
    name.chars().next().is_none_or(|first| !first.is_uppercase())
        || ["String", "Value", "Vec"].contains(&name)
}

/// The reason phrase of a status, which is all there is to say about most.
fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Answer")
}

/// The schema of a problem (RFC 9457).
pub(super) fn problem_schema() -> Value {
    serde_json::json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "A sentence that a person understands."},
            "errors": {
                "type": "object",
                "description": "For each refused field, why.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}}
            }
        }
    })
}
