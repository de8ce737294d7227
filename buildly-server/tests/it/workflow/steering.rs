//! Runs steered by people and by signals; templates through their life.

use serde_json::{Value, json};

use super::{World, check_history, create, entry, hire_janitor, on_both, publish};
use crate::mesh_world;

on_both!(
    a_signal_is_kept_until_somebody_waits_for_it,
    a_run_is_paused_resumed_and_cancelled,
    a_template_is_drafted_published_and_retired,
    a_start_with_the_same_key_is_the_same_run,
    nothing_crosses_an_organization,
);

async fn a_signal_is_kept_until_somebody_waits_for_it(world: World) {
    let levels = json!([
        {"name": "pause", "do": {"wait": {"for": "1s"}}},
        {"name": "listen", "deadline": "1h", "do": {"wait": {"signal": {"name": "go"}}}},
        {"name": "again", "deadline": "2s", "do": {"wait": {"signal": {"name": "go", "default": "'nothing'"}}}},
        {"name": "end", "do": {"emit": {"event": "x", "payload": "[levels.listen, levels.again]"}}},
    ]);
    world.publish("listening", levels).await;
    let start = json!({"template": "listening", "business_key": "order-7"});
    let run = world.root.post("/workflow/runs/", &start).await.expect(201).json();
    let id = run["id"].as_str().unwrap();
    let signal = json!({"business_key": "order-7", "name": "go", "key": "one", "payload": 5});
    for _ in 0..3 {
        let kept = world.root.post("/workflow/signals/", &signal).await.expect(202).json();
        assert_eq!(kept["runs"], json!([id]));
    }
    let ended = world.until(id, "completed").await;
    assert_eq!(ended["result"], json!([5, "nothing"]), "three signals with one key are one");
    let late = json!({"run": id, "name": "go"});
    let refused = world.root.post("/workflow/signals/", &late).await.expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("ended"), "{refused}");
    world.root.post("/workflow/signals/", &signal).await.expect(404);
    check_history(&world, id).await;
    world.stop().await;
}

async fn a_run_is_paused_resumed_and_cancelled(world: World) {
    hire_janitor(&world.root).await;
    let mut levels = entry("a").to_vec();
    levels.push(json!({"name": "listen", "deadline": "1h", "do": {"wait": {"signal": {"name": "go"}}}}));
    levels.push(create("b"));
    world.publish("long", Value::Array(levels)).await;
    let run = world.start("long", Value::Null).await;
    let path = format!("/workflow/runs/{run}/");
    for _ in 0..200 {
        if !world.ledger.story().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(
        world.root.post(&format!("{path}pause/"), &json!({})).await.expect(200).json()["status"],
        "paused"
    );
    let set = world.root.patch(&format!("{path}variables/"), &json!({"who": "ada"})).await.expect(200).json();
    assert_eq!(set["variables"], json!({"who": "ada"}));
    world.root.post(&format!("{path}resume/"), &json!({})).await.expect(200);
    world.root.post(&format!("{path}cancel/"), &json!({"reason": "no longer wanted"})).await.expect(200);
    let ended = world.until(&run, "cancelled").await;
    assert_eq!(ended["reason"], "no longer wanted");
    assert_eq!(world.ledger.story(), ["create a", "remove a"]);
    let refused = world.root.post(&format!("{path}cancel/"), &json!({})).await.expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("ended"), "{refused}");
    check_history(&world, &run).await;
    world.stop().await;
}

