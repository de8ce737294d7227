use proptest::prelude::*;

use super::*;

fn merged(core: &Value, documents: &[(&str, &str)]) -> Value {
    let included = documents.iter().map(|(name, text)| Included {
        path: name,
        prefix: name,
        document: Document::read(text).unwrap(),
    });
    merged_document(core, included)
}

fn core() -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Core"}, "security": [{"bearer": []}],
        "paths": {"/coreuser/": {"get": {}}},
        "components": {"schemas": {"User": {}}, "securitySchemes": {"bearer": {}}}
    })
}

/// Every reference in a document, with where it stands.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(reference) if name == "$ref" => found.push(reference.clone()),
                    other => references(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

const V2: &str = r##"{
  "swagger": "2.0", "info": {"title": "Products"}, "basePath": "/api", "host": "elsewhere.example",
  "consumes": ["application/json"], "produces": ["application/json", "text/csv"],
  "securityDefinitions": {"key": {"type": "apiKey"}}, "security": [{"key": []}],
  "parameters": {"Id": {"name": "id", "in": "path", "type": "integer"}},
  "responses": {"Missing": {"description": "no", "schema": {"$ref": "#/definitions/Fault"}}},
  "definitions": {
    "Product": {"type": "object", "discriminator": "kind", "properties": {
      "name": {"type": "string", "x-nullable": true, "example": {"$ref": "#/definitions/not-a-reference"}},
      "price": {"type": "number", "minimum": 0, "exclusiveMinimum": true},
      "parts": {"type": "array", "items": {"$ref": "#/definitions/Product"}},
      "nullable": {"type": "boolean"}}},
    "Fault": {"type": "object"}
  },
  "paths": {"/product/{id}/": {
    "parameters": [{"$ref": "#/parameters/Id"}],
    "get": {"operationId": "get", "tags": ["x"], "security": [],
      "parameters": [{"name": "ids", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"}],
      "responses": {"200": {"description": "ok", "schema": {"$ref": "#/definitions/Product"},
                            "headers": {"X-Total": {"type": "integer"}}},
                    "404": {"$ref": "#/responses/Missing"}}},
    "put": {"parameters": [{"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Product"}}]},
    "post": {"parameters": [{"name": "file", "in": "formData", "type": "file", "required": true},
                            {"name": "note", "in": "formData", "type": "string"}]}
  }}
}"##;

#[test]
fn a_document_of_2_0_becomes_one_of_3_1() {
    let merged = merged(&core(), &[("alpha", V2)]);
    let item = &merged["paths"]["/alpha/product/{id}/"];
    let get = &item["get"];
    assert_eq!(get["operationId"], "alpha_get");
    assert_eq!(get["tags"], json!(["alpha"]));
    assert_eq!(get["security"], Value::Null, "the gateway's own security counts");
    assert_eq!(
        get["parameters"],
        json!([
            {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "ids", "in": "query", "explode": true,
             "schema": {"type": "array", "items": {"type": "string"}}},
        ])
    );
    let product = json!({"schema": {"$ref": "#/components/schemas/alphaProduct"}});
    let content = json!({"application/json": product, "text/csv": product});
    assert_eq!(get["responses"]["200"]["content"], content);
    assert_eq!(get["responses"]["200"]["headers"]["X-Total"]["schema"], json!({"type": "integer"}));
    let fault = "#/components/schemas/alphaFault";
    assert_eq!(get["responses"]["404"]["content"]["text/csv"]["schema"]["$ref"], fault);
    assert_eq!(item["put"]["requestBody"]["required"], true);
    assert_eq!(item["put"]["requestBody"]["content"], json!({"application/json": product}));
    assert_eq!(
        item["post"]["requestBody"]["content"]["multipart/form-data"]["schema"],
        json!({"type": "object", "required": ["file"], "properties": {
            "file": {"type": "string", "format": "binary"}, "note": {"type": "string"}}})
    );
    assert_eq!(
        merged["components"]["schemas"]["alphaProduct"],
        json!({"type": "object", "discriminator": {"propertyName": "kind"}, "properties": {
            "name": {"type": ["string", "null"], "example": {"$ref": "#/components/schemas/not-a-reference"}},
            "price": {"type": "number", "exclusiveMinimum": 0},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/alphaProduct"}},
            "nullable": {"type": "boolean"}}})
    );
    assert_eq!(merged["components"]["securitySchemes"], json!({"bearer": {}}));
    assert_eq!(merged["paths"]["/coreuser/"], json!({"get": {}}));
    assert_eq!(merged["tags"], json!([{"name": "alpha", "description": "Products"}]));
}

const V3_0: &str = r##"{
  "openapi": "3.0.3", "servers": [{"url": "https://elsewhere.example/v3"}],
  "components": {
    "securitySchemes": {"key": {}},
    "parameters": {"Page": {"name": "page", "in": "query", "schema": {"type": "integer", "nullable": true}}},
    "examples": {"One": {"value": {"$ref": "#/components/schemas/Pet", "nullable": true}}},
    "schemas": {
      "Pet": {"oneOf": [{"$ref": "#/components/schemas/Cat"}],
              "discriminator": {"propertyName": "kind", "mapping": {"a": "#/components/schemas/Cat", "b": "Cat", "c": "other.json"}}},
      "Cat": {"type": "object", "properties": {"$ref": {"type": "string", "nullable": true, "enum": ["x"]},
        "far": {"$ref": "https://elsewhere.example/schema.json"}, "lost": {"$ref": "#/nowhere/x"},
        "size": {"type": "integer", "maximum": 9, "exclusiveMaximum": false}}}
    }
  },
  "paths": {
    "/pet": {"servers": [{"url": "https://elsewhere.example"}],
      "get": {"parameters": [{"$ref": "#/components/parameters/Page"}],
        "responses": {"default": {"description": "", "links": {"x": {}}, "content": {"application/json": {
          "schema": {"$ref": "#/components/schemas/Pet"}, "examples": {"one": {"$ref": "#/components/examples/One"}}}}}}}},
    "/pets": {"$ref": "#/paths/~1pet"}
  }
}"##;

