use super::super::ParameterKind;
use super::*;

fn api(text: &str) -> Api {
    Api::read(text).unwrap()
}

const V2: &str = r##"{
  "swagger": "2.0", "info": {"title": "CRM"}, "basePath": "/api/",
  "security": [{"jwt": []}],
  "parameters": {"Page": {"name": "page", "in": "query", "type": "integer"}},
  "paths": {
    "/contact/": {
      "parameters": [{"$ref": "#/parameters/Page"}, {"name": "q", "in": "query", "type": "string"}],
      "get": {"operationId": "contact_list", "parameters": [
        {"name": "id__in", "in": "query", "type": "array", "items": {"type": "integer"}},
        {"name": "q", "in": "query", "type": "integer"},
        {"name": "X-Trace", "in": "header", "type": "string"}]},
      "post": {"security": []}
    },
    "/contact/{contact_uuid}/": {
      "parameters": [{"name": "contact_uuid", "in": "path", "required": true, "type": "string", "format": "uuid"}],
      "get": {}, "delete": {"security": [{"jwt": []}, {"key": []}]}
    },
    "x-internal": {"get": {}}, "no-slash": {"get": {}}
  }
}"##;

const V3_1: &str = r##"
openapi: 3.1.0
servers:
  - url: 'https://{host}.example.org/{base}/v3/'
    variables: {host: {default: api}, base: {default: shop}}
paths:
  /orders:
    get:
      parameters:
        - {name: ids, in: query, schema: {type: array, items: {type: string}}, explode: false}
        - name: state
          in: query
          schema: {anyOf: [{type: array}, {type: 'null'}]}
        - {name: numbers, in: query, description: Comma-separated order numbers, schema: {type: string}}
  /orders/{id}:
    $ref: '#/components/pathItems/Order'
components:
  pathItems:
    Order:
      get:
        operationId: order
        parameters: [{$ref: '#/components/parameters/Id'}]
  parameters:
    Id: {name: id, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}
  schemas:
    Id: {type: [integer, 'null']}
"##;

#[test]
fn operations_and_parameters_of_2_0_are_read() {
    let api = api(V2);
    assert_eq!((api.title.as_deref(), api.base_path.as_str()), (Some("CRM"), "/api"));
    let paths: Vec<(&Method, &str)> =
        api.operations().iter().map(|operation| (&operation.method, operation.path.as_str())).collect();
    assert_eq!(
        paths,
        [
            (&Method::GET, "/contact/"),
            (&Method::POST, "/contact/"),
            (&Method::GET, "/contact/{contact_uuid}/"),
            (&Method::DELETE, "/contact/{contact_uuid}/"),
            (&Method::GET, "/no-slash"),
        ]
    );
    let list = &api.operations()[0];
    assert_eq!(list.operation_id.as_deref(), Some("contact_list"));
    let kinds: Vec<(&str, ParameterKind)> =
        list.query_parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.kind)).collect();
    let expected =
        [("page", ParameterKind::Integer), ("id__in", ParameterKind::Array), ("q", ParameterKind::Integer)];
    assert_eq!(kinds, expected, "the operation's own `q` stands above the path's");
    assert!(list.id_list_parameter("id").unwrap().is_comma_separated);
    assert_eq!(list.id_list_parameter("uuid"), None);
    assert_eq!(list.security, Security::Schemes(vec!["jwt".to_owned()]));
    assert_eq!(api.operations()[1].security, Security::Open);
    let detail = &api.operations()[2];
    assert_eq!(detail.path_parameters[0].kind, ParameterKind::Uuid);
    let either = Security::Schemes(vec!["jwt".to_owned(), "key".to_owned()]);
    assert_eq!(api.operations()[3].security, either);
}

#[test]
fn operations_and_parameters_of_3_1_in_yaml_are_read() {
    let api = api(V3_1);
    assert_eq!(api.base_path, "/shop/v3");
    let list = &api.operations()[0];
    assert_eq!(list.security, Security::Unspecified);
    assert!(list.query_parameter("ids").unwrap().is_comma_separated);
    assert_eq!(list.query_parameter("state").unwrap().kind, ParameterKind::Array);
    assert!(!list.query_parameter("state").unwrap().is_comma_separated, "exploded is the rule in 3.x");
    assert_eq!(list.id_list_parameter("number").map(|parameter| parameter.name.as_str()), Some("numbers"));
    let detail = &api.operations()[1];
    assert_eq!(detail.operation_id.as_deref(), Some("order"));
    assert_eq!(detail.path_parameters[0].kind, ParameterKind::Integer);
}

#[test]
fn head_is_get_where_the_document_has_none() {
    let api = api(V2);
    assert_eq!(api.find(&Method::HEAD, "/contact/").unwrap().0.method, Method::GET);
    assert!(api.find(&Method::OPTIONS, "/contact/").is_none());
}

#[test]
fn the_base_path_never_leads_away() {
    for (servers, expected) in [
        (r#"[]"#, ""),
        (r#"[{"url": "/"}]"#, ""),
        (r#"[{"url": "/v1"}]"#, "/v1"),
        (r#"[{"url": "./v1/"}]"#, "/v1"),
        (r#"[{"url": "//other.example/v1"}]"#, "/v1"),
        (r#"[{"url": "https://other.example"}]"#, ""),
        (r#"[{"url": "https://other.example/a/b/"}]"#, "/a/b"),
        (r#"[{"url": "/../../admin"}]"#, ""),
        (r#"[{"url": "/a?b"}]"#, ""),
        (r#"[{"url": "/a b"}]"#, ""),
        (r#"[{"url": "/{unknown}/x"}]"#, ""),
        (r#"[{"url": 7}]"#, ""),
        (r#""no list""#, ""),
    ] {
        let api = api(&format!(r#"{{"openapi": "3.0.3", "servers": {servers}, "paths": {{}}}}"#));
        assert_eq!(api.base_path, expected, "{servers}");
    }
}

#[test]
fn circles_of_references_lead_nowhere_and_end() {
    let api = api(r##"{"openapi": "3.0.0", "paths": {
        "/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"},
        "/c": {"$ref": "#/paths/~1c"}, "/d": {"$ref": "https://elsewhere.example/x"},
        "/e": {"get": {"parameters": [{"$ref": "#/paths/~1e/get/parameters/0"}, {"$ref": "#"}, 7, null]}}
    }}"##);
    assert_eq!(api.operations().len(), 1);
    assert!(api.operations()[0].query_parameters.is_empty());
}

#[test]
fn too_many_operations_are_refused() {
    let paths: Vec<String> =
        (0..=OPERATIONS_MAX).map(|number| format!(r#""/{number}": {{"get": {{}}}}"#)).collect();
    let error =
        Api::read(&format!(r#"{{"openapi": "3.0.0", "paths": {{{}}}}}"#, paths.join(","))).unwrap_err();
    assert_eq!(error.to_string(), "the document has more operations than that; at most 20000 are read");
}
