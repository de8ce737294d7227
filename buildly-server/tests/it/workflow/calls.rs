//! Calls of services: done, repeated, undone.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{World, check_history, create, entry, hire_janitor, on_both, undo};

on_both!(
    a_run_of_three_calls_completes,
    what_a_failed_run_did_is_undone_in_reverse_order,
    an_answer_that_was_lost_is_asked_for_with_the_same_key,
    items_are_worked_on_and_a_decision_is_taken,
    another_template_runs_as_a_level,
    a_level_that_failed_is_retried_by_a_person,
    an_answer_after_the_timeout_is_undone,
    records_are_read_through_the_mesh,
);

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a signed token");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn a_run_of_three_calls_completes(world: World) {
    let levels = json!([
        create("a"),
        {"name": "b", "do": {"call": {"operation": "ledger.create", "body": "{'name': levels.a.name + input.tail}"}}},
        {"name": "both", "do": {"parallel": [create("c"), create("d")]}},
        {"name": "said", "do": {"emit": {"event": "all.done", "payload": "{'b': levels.b.id, 'key': run.id}"}}},
    ]);
    world.publish("three", levels).await;
    let run = world.run("three", json!({"tail": "!"})).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["result"]["b"], "a!");
    let story = world.ledger.story();
    assert_eq!(story[..2], ["create a", "create a!"]);
    assert_eq!(story[2..].iter().collect::<BTreeSet<_>>().len(), 2);
    let me = world.root.get("/coreuser/me/").await.expect(200).json();
    for done in world.ledger.done() {
        let claims = claims(&done.token);
        assert_eq!(claims["sub"], me["core_user_uuid"], "it acts as the starter");
        assert_eq!(claims["act"]["sub"], format!("run:{}", run["id"].as_str().unwrap()));
        assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 60);
        assert_eq!(done.asked, 1);
    }
    let id = run["id"].as_str().unwrap();
    check_history(&world, id).await;

    let picture =
        world.root.get(&format!("/workflow/runs/{id}/picture/?format=text")).await.expect(200).text();
    assert!(picture.contains("a: ") && picture.contains("[completed]"), "{picture}");
    let svg = world.root.get(&format!("/workflow/runs/{id}/picture/")).await.expect(200).text();
    assert!(svg.starts_with("<svg"), "{svg}");
    let events = world.root.get(&format!("/workflow/runs/{id}/events/")).await.expect(200).text();
    assert!(events.contains("event: run\ndata: {") && events.contains("\"completed\""), "{events}");
    let history = world.root.get(&format!("/workflow/runs/{id}/history/?limit=2")).await.expect(200).json();
    assert_eq!(history["results"][0]["kind"], "workflow.run.started");
    assert!(history["next"].as_str().unwrap().contains("after=2"));
    let listed = world.root.get("/workflow/runs/?template=three&status=completed").await.expect(200).json();
    assert_eq!(listed["results"][0]["id"], id);
    let audit = world.root.get("/audit/events/?kind=workflow").await.expect(200).json();
    let kinds: Vec<&str> =
        audit["results"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    for kind in ["workflow.template.published", "workflow.run.requested", "workflow.run.finished"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    world.stop().await;
}

async fn what_a_failed_run_did_is_undone_in_reverse_order(world: World) {
    hire_janitor(&world.root).await;
    let mut levels: Vec<Value> = ["a", "b", "c"].into_iter().flat_map(entry).collect();
    levels.push(json!({"name": "last", "do": {"call": {"operation": "ledger.refuse", "body": "{}"}}}));
    world.publish("doomed", Value::Array(levels)).await;
    let run = world.run("doomed", Value::Null).await;
    assert_eq!(run["status"], "compensated", "{run}");
    assert_eq!(run["fault"]["code"], "no-credit");
    assert_eq!(run["fault"]["level"], "last");
    let expected = ["create a", "create b", "create c", "remove c", "remove b", "remove a"];
    assert_eq!(world.ledger.story(), expected);
    let janitor = claims(&world.ledger.done().last().unwrap().token);
    assert_eq!(janitor["core_user_uuid"], Value::Null, "a service account undoes: {janitor}");
    assert!(janitor["service_account_uuid"].is_string());
    let id = run["id"].as_str().unwrap();
    check_history(&world, id).await;
    let picture =
        world.root.get(&format!("/workflow/runs/{id}/picture/?format=text")).await.expect(200).text();
    assert!(picture.contains("[undone]"), "{picture}");
    world.stop().await;
}

async fn an_answer_that_was_lost_is_asked_for_with_the_same_key(world: World) {
    world.ledger.break_after("a", 2);
    world.publish("flaky", json!([create("a")])).await;
    let run = world.run("flaky", Value::Null).await;
    assert_eq!(run["status"], "completed", "{run}");
    let done = world.ledger.done();
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(done[0].asked, 3);
    world.stop().await;
}

async fn items_are_worked_on_and_a_decision_is_taken(world: World) {
    let levels = json!([
        {"name": "each", "do": {"for_each": {"items": "input.names", "at_once": 3, "level":
            {"name": "one", "do": {"call": {"operation": "ledger.create", "body": "{'name': item}", "result": "answer.body.id"}}}}}},
        {"name": "many", "do": {"decide": {"branches": [
            {"if": "size(levels.each) > 3", "level": {"name": "yes", "do": {"emit": {"event": "many", "payload": "levels.each"}}}},
        ], "otherwise": {"name": "no", "do": {"emit": {"event": "few", "payload": "'few'"}}}}}},
    ]);
    world.publish("items", levels).await;
    let names: Vec<String> = (0..7).map(|number| format!("n{number}")).collect();
    let run = world.run("items", json!({"names": names})).await;
    assert_eq!((&run["status"], &run["result"]), (&json!("completed"), &json!(names)), "{run}");
    assert_eq!(world.ledger.done().len(), 7);
    let few = world.run("items", json!({"names": ["x"]})).await;
    assert_eq!(few["result"], "few");
    world.stop().await;
}

async fn another_template_runs_as_a_level(world: World) {
    world.publish("inner", json!([create("inside"), {"name": "out", "do": {"emit": {"event": "x", "payload": "input.a + 1"}}}])).await;
    let levels = json!([
        {"name": "sub", "do": {"run": {"template": "inner", "input": "{'a': 41}"}}},
        {"name": "end", "do": {"emit": {"event": "y", "payload": "levels.sub"}}},
    ]);
    world.publish("outer", levels).await;
    let run = world.run("outer", Value::Null).await;
    assert_eq!((&run["status"], &run["result"]), (&json!("completed"), &json!(42)), "{run}");
    let path = format!("/workflow/runs/?parent={}", run["id"].as_str().unwrap());
    let children = world.root.get(&path).await.expect(200).json();
    assert_eq!(children["results"].as_array().unwrap().len(), 1);
    assert_eq!(children["results"][0]["template"], "inner");

    // Without a published version the level fails, and says what to do.
    world.root.post("/workflow/templates/inner/1/retire/", &json!({})).await.expect(200);
    let failed = world.run("outer", Value::Null).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(failed["fault"]["message"].as_str().unwrap().contains("publish"), "{failed}");
    world.stop().await;
}

async fn a_level_that_failed_is_retried_by_a_person(world: World) {
    world.ledger.break_after("a", 1);
    let level = json!({"name": "a", "do": {"call": {"operation": "ledger.create", "body": "{'name': 'a'}"}}});
    super::publish(&world.root, &json!({"name": "careful", "unhandled": "attention", "levels": [level]}))
        .await;
    let run = world.start("careful", Value::Null).await;
    let stuck = world.until(&run, "needs_attention").await;
    assert_eq!(stuck["live"].as_array().unwrap().iter().filter(|live| live["phase"] == "stuck").count(), 1);
    let retry = format!("/workflow/runs/{run}/retry/");
    let refused = world.root.post(&retry, &json!({})).await.expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("waive"), "{refused}");
    world.root.post(&retry, &json!({"waive": true})).await.expect(200);
    world.until(&run, "completed").await;
    assert_eq!(world.ledger.done().len(), 2, "a deliberate retry has a key of its own");
    check_history(&world, &run).await;
    world.stop().await;
}

