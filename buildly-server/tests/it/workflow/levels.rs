//! `/workflowlevel1/` and the others: who may what, tenants, pages, bad input, runs.

use serde_json::{Value, json};

use super::{World, create, on_both};
use crate::client::Client;
use crate::harness::PASSWORD;
use crate::mesh_world::register;

on_both!(
    rights_come_from_attached_groups_or_else_from_the_organization,
    nobody_gives_away_more_than_they_have,
    nothing_of_another_organization_is_seen_or_named,
    types_and_statuses_of_the_deployment_are_for_all,
    lists_are_paged_as_old_clients_know_it,
    what_is_wrong_is_said_by_field,
    a_new_level2_starts_a_run_of_its_level1s_template,
    what_a_group_is_attached_to_is_said,
);

const LEVEL1: &str = "/workflowlevel1/";
const LEVEL2: &str = "/workflowlevel2/";

/// Somebody new in the administrator's organization, in these groups.
async fn member(world: &World, admin: &Client, username: &str, groups: &[&Value]) -> Client {
    let me = admin.get("/coreuser/me/").await.expect(200).json();
    let body = json!({
        "username": username, "email": format!("{username}@example.org"), "password": PASSWORD,
        "first_name": "Bob", "last_name": "Tester", "organization_name": me["organization"]["name"],
    });
    let user = world.server.client.post("/coreuser/", &body).await.expect(201).json();
    join(admin, &user["id"], groups).await;
    world.server.signed_in(username).await
}

/// Makes the user active, in the group `Users` and these.
async fn join(admin: &Client, user: &Value, groups: &[&Value]) {
    let known = admin.get("/coregroups/").await.expect(200).json();
    let users = known.as_array().unwrap().iter().find(|group| group["name"] == "Users").unwrap();
    let mut ids = vec![users["id"].clone()];
    ids.extend(groups.iter().map(|group| group["id"].clone()));
    let change = json!({"is_active": true, "core_groups": ids});
    admin.patch(&format!("/coreuser/{user}/"), &change).await.expect(200);
}

async fn group(admin: &Client, name: &str, letters: &str) -> Value {
    let me = admin.get("/coreuser/me/").await.expect(200).json();
    let permissions = json!({
        "create": letters.contains('c'), "read": letters.contains('r'),
        "update": letters.contains('u'), "delete": letters.contains('d'),
    });
    let organization = &me["organization"]["organization_uuid"];
    let body = json!({"name": name, "organization": organization, "permissions": permissions});
    admin.post("/coregroups/", &body).await.expect(201).json()
}

async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, &body).await.expect(201).json()
}

fn path(list: &str, row: &Value) -> String {
    let id = row["id"].as_str().map_or_else(|| row["id"].to_string(), str::to_owned);
    format!("{list}{id}/")
}