#[test]
fn a_document_of_3_0_becomes_one_of_3_1() {
    let merged = merged(&core(), &[("b", V3_0)]);
    let get = &merged["paths"]["/b/pet"]["get"];
    assert_eq!(get["parameters"], json!([{"$ref": "#/components/parameters/bPage"}]));
    let answer = &get["responses"]["default"];
    assert_eq!(answer["links"], Value::Null);
    let example = &answer["content"]["application/json"]["examples"]["one"];
    assert_eq!(example, &json!({"$ref": "#/components/examples/bOne"}));
    assert_eq!(merged["paths"]["/b/pet"]["servers"], Value::Null);
    assert_eq!(merged["paths"]["/b/pets"], json!({"$ref": "#/paths/~1b~1pet"}));
    let components = &merged["components"];
    assert_eq!(components["parameters"]["bPage"]["schema"], json!({"type": ["integer", "null"]}));
    assert_eq!(
        components["examples"]["bOne"],
        json!({"value": {"$ref": "#/components/schemas/Pet", "nullable": true}}),
        "values of examples are the service's own"
    );
    let cat = "#/components/schemas/bCat";
    let mapping = &components["schemas"]["bPet"]["discriminator"]["mapping"];
    assert_eq!(mapping, &json!({"a": cat, "b": cat, "c": "other.json"}));
    assert_eq!(
        components["schemas"]["bCat"]["properties"],
        json!({"$ref": {"type": ["string", "null"], "enum": ["x", null]}, "far": {}, "lost": {},
               "size": {"type": "integer", "maximum": 9}})
    );
}

#[test]
fn names_of_two_services_never_meet() {
    let text = |schema: &str| {
        format!(
            r##"{{"openapi": "3.1.0", "components": {{"schemas": {{"{schema}": {{"title": "{schema}"}}}}}},
            "paths": {{"/x": {{"get": {{"responses": {{"200": {{"content": {{"a/b": {{"schema":
            {{"$ref": "#/components/schemas/{schema}"}}}}}}}}}}}}}}}}}}"##
        )
    };
    let (first, second) = (text("bc"), text("c"));
    let merged = merged(&core(), &[("a", &first), ("ab", &second)]);
    let schemas = merged["components"]["schemas"].as_object().unwrap();
    let reference = |path: &str| {
        let schema = &merged["paths"][path]["get"]["responses"]["200"]["content"]["a/b"]["schema"]["$ref"];
        let name = schema.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        schemas[&name]["title"].clone()
    };
    assert_eq!((reference("/a/x"), reference("/ab/x")), (json!("bc"), json!("c")));
}

#[test]
fn every_reference_of_a_merged_document_leads_somewhere() {
    let merged = merged(&core(), &[("a", V2), ("b", V3_0), ("c", V2)]);
    let mut found = Vec::new();
    references(&merged["paths"], &mut found);
    references(&merged["components"]["parameters"], &mut found);
    assert!(found.len() >= 8, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(merged.pointer(pointer).is_some(), "{reference}");
    }
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(
        shape in prop_oneof![
            Just("null"), Just("[]"), Just("{}"), Just("7"), Just(r##"{"$ref": "#/paths"}"##), Just("[7, null]"),
            Just(r##"{"a": {"$ref": "#/definitions/a"}}"##), Just(r#"{"get": {"parameters": 7, "responses": []}}"#),
        ],
        version in prop_oneof![Just("2.0"), Just("3.0.0"), Just("3.1.0")],
    ) {
        let key = if version == "2.0" { "swagger" } else { "openapi" };
        let text = format!(
            r#"{{"{key}": "{version}", "info": {shape}, "paths": {{"/a": {shape}, "b": {{"get": {shape}}}}},
            "definitions": {shape}, "components": {{"schemas": {shape}, "parameters": {{"a": {shape}}}}},
            "parameters": {shape}, "responses": {shape}, "produces": {shape}}}"#
        );
        for core in [core(), json!(7), json!({"paths": 7, "components": [], "tags": {}})] {
            let merged = merged(&core, &[("a", &text)]);
            prop_assert!(merged["paths"].is_object());
        }
    }
}