async fn a_template_is_drafted_published_and_retired(world: World) {
    let draft =
        |event: &str| json!({"name": "life", "levels": [{"name": "one", "do": {"emit": {"event": event}}}]});
    let saved = world.root.post("/workflow/templates/", &draft("a")).await.expect(201).json();
    assert_eq!((&saved["version"], &saved["status"]), (&json!(1), &json!("draft")));
    let again = world.root.post("/workflow/templates/", &draft("b")).await.expect(201).json();
    assert_eq!(again["version"], 1, "a draft is replaced");
    world.root.post("/workflow/runs/", &json!({"template": "life"})).await.expect(404);
    let path = "/workflow/templates/life/";
    world.root.post(&format!("{path}1/publish/"), &json!({})).await.expect(200);
    world.root.post(&format!("{path}1/publish/"), &json!({})).await.expect(409);
    world.root.delete(&format!("{path}1/")).await.expect(409);
    let second = world.root.post("/workflow/templates/", &draft("c")).await.expect(201).json();
    assert_eq!(second["version"], 2, "what is published never changes");
    let newest = world.root.get(path).await.expect(200).json();
    assert_eq!(
        (&newest["version"], &newest["template"]["levels"][0]["do"]["emit"]["event"]),
        (&json!(1), &json!("b"))
    );
    world.root.delete(&format!("{path}2/")).await.expect(204);
    world.root.get(&format!("{path}2/")).await.expect(404);
    let listed = world.root.get("/workflow/templates/?name=life").await.expect(200).json();
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);
    let mermaid = world.root.get(&format!("{path}1/picture/?format=mermaid")).await.expect(200).text();
    assert!(mermaid.starts_with("flowchart TD"), "{mermaid}");
    let run = world.run("life", Value::Null).await;
    assert_eq!(run["status"], "completed");
    world.root.post(&format!("{path}1/retire/"), &json!({})).await.expect(200);
    world.root.post("/workflow/runs/", &json!({"template": "life"})).await.expect(404);
    world.root.get("/workflow/schema/").await.expect(200);
    world.stop().await;
}

async fn a_start_with_the_same_key_is_the_same_run(world: World) {
    world.publish("once", json!([create("a")])).await;
    world.publish("other", json!([create("b")])).await;
    let start = async |template: &str, key: &str| {
        let request = http::Request::builder()
            .method("POST")
            .uri(world.root.url("/workflow/runs/?wait=20"))
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .body(json!({"template": template}).to_string().into())
            .unwrap();
        world.root.request(request).await
    };
    let (first, second) = tokio::join!(start("once", "k1"), start("once", "k1"));
    let (first, second) = (first.expect(201).json(), second.expect(201).json());
    assert_eq!(first["id"], second["id"]);
    assert_eq!(start("once", "k1").await.expect(201).json()["id"], first["id"]);
    assert_ne!(start("once", "k2").await.expect(201).json()["id"], first["id"]);
    start("other", "k1").await.expect(409);
    assert_eq!(world.ledger.done().len(), 2);
    world.stop().await;
}

async fn nothing_crosses_an_organization(world: World) {
    world.publish("ours", json!([create("a"), {"name": "listen", "deadline": "1h", "do": {"wait": {"signal": {"name": "go"}}}}])).await;
    let run = world.start("ours", Value::Null).await;
    let zed = mesh_world::register(&world.server, "zed", "Zeta").await;
    for path in [
        format!("/workflow/runs/{run}/"),
        format!("/workflow/runs/{run}/history/"),
        format!("/workflow/runs/{run}/events/"),
        format!("/workflow/runs/{run}/picture/"),
        "/workflow/templates/ours/".to_owned(),
        "/workflow/templates/ours/1/".to_owned(),
    ] {
        zed.get(&path).await.expect(404);
    }
    for list in ["/workflow/runs/", "/workflow/templates/", "/workflow/tasks/"] {
        assert_eq!(zed.get(list).await.expect(200).json()["results"], json!([]), "{list}");
    }
    for action in ["cancel", "pause", "resume", "retry", "skip"] {
        zed.post(&format!("/workflow/runs/{run}/{action}/"), &json!({})).await.expect(404);
    }
    zed.post("/workflow/signals/", &json!({"run": run, "name": "go"})).await.expect(404);
    zed.post("/workflow/runs/", &json!({"template": "ours"})).await.expect(404);
    // Names belong to an organization: hers is another one.
    let own =
        publish(&zed, &json!({"name": "ours", "levels": [{"name": "one", "do": {"emit": {"event": "x"}}}]}))
            .await;
    assert_eq!(own["version"], 1);
    let anonymous = &world.server.client;
    for path in ["/workflow/runs/", "/workflow/templates/", "/workflow/tasks/"] {
        anonymous.get(path).await.expect(401);
    }
    world.stop().await;
}
