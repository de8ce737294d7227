//! Bad templates, inputs and services: each a defined outcome that says what to do.

use buildly_core::workflow::template::LEVELS_MAX;
use serde_json::{Value, json};

use super::{World, create, on_both};

on_both!(
    a_template_that_is_not_sound_is_refused_with_what_to_mend,
    an_input_that_does_not_fit_is_refused_by_field,
    a_service_that_has_gone_is_named,
    what_costs_too_much_fails_alone,
    null_characters_are_refused_by_field_or_kept_as_data,
);

async fn a_template_that_is_not_sound_is_refused_with_what_to_mend(world: World) {
    let emit = |name: &str| json!({"name": name, "do": {"emit": {"event": "x"}}});
    let nested = (0..200).fold(
        emit("leaf"),
        |inner, number| json!({"name": format!("l{number}"), "do": {"sequence": [inner]}}),
    );
    let many: Vec<Value> = (0..=LEVELS_MAX).map(|number| emit(&format!("l{number}"))).collect();
    for (case, levels, said) in [
        (
            "unknown operation",
            json!([{"name": "a", "do": {"call": {"operation": "ledger.nothing"}}}]),
            "ledger.nothing",
        ),
        (
            "unknown group",
            json!([{"name": "a", "deadline": "1h", "do": {"task": {"group": "Nobody"}}}]),
            "Nobody",
        ),
        (
            "unknown account",
            json!([{"name": "a", "as": "account:nobody", "do": {"call": {"operation": "ledger.list"}}}]),
            "nobody",
        ),
        ("dangling link", json!([{"name": "a", "after": ["b"], "do": {"sequence": []}}]), "b"),
        (
            "circle",
            json!([{"name": "p", "do": {"parallel": [
                {"name": "a", "after": ["b"], "do": {"emit": {"event": "x"}}},
                {"name": "b", "after": ["a"], "do": {"emit": {"event": "x"}}},
            ]}}]),
            "a",
        ),
        ("wrong CEL", json!([{"name": "a", "when": "input.(", "do": {"sequence": []}}]), "a"),
        ("unknown variable", json!([{"name": "a", "when": "nothing.x", "do": {"sequence": []}}]), "nothing"),
        ("needs a body", json!([{"name": "a", "do": {"call": {"operation": "ledger.create"}}}]), "body"),
        ("too many levels", Value::Array(many), "levels"),
        ("too deep", json!([nested]), "deep"),
        (
            "unbounded",
            json!([{"name": "a", "do": {"for_each": {"items": "input", "bound": 2_000_000, "level": emit("b")}}}]),
            "bound",
        ),
    ] {
        let template = json!({"name": "bad", "levels": levels});
        let refused = world.root.post("/workflow/templates/?publish=true", &template).await.expect(400);
        assert!(refused.text().contains(said), "{case}: {}", refused.text());
    }
    let wrong = json!({"name": "bad", "levels": [{"name": "a", "do": {"dance": {}}}]});
    let refused = world.root.post("/workflow/check/", &wrong).await.expect(400).json();
    assert!(refused["detail"].as_str().unwrap().contains("dance"), "{refused}");
    let checked =
        world.root.post("/workflow/check/", &json!({"name": "good", "levels": [create("a")]})).await;
    assert_eq!(checked.expect(200).json(), json!({"findings": [], "can_be_published": true}));
    let unsound =
        json!({"name": "bad", "levels": [{"name": "a", "do": {"call": {"operation": "ledger.nothing"}}}]});
    let checked = world.root.post("/workflow/check/", &unsound).await.expect(200).json();
    assert_eq!(checked["can_be_published"], false);
    let finding = &checked["findings"][0];
    assert!(finding["level"] == "a" && finding["reason"].is_string() && finding["mending"].is_string());
    world.root.send(http::Method::POST, "/workflow/templates/", None).await.expect(400);
    world.stop().await;
}