/// The names in a list.
async fn names(client: &Client, path: &str) -> Vec<String> {
    let list = client.get(path).await.expect(200).json();
    let rows = if list.is_array() { &list } else { &list["results"] };
    rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

async fn rights_come_from_attached_groups_or_else_from_the_organization(world: World) {
    let ann = register(&world.server, "ann", "Atlas").await;
    let (team, secret) = (group(&ann, "Team", "cru").await, group(&ann, "Secret", "r").await);
    let bob = member(&world, &ann, "bob", &[]).await;
    let bobs = bob.get("/coreuser/me/").await.expect(200).json();
    let open = made(&ann, LEVEL1, json!({"name": "open"})).await;
    let closed = made(&ann, LEVEL1, json!({"name": "closed", "core_groups": [team["id"]]})).await;
    let in_open = made(&ann, LEVEL2, json!({"name": "in open", "workflowlevel1": open["id"]})).await;
    let in_closed = made(&ann, LEVEL2, json!({"name": "in closed", "workflowlevel1": closed["id"]})).await;
    let hidden = json!({"name": "hidden", "workflowlevel1": closed["id"], "core_groups": [secret["id"]]});
    let hidden = made(&ann, LEVEL2, hidden).await;
    let (one, two, three) = (path(LEVEL2, &in_open), path(LEVEL2, &in_closed), path(LEVEL2, &hidden));

    // The organization lets bob read.
    assert_eq!(names(&bob, LEVEL1).await, ["open"]);
    assert_eq!(names(&bob, LEVEL2).await, ["in open"]);
    bob.get(&path(LEVEL1, &open)).await.expect(200);
    bob.get(&one).await.expect(200);
    for hidden in [path(LEVEL1, &closed), two.clone(), three.clone()] {
        bob.get(&hidden).await.expect(403);
    }
    bob.patch(&path(LEVEL1, &open), &json!({"name": "mine"})).await.expect(403);
    bob.post(LEVEL1, &json!({"name": "mine"})).await.expect(403);
    bob.post(LEVEL2, &json!({"name": "mine", "workflowlevel1": open["id"]})).await.expect(403);
    // What bob may not see is not there.
    let refused =
        bob.post(LEVEL2, &json!({"name": "mine", "workflowlevel1": closed["id"]})).await.expect(400);
    assert!(refused.json()["workflowlevel1"].is_array(), "{}", refused.text());

    // With the group come its rights, there and nowhere else.
    join(&ann, &bobs["id"], &[&team]).await;
    assert_eq!(names(&bob, LEVEL1).await, ["closed", "open"]);
    assert_eq!(names(&bob, LEVEL2).await, ["in closed", "in open"]);
    bob.patch(&path(LEVEL1, &closed), &json!({"description": "by bob"})).await.expect(200);
    bob.patch(&two, &json!({"notes": "by bob"})).await.expect(200);
    let bobs_own = made(&bob, LEVEL2, json!({"name": "own", "workflowlevel1": closed["id"]})).await;
    assert_eq!(bobs_own["created_by"], bobs["id"]);
    bob.delete(&two).await.expect(403);
    bob.patch(&one, &json!({"notes": "by bob"})).await.expect(403);
    bob.get(&three).await.expect(403);
    let place = json!({"workflowlevel1": closed["id"], "workflow_user": bobs["id"], "role": team["id"]});
    let place = made(&bob, "/workflowteam/", place).await;
    let nested =
        bob.get(&format!("{}?nested_models=true", path("/workflowteam/", &place))).await.expect(200).json();
    assert_eq!(
        (&nested["workflow_user"]["username"], &nested["workflowlevel1"]["name"], &nested["role"]["name"]),
        (&json!("bob"), &json!("closed"), &json!("Team"))
    );
    bob.delete(&path("/workflowteam/", &place)).await.expect(403);

    // A level 2 with a group of its own; when the group goes, nothing opens.
    join(&ann, &bobs["id"], &[&team, &secret]).await;
    bob.get(&three).await.expect(200);
    bob.patch(&three, &json!({"notes": "by bob"})).await.expect(403);
    ann.delete(&path("/coregroups/", &secret)).await.expect(204);
    bob.get(&three).await.expect(403);
    assert_eq!(names(&ann, LEVEL2).await, ["hidden", "in closed", "in open", "own"]);
    world.stop().await;
}

async fn nobody_gives_away_more_than_they_have(world: World) {
    let ann = register(&world.server, "ann", "Atlas").await;
    let (team, all) = (group(&ann, "Team", "cru").await, group(&ann, "All", "crud").await);
    let bob = member(&world, &ann, "bob", &[&team, &all]).await;
    let level = made(&ann, LEVEL1, json!({"name": "level", "core_groups": [team["id"]]})).await;
    let other = made(&ann, LEVEL1, json!({"name": "other", "core_groups": [team["id"]]})).await;
    let part = made(&bob, LEVEL2, json!({"name": "part", "workflowlevel1": level["id"]})).await;
    for row in [path(LEVEL1, &level), path(LEVEL2, &part)] {
        bob.patch(&row, &json!({"core_groups": [all["id"]]})).await.expect(403);
        bob.patch(&row, &json!({"core_groups": [team["id"], all["id"]]})).await.expect(403);
        bob.patch(&row, &json!({"core_groups": [team["id"]]})).await.expect(200);
    }
    bob.patch(&path(LEVEL2, &part), &json!({"core_groups": []})).await.expect(403);
    ann.patch(&path(LEVEL2, &part), &json!({"core_groups": []})).await.expect(200);
    // To move it away is to delete it there.
    bob.patch(&path(LEVEL2, &part), &json!({"workflowlevel1": other["id"]})).await.expect(403);
    let moved = ann.patch(&path(LEVEL2, &part), &json!({"workflowlevel1": other["id"]})).await.expect(200);
    assert_eq!(moved.json()["workflowlevel1"], other["id"]);
    // Types and statuses are for administrators.
    bob.post("/workflowleveltype/", &json!({"name": "mine"})).await.expect(403);
    bob.post("/workflowlevelstatus/", &json!({"name": "mine", "short_name": "mine"})).await.expect(403);
    world.stop().await;
}

async fn nothing_of_another_organization_is_seen_or_named(world: World) {
    let (ann, zed) =
        (register(&world.server, "ann", "Atlas").await, register(&world.server, "zed", "Zeta").await);
    let anns = ann.get("/coreuser/me/").await.expect(200).json();
    let (kinds, statuses) = ("/workflowleveltype/", "/workflowlevelstatus/");
    let (sorts, teams) = ("/workflowlevel2sort/", "/workflowteam/");
    let team = group(&ann, "Team", "crud").await;
    let level1 = made(&ann, LEVEL1, json!({"name": "theirs"})).await;
    let level2 = made(&ann, LEVEL2, json!({"name": "theirs", "workflowlevel1": level1["id"]})).await;
    let kind = made(&ann, kinds, json!({"name": "theirs"})).await;
    let status = made(&ann, statuses, json!({"name": "theirs", "short_name": "open"})).await;
    let sort = made(&ann, sorts, json!({"workflowlevel1": level1["id"], "sort_array": []})).await;
    let place = made(&ann, teams, json!({"workflowlevel1": level1["id"], "workflow_user": anns["id"]})).await;
    let rows = [
        (LEVEL1, &level1),
        (LEVEL2, &level2),
        (kinds, &kind),
        (statuses, &status),
        (sorts, &sort),
        (teams, &place),
    ];
    for (list, row) in rows {
        let listed = zed.get(list).await.expect(200).json();
        let listed = if listed.is_array() { &listed } else { &listed["results"] };
        assert_eq!(*listed, json!([]), "{list}");
        let row = path(list, row);
        let body = json!({"name": "mine", "short_name": "mine", "workflowlevel1": level1["id"]});
        // As recorded of the old server for levels.
        let status = if list == LEVEL1 || list == LEVEL2 { 403 } else { 404 };
        zed.get(&row).await.expect(status);
        zed.patch(&row, &json!({"name": "mine"})).await.expect(status);
        zed.put(&row, &body).await.expect(status);
        zed.delete(&row).await.expect(status);
        zed.get(&format!("{list}00000000-0000-4000-8000-0000000000ff/")).await.expect(404);
    }
    assert_eq!(names(&zed, &format!("{LEVEL2}?all=true&workflowlevel1__id={}", level1["id"])).await, [""; 0]);

    let own = made(&zed, LEVEL1, json!({"name": "own"})).await;
    let of_own = |name: &str, value: &Value| {
        let mut body = json!({"name": "own", "workflowlevel1": own["id"]});
        body[name] = value.clone();
        body
    };
    for (list, body, field) in [
        (LEVEL2, json!({"name": "mine", "workflowlevel1": level1["id"]}), "workflowlevel1"),
        (sorts, json!({"workflowlevel1": level1["id"]}), "workflowlevel1"),
        (teams, json!({"workflowlevel1": level1["id"]}), "workflowlevel1"),
        (LEVEL1, json!({"name": "mine", "core_groups": [team["id"]]}), "core_groups"),
        (LEVEL1, json!({"name": "mine", "user_access": [anns["id"]]}), "user_access"),
        (LEVEL2, of_own("type", &kind["id"]), "type"),
        (LEVEL2, of_own("status", &status["id"]), "status"),
        (LEVEL2, of_own("parent_workflowlevel2", &level2["id"]), "parent_workflowlevel2"),
        (LEVEL2, of_own("core_groups", &json!([team["uuid"]])), "core_groups"),
        (sorts, of_own("workflowlevel2_parent", &level2["id"]), "workflowlevel2_parent"),
        (teams, of_own("workflow_user", &anns["id"]), "workflow_user"),
        (teams, of_own("role", &team["id"]), "role"),
    ] {
        let refused = zed.post(list, &body).await.expect(400).json();
        assert!(refused["errors"][field].is_array(), "{list} {field}: {refused}");
    }
    let theirs = anns["organization"]["organization_uuid"].clone();
    zed.post(LEVEL1, &json!({"name": "mine", "organization": theirs})).await.expect(403);
    zed.patch(&path(LEVEL1, &own), &json!({"organization": theirs})).await.expect(403);
    made(&zed, statuses, json!({"name": "own", "short_name": "open"})).await;
    // The administrator of the deployment may do everything.
    let by_root = made(&world.root, LEVEL1, json!({"name": "by root", "organization": theirs})).await;
    assert_eq!((&by_root["organization"], &by_root["user_access"]), (&theirs, &json!([])));
    ann.delete(&path(LEVEL1, &by_root)).await.expect(204);
    let nobodys = json!({"name": "nobody's", "organization": "00000000-0000-4000-8000-0000000000ff"});
    let refused = world.root.post(LEVEL1, &nobodys).await.expect(400).json();
    assert!(refused["organization"].is_array(), "{refused}");
    assert_eq!(names(&world.root, LEVEL1).await, ["own", "theirs"]);
    world.root.patch(&path(LEVEL1, &level1), &json!({"description": "by root"})).await.expect(200);
    world.root.delete(&path(LEVEL1, &level1)).await.expect(204);
    ann.get(&path(LEVEL2, &level2)).await.expect(404);
    world.stop().await;
}

async fn types_and_statuses_of_the_deployment_are_for_all(world: World) {
    let ann = register(&world.server, "ann", "Atlas").await;
    let (kinds, statuses) = ("/workflowleveltype/", "/workflowlevelstatus/");
    let kind = made(&world.root, kinds, json!({"name": "Shared"})).await;
    let status = made(&world.root, statuses, json!({"name": "Open", "short_name": "open", "order": 3})).await;
    assert_eq!(names(&ann, kinds).await, ["Shared"]);
    let level1 = made(&ann, LEVEL1, json!({"name": "level"})).await;
    let body =
        json!({"name": "part", "workflowlevel1": level1["id"], "type": kind["id"], "status": status["id"]});
    let part = made(&ann, LEVEL2, body).await;
    ann.patch(&path(kinds, &kind), &json!({"name": "mine"})).await.expect(403);
    ann.delete(&path(statuses, &status)).await.expect(403);
    let taken = ann.post(statuses, &json!({"name": "Mine", "short_name": "open"})).await.expect(400).json();
    assert!(taken["short_name"].is_array(), "{taken}");
    world.root.patch(&path(statuses, &status), &json!({"order": 1, "short_name": "open"})).await.expect(200);
    world.root.delete(&path(kinds, &kind)).await.expect(204);
    let part = ann.get(&path(LEVEL2, &part)).await.expect(200).json();
    assert_eq!((&part["type"], &part["status"]), (&Value::Null, &status["id"]));
    let none = json!({"status": null, "notes": null});
    let part = ann.patch(&path(LEVEL2, &part), &none).await.expect(200).json();
    assert_eq!((&part["status"], &part["notes"]), (&Value::Null, &Value::Null));
    world.stop().await;
}

async fn lists_are_paged_as_old_clients_know_it(world: World) {
    let ann = register(&world.server, "ann", "Atlas").await;
    for name in ["c", "a", "e", "b", "d"] {
        let level = made(&ann, LEVEL1, json!({"name": name})).await;
        made(&ann, LEVEL2, json!({"name": name, "workflowlevel1": level["id"]})).await;
        made(&ann, "/workflowleveltype/", json!({"name": name})).await;
    }
    let base = ann.url("");
    for list in [format!("{LEVEL1}?paginate=true&page_size=2"), "/workflowleveltype/?page_size=2".to_owned()]
    {
        let (mut next, mut read, mut pages) = (Some(list), Vec::new(), 0);
        while let Some(path) = next {
            let page = ann.get(&path).await.expect(200).json();
            let rows = page["results"].as_array().unwrap().iter();
            read.extend(rows.map(|row| row["name"].as_str().unwrap().to_owned()));
            next = page["next"].as_str().map(|url| url.strip_prefix(&base).unwrap().to_owned());
            pages += 1;
        }
        assert_eq!((read.concat().as_str(), pages), ("abcde", 3));
    }
    ann.get(&format!("{LEVEL1}?paginate=true&cursor=nonsense")).await.expect(404);
    let page = ann.get(&format!("{LEVEL2}?limit=2&offset=1")).await.expect(200).json();
    assert_eq!(page["count"], 5);
    assert_eq!(page["next"], format!("{base}{LEVEL2}?limit=2&offset=3"));
    assert_eq!(page["previous"], format!("{base}{LEVEL2}?limit=2"));
    let last = ann.get(&format!("{LEVEL2}?limit=2&offset=4")).await.expect(200).json();
    assert_eq!((&last["next"], last["results"].as_array().unwrap().len()), (&Value::Null, 1));
    ann.get(&format!("{LEVEL2}?limit=much")).await.expect(400);
    for (query, expected) in [
        ("workflowlevel1__name=b", "b"),
        ("create_date_gte=2020-01-01", "abcde"),
        ("create_date_lte=2020-01-01T00:00:00Z", ""),
        ("status__short_name=open", ""),
    ] {
        assert_eq!(names(&ann, &format!("{LEVEL2}?{query}")).await.concat(), expected, "{query}");
    }
    world.stop().await;
}

async fn what_is_wrong_is_said_by_field(world: World) {
    let ann = register(&world.server, "ann", "Atlas").await;
    let (statuses, sorts, teams) = ("/workflowlevelstatus/", "/workflowlevel2sort/", "/workflowteam/");
    let level1 = made(&ann, LEVEL1, json!({"name": "level"})).await;
    let outer = made(&ann, LEVEL2, json!({"name": "outer", "workflowlevel1": level1["id"]})).await;
    let inner =
        json!({"name": "inner", "workflowlevel1": level1["id"], "parent_workflowlevel2": outer["id"]});
    let inner = made(&ann, LEVEL2, inner).await;
    assert_eq!(inner["parent_workflowlevel2"], outer["id"]);
    let with = |name: &str, value: Value| {
        let mut body = json!({"name": "x", "short_name": "x", "workflowlevel1": level1["id"]});
        body[name] = value;
        body
    };
    let long = "x".repeat(10_001);
    for (list, field, value) in [
        (LEVEL1, "name", json!("")),
        (LEVEL1, "name", json!("x".repeat(256))),
        (LEVEL1, "unique_id", json!("a\0b")),
        (LEVEL1, "description", json!(long)),
        (LEVEL1, "description", json!("a\0b")),
        (LEVEL1, "start_date", json!("soon")),
        (LEVEL1, "sort", json!("first")),
        (LEVEL1, "user_access", json!(["nobody"])),
        (LEVEL1, "user_access", json!([999_999])),
        (LEVEL1, "core_groups", json!({"id": 1})),
        (LEVEL1, "core_groups", json!([999_999])),
        (LEVEL1, "organization", json!("Atlas")),
        (LEVEL1, "template", json!("nowhere")),
        (LEVEL2, "workflowlevel1", json!("nowhere")),
        (LEVEL2, "workflowlevel1", Value::Null),
        (LEVEL2, "workflowlevel1", json!(999_999)),
        (LEVEL2, "notes", json!("a\0b")),
        (LEVEL2, "short_name", json!("x".repeat(256))),
        (LEVEL2, "parent_workflowlevel2", json!("nowhere")),
        (LEVEL2, "type", json!("nowhere")),
        (LEVEL2, "status", json!("00000000-0000-4000-8000-0000000000ff")),
        (statuses, "short_name", json!("a\0b")),
        (statuses, "order", json!("first")),
        (sorts, "sort_array", json!(["a\0b"])),
        (sorts, "sort_array", json!(["x".repeat(100_000)])),
        (sorts, "workflowlevel2_pk", json!(7)),
        (teams, "workflow_user", json!(999_999)),
        (teams, "status", json!("a\0b")),
        (teams, "end_date", json!(true)),
    ] {
        let answer = ann.post(list, &with(field, value)).await;
        assert_eq!(answer.status.as_u16(), 400, "{list} {field}: {}", answer.text());
        assert!(answer.json()["errors"][field].is_array(), "{list} {field}: {}", answer.text());
    }
    // A level 2 is no part of itself, over however many others.
    let circle =
        ann.patch(&path(LEVEL2, &outer), &json!({"parent_workflowlevel2": inner["id"]})).await.expect(400);
    assert!(circle.json()["parent_workflowlevel2"].is_array(), "{}", circle.text());
    ann.delete(&path(LEVEL2, &outer)).await.expect(204);
    assert_eq!(ann.get(&path(LEVEL2, &inner)).await.expect(200).json()["parent_workflowlevel2"], 0);
    // Unknown fields are ignored, as ever; forms are read, too.
    made(&ann, LEVEL1, json!({"name": "other", "color": "red"})).await;
    let form = [("name", "formed"), ("sort", "3"), ("start_date", "2026-01-01")];
    let formed = ann.form(LEVEL1, &form).await.expect(201).json();
    assert_eq!((&formed["sort"], &formed["start_date"]), (&json!(3), &json!("2026-01-01T00:00:00Z")));
    let by_uuid = format!("{LEVEL1}{}/", formed["level1_uuid"].as_str().unwrap());
    assert_eq!(ann.get(&by_uuid).await.expect(200).json(), formed);
    for unknown in ["999999", "nowhere", "-1", "%00"] {
        ann.get(&format!("{LEVEL1}{unknown}/")).await.expect(404);
        ann.get(&format!("{LEVEL2}{unknown}/")).await.expect(404);
    }
    world.stop().await;
}

async fn a_new_level2_starts_a_run_of_its_level1s_template(world: World) {
    world.publish("onboarding", json!([create("register")])).await;
    let team = group(&world.root, "Team", "cru").await;
    let bob = member(&world, &world.root, "bob", &[&team]).await;
    let body = json!({"name": "runs", "template": "onboarding", "core_groups": [team["id"]]});
    let level1 = made(&world.root, LEVEL1, body).await;
    assert_eq!(level1["template"], "onboarding");
    let plain = made(&world.root, LEVEL1, json!({"name": "plain"})).await;
    assert!(plain.get("template").is_none(), "old clients see what they know");
    let stored = made(&world.root, LEVEL2, json!({"name": "stored", "workflowlevel1": plain["id"]})).await;
    assert!(stored.get("run").is_none() && stored.get("run_status").is_none(), "{stored}");

    let started = json!({"name": "Ada", "notes": "from Monday", "workflowlevel1": level1["id"]});
    let started = made(&world.root, LEVEL2, started).await;
    let run = started["run"].as_str().unwrap();
    let ended = world.until(run, "completed").await;
    assert_eq!(ended["business_key"], started["id"]);
    assert_eq!(world.ledger.story(), ["create register"]);
    let now = world.root.get(&path(LEVEL2, &started)).await.expect(200).json();
    assert_eq!((&now["run"], &now["run_status"]), (&started["run"], &json!("completed")));
    let listed = world.root.get(&format!("{LEVEL2}?all=true")).await.expect(200).json();
    assert_eq!(listed[0]["run_status"], "completed", "{listed}");

    // Who may make a level 2 but not start runs makes none; nothing is left of it.
    bob.post(LEVEL2, &json!({"name": "mine", "workflowlevel1": level1["id"]})).await.expect(403);
    assert_eq!(names(&world.root, LEVEL2).await, ["Ada", "stored"]);
    let unset = world.root.patch(&path(LEVEL1, &level1), &json!({"template": null})).await.expect(200);
    assert!(unset.json().get("template").is_none());
    let quiet = made(&bob, LEVEL2, json!({"name": "mine", "workflowlevel1": level1["id"]})).await;
    assert!(quiet.get("run").is_none(), "{quiet}");
    world.stop().await;
}

async fn what_a_group_is_attached_to_is_said(world: World) {
    let ann = register(&world.server, "ann", "Atlas").await;
    let team = group(&ann, "Team", "crud").await;
    let _bob = member(&world, &ann, "bob", &[&team]).await;
    let level1 = made(&ann, LEVEL1, json!({"name": "level", "core_groups": [team["id"]]})).await;
    let body = json!({"name": "part", "workflowlevel1": level1["id"], "core_groups": [team["uuid"]]});
    let level2 = made(&ann, LEVEL2, body).await;
    assert_eq!(level2["core_groups"], json!([team["id"]]));
    let attached = |group: &Value| (group["workflowlevel1s"].clone(), group["workflowlevel2s"].clone());
    let expected = (json!([level1["id"]]), json!([level2["id"]]));
    let read = ann.get(&path("/coregroups/", &team)).await.expect(200).json();
    assert_eq!(attached(&read), expected);
    let listed = ann.get("/coregroups/").await.expect(200).json();
    for group in listed.as_array().unwrap() {
        let none = (json!([]), json!([]));
        assert_eq!(&attached(group), if group["name"] == "Team" { &expected } else { &none }, "{group}");
    }
    let users = ann.get("/coreuser/").await.expect(200).json();
    let bob = users.as_array().unwrap().iter().find(|user| user["username"] == "bob").unwrap();
    let team = bob["core_groups"].as_array().unwrap().iter().find(|group| group["name"] == "Team").unwrap();
    assert_eq!(attached(team), expected);
    world.stop().await;
}
