//! People's work: who may do it, who has it, what is filled in.

use serde_json::{Value, json};

use super::{World, check_history, create, on_both};
use crate::client::Client;
use crate::mesh_world;

on_both!(
    a_task_is_done_by_who_may_and_by_nobody_else,
    of_two_completions_at_once_one_counts,
    a_deadline_takes_another_way,
    a_level_acts_as_who_completed_a_task,
    rights_are_those_of_the_groups,
);

fn approval() -> Value {
    json!([
        {"name": "approve", "title": "Approve it", "deadline": "1h", "do": {"task": {
            "group": "Managers", "show": "{'amount': input.amount}",
            "form": {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}, "additionalProperties": false},
        }}},
        {"name": "end", "do": {"emit": {"event": "approved", "payload": "levels.approve.ok"}}},
    ])
}

/// Somebody of root's organization, in a group of this name.
pub(super) async fn member(world: &World, username: &str, group: Option<&str>) -> Client {
    let me = world.root.get("/coreuser/me/").await.expect(200).json();
    let organization = me["organization"]["organization_uuid"].clone();
    let body = json!({
        "username": username, "email": format!("{username}@example.org"), "password": crate::harness::PASSWORD,
        "first_name": "Ann", "last_name": "Tester", "organization_name": "Acme",
    });
    let user = world.server.client.post("/coreuser/", &body).await.expect(201).json();
    let mut change = json!({"is_active": true});
    if let Some(group) = group {
        let known = world.root.get("/coregroups/").await.expect(200).json();
        let known = known.as_array().unwrap().iter().find(|known| known["name"] == group).cloned();
        let known = match known {
            Some(known) => known,
            None => {
                let new = json!({"name": group, "organization": organization});
                world.root.post("/coregroups/", &new).await.expect(201).json()
            }
        };
        change["core_groups"] = json!([known["id"]]);
    }
    world.root.patch(&format!("/coreuser/{}/", user["id"]), &change).await.expect(200);
    world.server.signed_in(username).await
}

