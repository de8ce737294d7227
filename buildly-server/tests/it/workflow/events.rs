//! Runs that events start: reported from outside, or emitted by other runs.

use serde_json::{Value, json};

use super::{World, on_both};
use crate::mesh_world;

on_both!(
    a_report_starts_a_run_of_each_template_that_names_it,
    a_run_starts_others_by_what_it_emits,
    runs_that_start_each_other_come_to_an_end,
    what_starts_a_run_is_checked_before_it_is_published,
);

async fn publish(world: &World, template: &Value) {
    world.root.post("/workflow/templates/?publish=true", template).await.expect(201);
}

/// A template that ends with what its run was given.
fn echo(name: &str, starts: Value) -> Value {
    json!({"name": name, "starts": starts, "levels": [{"name": "said", "do": {"emit": {"event": "said", "payload": "input"}}}]})
}

async fn runs_of(world: &World, template: &str) -> Vec<Value> {
    let runs = world.root.get(&format!("/workflow/runs/?template={template}")).await.expect(200).json();
    runs["results"].as_array().unwrap().clone()
}

async fn a_report_starts_a_run_of_each_template_that_names_it(world: World) {
    publish(&world, &echo("every", json!([{"event": "order.placed"}]))).await;
    let large =
        json!([{"event": "order.placed", "when": "event.amount > 100", "input": "{'sum': event.amount}"}]);
    publish(&world, &echo("large", large)).await;
    let mut strict = echo("strict", json!([{"event": "order.placed"}]));
    strict["input"] = json!({"type": "object", "required": ["customer"]});
    publish(&world, &strict).await;
    publish(&world, &echo("other", json!([{"event": "order.paid"}]))).await;

    let report = json!({"event": "order.placed", "key": "4711", "payload": {"amount": 500}});
    let heard = world.root.post("/workflow/events/", &report).await.expect(202).json();
    let runs: Vec<String> = serde_json::from_value(heard["runs"].clone()).unwrap();
    assert_eq!(runs.len(), 2, "{heard}");
    assert_eq!(heard["refused"][0]["template"], "strict");
    assert!(heard["refused"][0]["reason"].as_str().unwrap().contains("customer"), "{heard}");
    let mut results = Vec::new();
    for run in &runs {
        results.push(world.until(run, "completed").await["result"].clone());
    }
    assert_eq!(results, [json!({"amount": 500}), json!({"sum": 500})]);

    let again = world.root.post("/workflow/events/", &report).await.expect(202).json();
    assert_eq!(again["runs"], heard["runs"], "the same report starts nothing anew");
    let small = json!({"event": "order.placed", "payload": {"amount": 1}});
    let heard = world.root.post("/workflow/events/", &small).await.expect(202).json();
    assert_eq!(heard["runs"].as_array().unwrap().len(), 1, "{heard}");
    let odd = json!({"event": "order.placed", "payload": {"amount": "many"}});
    let heard = world.root.post("/workflow/events/", &odd).await.expect(202).json();
    let large = heard["refused"].as_array().unwrap().iter().find(|refused| refused["template"] == "large");
    assert!(large.is_some(), "a condition without a value is named: {heard}");
    let nobody = world.root.post("/workflow/events/", &json!({"event": "unheard"})).await.expect(202).json();
    assert_eq!(nobody, json!({"runs": [], "refused": []}));

    let zed = mesh_world::register(&world.server, "zed", "Zeta").await;
    let theirs = zed.post("/workflow/events/", &report).await.expect(202).json();
    assert_eq!(theirs, json!({"runs": [], "refused": []}), "templates of others do not hear it");
    world.server.client.post("/workflow/events/", &report).await.expect(401);
    let nameless = world.root.post("/workflow/events/", &json!({"event": ""})).await.expect(400).json();
    assert!(nameless["errors"]["event"].is_string() || nameless["errors"]["event"].is_array(), "{nameless}");
    assert_eq!(runs_of(&world, "every").await.len(), 3);
    world.stop().await;
}

async fn a_run_starts_others_by_what_it_emits(world: World) {
    publish(&world, &echo("follow_up", json!([{"event": "contact.created"}]))).await;
    let source = json!({"name": "source", "levels": [
        {"name": "tell", "do": {"emit": {"event": "contact.created", "payload": "{'name': input.name}"}}},
    ]});
    publish(&world, &source).await;
    let run = world.run("source", json!({"name": "Ada"})).await;
    assert_eq!(run["status"], "completed");
    let followed = runs_of(&world, "follow_up").await;
    assert_eq!(followed.len(), 1);
    let id = followed[0]["id"].as_str().unwrap();
    let ended = world.until(id, "completed").await;
    assert_eq!((&ended["result"], &ended["starter"]), (&json!({"name": "Ada"}), &run["starter"]));
    world.stop().await;
}

async fn runs_that_start_each_other_come_to_an_end(world: World) {
    let circle = json!({"name": "circle", "starts": [{"event": "again"}], "levels": [
        {"name": "tell", "do": {"emit": {"event": "again"}}},
    ]});
    publish(&world, &circle).await;
    world.start("circle", Value::Null).await;
    let refusal = loop {
        let events = world.root.get("/audit/events/?kind=workflow.start.refused").await.expect(200).json();
        if let Some(event) = events["results"].as_array().unwrap().first() {
            break event.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(refusal.to_string().contains("break the circle"), "{refusal}");
    let runs = runs_of(&world, "circle").await;
    assert_eq!(runs.len(), 17, "somebody started the first, events the others");
    world.stop().await;
}

async fn what_starts_a_run_is_checked_before_it_is_published(world: World) {
    for (case, starts, said) in [
        ("no run to read", json!([{"event": "x", "when": "input.a"}]), "input"),
        ("no name", json!([{"event": ""}]), "name of an event"),
        ("not CEL", json!([{"event": "x", "input": "event.("}]), "CEL"),
        ("not a condition", json!([{"event": "x", "when": "'yes'"}]), "true or false"),
        ("unknown member", json!([{"event": "x", "whenever": "true"}]), "whenever"),
    ] {
        let refused = world.root.post("/workflow/templates/?publish=true", &echo("bad", starts)).await;
        assert!(refused.expect(400).text().contains(said), "{case}");
    }
    world.stop().await;
}