async fn an_input_that_does_not_fit_is_refused_by_field(world: World) {
    let template = json!({"name": "typed", "levels": [create("a")], "input": {
        "type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}});
    super::publish(&world.root, &template).await;
    for input in [json!({}), json!({"amount": "many"}), Value::Null, json!([1])] {
        let refused = world.root.post("/workflow/runs/", &json!({"template": "typed", "input": input})).await;
        let refused = refused.expect(400).json();
        assert!(
            refused["errors"].as_object().unwrap().keys().all(|field| field.starts_with("input")),
            "{refused}"
        );
    }
    world.root.post("/workflow/runs/", &json!({"template": "typed", "inputs": {}})).await.expect(400);
    world.root.post("/workflow/runs/", &json!({"template": "nothing"})).await.expect(404);
    world.root.get("/workflow/runs/01890a5d-ac96-774b-bcce-b302099a8057/").await.expect(404);
    world.root.get("/workflow/runs/nonsense/").await.expect(404);
    world.root.get("/workflow/tasks/nonsense/").await.expect(404);
    world.root.get("/workflow/runs/?status=happy").await.expect(400);
    assert!(world.ledger.story().is_empty());
    world.stop().await;
}

async fn a_service_that_has_gone_is_named(world: World) {
    world
        .publish(
            "gone",
            json!([{"name": "a", "do": {"call": {"operation": "ledger.create", "body": "{'name': 'a'}"}}}]),
        )
        .await;
    let services = world.root.get("/logicmodule/").await.expect(200).json();
    let id = services.as_array().unwrap()[0]["id"].clone();
    world.root.delete(&format!("/logicmodule/{id}/")).await.expect(204);
    let run = world.run("gone", Value::Null).await;
    assert_eq!((&run["status"], &run["fault"]["kind"]), (&json!("failed"), &json!("unavailable")), "{run}");
    let message = run["fault"]["message"].as_str().unwrap();
    assert!(message.contains("ledger.create") && message.contains("register"), "{message}");
    world.stop().await;
}

async fn what_costs_too_much_fails_alone(world: World) {
    let costly = json!([{"name": "a", "do": {"emit": {"event": "x",
        "payload": "input.n.map(a, input.n.map(b, input.n.map(c, input.n.map(d, a + b + c + d))))"}}}]);
    world.publish("costly", costly).await;
    world.publish("cheap", json!([create("a")])).await;
    let numbers: Vec<u32> = (0..300).collect();
    let run = world.run("costly", json!({"n": numbers})).await;
    assert_eq!((&run["status"], &run["fault"]["kind"]), (&json!("failed"), &json!("limit")), "{run}");
    let typed = json!([{"name": "a", "do": {"emit": {"event": "x", "payload": "input.n + 'text'"}}}]);
    world.publish("typed", typed).await;
    let run = world.run("typed", json!({"n": 5})).await;
    assert_eq!((&run["status"], &run["fault"]["kind"]), (&json!("failed"), &json!("expression")), "{run}");
    assert_eq!(world.run("cheap", Value::Null).await["status"], "completed");
    world.stop().await;
}

async fn null_characters_are_refused_by_field_or_kept_as_data(world: World) {
    const NULL: &str = "a\0b";
    world
        .publish("echo", json!([{"name": "said", "do": {"emit": {"event": "said", "payload": "input"}}}]))
        .await;
    world
        .publish("asked", json!([{"name": "ask", "deadline": "1h", "do": {"task": {"user": "input"}}}]))
        .await;
    for (path, field, body) in [
        ("/workflow/templates/", "name", json!({"name": NULL, "levels": []})),
        ("/workflow/templates/", "title", json!({"name": "fine", "title": NULL, "levels": []})),
        ("/workflow/runs/", "business_key", json!({"template": "echo", "business_key": NULL})),
        ("/workflow/signals/", "business_key", json!({"business_key": NULL, "name": "go"})),
        ("/workflow/signals/", "name", json!({"business_key": "b", "name": NULL})),
        ("/workflow/signals/", "key", json!({"business_key": "b", "name": "go", "key": NULL})),
    ] {
        let refused = world.root.post(path, &body).await.expect(400).json();
        assert!(refused["errors"].get(field).is_some(), "{path} {field}: {refused}");
    }
    world.root.post("/workflow/runs/", &json!({"template": NULL})).await.expect(404);
    world.root.get("/workflow/templates/a%00b/").await.expect(404);
    for list in ["runs/?template=a%00b", "runs/?business_key=a%00b", "templates/?name=a%00b"] {
        let none = world.root.get(&format!("/workflow/{list}")).await.expect(200).json();
        assert_eq!(none["results"], json!([]), "{list}");
    }
    let kept = world.run("echo", json!({NULL: NULL})).await;
    assert_eq!(kept["result"], json!({NULL: NULL}), "data is kept as it is");
    let asked = world.run("asked", json!(NULL)).await;
    assert_eq!(asked["status"], "failed", "nobody is called so: {asked}");
    world.stop().await;
}