async fn an_answer_after_the_timeout_is_undone(world: World) {
    hire_janitor(&world.root).await;
    let slow = json!({"name": "slow", "timeout": "200ms", "do": {"call": {
        "operation": "ledger.create", "body": "{'name': 'slow', 'pause_ms': 1000}"}}});
    // Nobody knows the entry's id then, so the undoing goes by its name.
    let mut back = undo("slow");
    back["do"]["call"]["parameters"]["name"] = json!("'slow'");
    world.publish("impatient", json!([slow, back])).await;
    let run = world.run("impatient", Value::Null).await;
    assert_eq!(run["fault"]["kind"], "timeout", "{run}");
    for _ in 0..100 {
        if world.ledger.story().len() >= 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(world.ledger.story()[..2], ["create slow", "remove slow"]);
    world.stop().await;
}

async fn records_are_read_through_the_mesh(world: World) {
    let documents = crate::recorded::RecordedService::a().await;
    let service = json!({"endpoint": documents.url(), "endpoint_name": "products", "name": "Products"});
    world.root.post("/logicmodule/", &service).await.expect(201);
    let model =
        json!({"logic_module_endpoint_name": "products", "model": "Product", "endpoint": "/product/"});
    world.root.post("/datamesh/logicmodulemodels/", &model).await.expect(201);
    world.root.get("/products/product/").await.expect(200);
    let levels = json!([
        {"name": "look", "do": {"read": {"records": "products.product", "result": "answer.status"}}},
    ]);
    world.publish("reading", levels).await;
    let run = world.run("reading", Value::Null).await;
    assert_eq!((&run["status"], &run["result"]), (&json!("completed"), &json!(200)), "{run}");
    world.stop().await;
}