async fn a_task_is_done_by_who_may_and_by_nobody_else(world: World) {
    let mary = member(&world, "mary", Some("Managers")).await;
    let max = member(&world, "max", Some("Managers")).await;
    let walt = member(&world, "walt", None).await;
    world.publish("approval", approval()).await;
    let run = world.start("approval", json!({"amount": 7})).await;
    world.until(&run, "running").await;
    let task = loop {
        let inbox = mary.get("/workflow/tasks/?mine=true&status=open").await.expect(200).json();
        if let Some(task) = inbox["results"].as_array().unwrap().first() {
            break task.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(task["show"], json!({"amount": 7}));
    assert!(task["due"].is_string());
    let path = format!("/workflow/tasks/{}/", task["id"].as_str().unwrap());
    let whole = mary.get(&path).await.expect(200).json();
    assert_eq!((&whole["title"], &whole["form"]["required"]), (&json!("Approve it"), &json!(["ok"])));

    let (claim, complete) = (format!("{path}claim/"), format!("{path}complete/"));
    let good = json!({"data": {"ok": true}});
    assert_eq!(walt.get("/workflow/tasks/?mine=true").await.expect(200).json()["results"], json!([]));
    let refused = walt.post(&complete, &good).await;
    assert!(refused.status == 403 || refused.status == 404, "{}", refused.text());
    mesh_world::register(&world.server, "zed", "Zeta").await.get(&path).await.expect(404);

    mary.post(&claim, &json!({})).await.expect(200);
    max.post(&claim, &json!({})).await.expect(409);
    max.post(&complete, &good).await.expect(409);
    assert_eq!(
        max.get("/workflow/tasks/?mine=true&status=open").await.expect(200).json()["results"],
        json!([])
    );
    let wrong = mary.post(&complete, &json!({"data": {"ok": "yes"}})).await.expect(400).json();
    assert!(wrong["errors"].as_object().unwrap().keys().any(|field| field.starts_with("data")), "{wrong}");
    mary.post(&complete, &good).await.expect(200);
    let again = mary.post(&complete, &good).await.expect(409).json();
    assert!(again["detail"].as_str().unwrap().contains("ended"), "{again}");
    let ended = world.until(&run, "completed").await;
    assert_eq!(ended["result"], true);
    check_history(&world, &run).await;
    world.stop().await;
}

async fn of_two_completions_at_once_one_counts(world: World) {
    let mary = member(&world, "mary", Some("Managers")).await;
    let max = member(&world, "max", Some("Managers")).await;
    world.publish("approval", approval()).await;
    for round in 0..5 {
        let run = world.start("approval", json!({"amount": round})).await;
        let path = loop {
            let path = format!("/workflow/tasks/?run={run}&status=open");
            let open = mary.get(&path).await.expect(200).json();
            if let Some(task) = open["results"].as_array().unwrap().first() {
                break format!("/workflow/tasks/{}/complete/", task["id"].as_str().unwrap());
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        let (yes, no) = (json!({"data": {"ok": true}}), json!({"data": {"ok": false}}));
        let (first, second) = tokio::join!(mary.post(&path, &yes), max.post(&path, &no));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", first.text(), second.text());
        let ended = world.until(&run, "completed").await;
        assert_eq!(ended["result"], json!(first.status == 200), "the one that counted");
    }
    world.stop().await;
}

async fn a_deadline_takes_another_way(world: World) {
    let _mary = member(&world, "mary", Some("Managers")).await;
    let levels = json!([{"name": "approve", "deadline": "1s", "do": {"task": {"group": "Managers"}},
        "on": [{"event": "deadline", "level": create("reminder")}]}]);
    world.publish("late", levels).await;
    let run = world.run("late", Value::Null).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(world.ledger.story(), ["create reminder"]);
    let open = world.root.get("/workflow/tasks/?status=open").await.expect(200).json();
    assert_eq!(open["results"], json!([]), "nobody is asked any more");
    world.stop().await;
}

async fn a_level_acts_as_who_completed_a_task(world: World) {
    let mary = member(&world, "mary", Some("Managers")).await;
    let me = mary.get("/coreuser/me/").await.expect(200).json();
    let levels = json!([
        {"name": "approve", "deadline": "1h", "do": {"task": {"group": "Managers"}}},
        {"name": "act", "as": "completer:approve", "do": {"call": {"operation": "ledger.create", "body": "{'name': 'act'}"}}},
    ]);
    world.publish("acting", levels).await;
    let run = world.start("acting", Value::Null).await;
    let task = loop {
        let open = mary.get("/workflow/tasks/?mine=true&status=open").await.expect(200).json();
        if let Some(task) = open["results"].as_array().unwrap().first() {
            break task["id"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    mary.post(&format!("/workflow/tasks/{task}/complete/"), &json!({})).await.expect(200);
    world.until(&run, "completed").await;
    let token = world.ledger.done()[0].token.clone();
    let principal = world.server.buildly().auth().authenticate(&token).await.unwrap();
    assert_eq!(json!(principal.user().unwrap().to_string()), me["core_user_uuid"]);
    world.stop().await;
}

/// Puts a member into a group of these permissions, and into no other.
async fn grouped(world: &World, member: &Client, name: &str, may: [bool; 4]) {
    let me = member.get("/coreuser/me/").await.expect(200).json();
    let [create, read, update, delete] = may;
    let group = json!({
        "name": name, "organization": me["organization"]["organization_uuid"], "is_org_level": true,
        "permissions": {"create": create, "read": read, "update": update, "delete": delete},
    });
    let group = world.root.post("/coregroups/", &group).await.expect(201).json();
    let change = json!({"core_groups": [group["id"]]});
    world.root.patch(&format!("/coreuser/{}/", me["id"]), &change).await.expect(200);
}

async fn rights_are_those_of_the_groups(world: World) {
    let starter = member(&world, "stan", None).await;
    let reader = member(&world, "rita", None).await;
    grouped(&world, &starter, "Starters", [true, false, false, false]).await;
    grouped(&world, &reader, "Readers", [false, true, false, false]).await;
    world.publish("waiting", json!([{"name": "news", "do": {"wait": {"signal": {"name": "go"}}}}])).await;
    let others = world.start("waiting", Value::Null).await;

    // Who may start sees and steers what they started, and nothing else.
    let new = json!({"template": "waiting"});
    let own = starter.post("/workflow/runs/", &new).await.expect(201).json()["id"].clone();
    let own = own.as_str().unwrap();
    world.until(own, "running").await;
    let own = format!("/workflow/runs/{own}/");
    starter.get(&own).await.expect(200);
    starter.get(&format!("{own}history/")).await.expect(200);
    starter.get(&format!("{own}picture/?format=text")).await.expect(200);
    starter.post(&format!("{own}pause/"), &json!({})).await.expect(200);
    starter.post(&format!("{own}resume/"), &json!({})).await.expect(200);
    let others = format!("/workflow/runs/{others}/");
    let none = "/workflow/runs/01890a5d-ac96-774b-bcce-b302099a8057/";
    let mut answers = Vec::new();
    for path in [others.as_str(), none] {
        let refused = starter.get(path).await.expect(403).json();
        answers.push(refused["detail"].clone());
        starter.post(&format!("{path}pause/"), &json!({})).await.expect(403);
        starter.get(&format!("{path}history/")).await.expect(403);
    }
    assert_eq!(answers[0], answers[1], "a refusal does not tell whether there is such a run");
    starter.get("/workflow/runs/").await.expect(403);
    starter.post("/workflow/templates/", &json!({"name": "x", "levels": []})).await.expect(403);

    // Who may read sees all and steers nothing.
    reader.get(&own).await.expect(200);
    reader.get(&others).await.expect(200);
    reader.post("/workflow/runs/", &new).await.expect(403);
    reader.post(&format!("{own}pause/"), &json!({})).await.expect(403);
    let signal = json!({"run": others.split('/').nth(3), "name": "go"});
    reader.post("/workflow/signals/", &signal).await.expect(403);
    world.root.post("/workflow/signals/", &signal).await.expect(202);
    world.stop().await;
}
