//! One operation of a document.

use http::Method;

/// One operation: a method on a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path as the document has it, such as `/contacts/{id}/`.
    pub path: String,
    /// The document's name for it.
    pub operation_id: Option<String>,
    /// The parameters in the path, in the order of the path.
    pub path_parameters: Vec<Parameter>,
    /// The parameters in the query, in the order of the document.
    pub query_parameters: Vec<Parameter>,
    /// The parameters in headers, in the order of the document.
    pub header_parameters: Vec<Parameter>,
    /// Whether the call is refused without a body.
    pub needs_body: bool,
    /// What it asks of the caller.
    pub security: Security,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ParameterKind,
    /// Whether the call is refused without it.
    pub required: bool,
    /// Whether it takes several values separated by commas: an array that is not exploded, or
    /// a text whose description says so.
    pub is_comma_separated: bool,
}

/// What a parameter holds, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A UUID.
    Uuid,
    /// A whole number.
    Integer,
    /// Another text or number, or not said.
    Text,
    /// A list.
    Array,
}

/// What an operation asks of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// The document does not say.
    Unspecified,
    /// Nothing: the document says that the operation is open.
    Open,
    /// One of these named schemes, or, in the document, combinations of them.
    Schemes(Vec<String>),
}

impl Operation {
    /// The query parameter by which several records can be asked for by `key` at once:
    /// `{key}__in`, `{key}s` or `ids`, an array or described as comma-separated.
    #[must_use]
    pub fn id_list_parameter(&self, key: &str) -> Option<&Parameter> {
        let names = [format!("{key}__in"), format!("{key}s"), "ids".to_owned()];
        names.iter().find_map(|name| {
            self.query_parameters
                .iter()
                .find(|parameter| parameter.name == *name)
                .filter(|parameter| parameter.kind == ParameterKind::Array || parameter.is_comma_separated)
        })
    }

    /// A query parameter by name.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<&Parameter> {
        self.query_parameters.iter().find(|parameter| parameter.name == name)
    }
}
