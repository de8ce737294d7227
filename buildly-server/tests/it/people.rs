//! People, groups and organizations over HTTP, as existing clients speak it; also asked by
//! a stranger from another organization.

use buildly_model::Secret;
use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::TestServer;

const PASSWORD: &str = "Correct-horse-9-battery";

fn person(username: &str, organization: &str) -> Value {
    let capital = username[..1].to_uppercase() + &username[1..];
    json!({
        "username": username, "email": format!("{username}@example.org"), "password": PASSWORD,
        "first_name": capital, "last_name": "Tester", "organization_name": organization,
    })
}

async fn register(server: &TestServer, username: &str, organization: &str) -> Value {
    server.client.post("/coreuser/", &person(username, organization)).await.expect(201).json()
}

async fn sign_in(server: &TestServer, username: &str, password: &str) -> Client {
    let issued = server.buildly().auth().open_session(username, &Secret::new(password), None).await;
    let token = issued.unwrap().access_token.expose().to_owned();
    server.client.signed_in(token)
}

/// Ann administers Acme, Bob is an approved member, Zed administers Zeta, root everything.
struct People {
    server: TestServer,
    ann: Client,
    bob: Client,
    zed: Client,
    root: Client,
    ann_body: Value,
    bob_body: Value,
    zed_body: Value,
}

async fn people() -> People {
    let server = TestServer::start().await;
    let new = buildly_core::auth::identity::NewSuperuser {
        username: "root".to_owned(),
        email: String::new(),
        password: Secret::new(PASSWORD),
        organization_name: "default organization".to_owned(),
    };
    server.buildly().auth().create_superuser(&new).await.unwrap();
    let ann_body = register(&server, "ann", "Acme").await;
    let bob_body = register(&server, "bob", "Acme").await;
    let zed_body = register(&server, "zed", "Zeta").await;
    let ann = sign_in(&server, "ann", PASSWORD).await;
    let path = format!("/coreuser/{}/", bob_body["id"]);
    ann.patch(&path, &json!({"is_active": true})).await.expect(200);
    let bob = sign_in(&server, "bob", PASSWORD).await;
    let zed = sign_in(&server, "zed", PASSWORD).await;
    let root = sign_in(&server, "root", PASSWORD).await;
    People { server, ann, bob, zed, root, ann_body, bob_body, zed_body }
}

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_answers_in_the_shape_that_clients_read() {
    let people = people().await;
    let ann = &people.ann_body;
    assert!(ann["id"].is_i64() && ann["core_user_uuid"].is_string());
    assert!(ann["organization"].is_string());
    assert_eq!(ann["organization_name"], "Acme");
    assert_eq!(ann["core_groups"].as_array().unwrap().len(), 2);
    assert_eq!((&ann["is_active"], &people.bob_body["is_active"]), (&json!(true), &json!(false)));
    for (field, expected) in [
        ("first_name", json!("Ann")),
        ("title", Value::Null),
        ("contact_info", Value::Null),
        ("privacy_disclaimer_accepted", json!(false)),
        ("email_preferences", Value::Null),
        ("user_timezone", Value::Null),
        ("user_type", json!("Product Team")),
        ("survey_status", json!(false)),
    ] {
        assert_eq!(ann[field], expected, "{field}");
    }
    assert!(!ann.to_string().contains("argon2") && ann.get("password").is_none());

    let me = people.ann.get("/coreuser/me/").await.expect(200).json();
    assert_eq!(me["organization"]["name"], "Acme");
    assert_eq!(me["organization"]["date_format"], "DD.MM.YYYY");
    assert_eq!(me["organization"]["radius"], 0.0);
    assert_eq!(names(&me["core_groups"], "name"), ["Admins", "Users"]);
    let all = json!({"create": true, "read": true, "update": true, "delete": true});
    assert_eq!(me["core_groups"][0]["permissions"], all);
    assert_eq!(people.ann.get("/oauthuser/me").await.expect(200).json()["id"], ann["id"]);
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_fields_are_named_at_the_top_level_and_under_errors() {
    let people = people().await;
    let bob = format!("/coreuser/{}/", people.bob_body["id"]);
    let acme = &people.ann_body["organization"];
    let many: Vec<String> = (0..11).map(|number| format!("u{number}@example.org")).collect();
    for (case, answer, fields) in [
        (
            "a name that is taken",
            people.server.client.post("/coreuser/", &person("ann", "Acme")).await,
            vec!["username"],
        ),
        (
            "nothing at all",
            people.server.client.post("/coreuser/", &json!({})).await,
            vec!["username", "password", "organization_name"],
        ),
        (
            "a put without its fields",
            people.ann.put(&bob, &json!({"first_name": "Rob"})).await,
            vec!["username", "password", "organization_name"],
        ),
        (
            "a group without a name",
            people.ann.post("/coregroups/", &json!({"organization": acme})).await,
            vec!["name"],
        ),
        (
            "a permission key that is missing",
            people
                .ann
                .post(
                    "/coregroups/",
                    &json!({"name": "x", "organization": acme, "permissions": {"read": true}}),
                )
                .await,
            vec!["permissions"],
        ),
        (
            "too many invitations",
            people.ann.post("/coreuser/invite/", &json!({"emails": many})).await,
            vec!["emails"],
        ),
        (
            "an invitation that was never made",
            {
                let mut body = person("again", "Acme");
                body["invitation_token"] = json!("nonsense");
                people.server.client.post("/coreuser/", &body).await
            },
            vec!["invitation_token"],
        ),
        (
            "a wrong reset token",
            people
                .server
                .client
                .post(
                    "/coreuser/reset-password-confirm/",
                    &json!({
                        "uid": people.bob_body["core_user_uuid"], "token": "wrong",
                        "new_password1": PASSWORD, "new_password2": PASSWORD,
                    }),
                )
                .await,
            vec!["token"],
        ),
    ] {
        assert_eq!(answer.status, 400, "{case}: {}", answer.text());
        let body = answer.json();
        assert!(body["detail"].is_string(), "{case}");
        for field in fields {
            assert!(body[field].is_array(), "{case}: `{field}` in {body}");
            assert_eq!(body[field], body["errors"][field], "{case}");
        }
    }
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_see_their_organization_and_superusers_see_all() {
    let people = people().await;
    let list = |client: Client, path: String| async move { client.get(&path).await.expect(200).json() };
    let users = list(people.bob.clone(), "/coreuser/".into()).await;
    assert_eq!(names(&users, "username"), ["ann", "bob"]);
    let users = list(people.root.clone(), "/coreuser/".into()).await;
    assert_eq!(names(&users, "username"), ["ann", "bob", "root", "zed"]);
    let zeta = people.zed_body["organization"].as_str().unwrap();
    let filtered = format!("/coreuser/?organization__organization_uuid={zeta}");
    assert_eq!(names(&list(people.root.clone(), filtered.clone()).await, "username"), ["zed"]);
    assert_eq!(list(people.ann.clone(), filtered).await, json!([]));
    let organizations = list(people.root.clone(), "/organization/".into()).await;
    assert_eq!(names(&organizations, "name"), ["Acme", "Zeta", "default organization"]);
    assert_eq!(names(&list(people.ann.clone(), "/organization/".into()).await, "name"), ["Acme"]);
    let open = list(people.server.client.clone(), "/organization/fetch_orgs/".into()).await;
    assert_eq!(open, json!(["Acme", "Zeta", "default organization"]));
    let by_uuid = format!("/coreuser/{}/", people.bob_body["core_user_uuid"].as_str().unwrap());
    assert_eq!(list(people.ann.clone(), by_uuid).await["id"], people.bob_body["id"]);
    let answer = people.ann.post("/coreuser/assignees/", &json!([people.bob_body["core_user_uuid"]])).await;
    let uuid = people.bob_body["core_user_uuid"].as_str().unwrap();
    assert_eq!(answer.expect(200).json()[uuid], json!({"first_name": "Bob", "last_name": "Tester"}));
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_everywhere() {
    let people = people().await;
    let user = format!("/coreuser/{}/", people.ann_body["id"]);
    let group = format!("/coregroups/{}/", people.ann_body["core_groups"][1]);
    let acme = people.ann_body["organization"].as_str().unwrap();
    let organization = format!("/organization/{acme}/");
    let (rename, new_group) = (json!({"name": "Taken"}), json!({"name": "Mine", "organization": acme}));
    let message = json!({"organization_uuid": acme, "notification_messages": "hello", "messages": ["hello"]});
    let moved = format!("/coreuser/update_org/{}/", people.ann_body["id"]);
    let zed = &people.zed;
    let own = format!("/coreuser/{}/", people.zed_body["id"]);
    let foreign_group = json!({"core_groups": [people.ann_body["core_groups"][0]]});
    for (case, answer, status) in [
        ("reads a user", zed.get(&user).await, 404),
        ("changes a user", zed.patch(&user, &json!({"first_name": "Hacked"})).await, 403),
        (
            "changes a profile",
            zed.patch(&format!("{user}update_profile/"), &json!({"first_name": "x"})).await,
            403,
        ),
        ("moves a user", zed.patch(&moved, &json!({"organization_name": "Zeta"})).await, 403),
        ("reads a group", zed.get(&group).await, 403),
        ("changes a group", zed.patch(&group, &rename).await, 403),
        ("removes a group", zed.delete(&group).await, 403),
        ("makes a group there", zed.post("/coregroups/", &new_group).await, 403),
        ("takes a group from there", zed.patch(&own, &foreign_group).await, 400),
        ("reads the organization", zed.get(&organization).await, 403),
        ("changes the organization", zed.patch(&organization, &rename).await, 403),
        ("removes the organization", zed.delete(&organization).await, 403),
        ("writes to everybody", zed.post("/coreuser/notification/", &message).await, 403),
        ("alerts everybody", zed.post("/coreuser/alert/", &message).await, 403),
        ("makes an organization", zed.post("/organization/", &rename).await, 403),
    ] {
        assert_eq!(answer.status, status, "{case}: {}", answer.text());
        assert!(answer.json()["detail"].is_string(), "{case}");
    }
    let nobody = &people.server.client;
    for (case, answer) in [
        ("lists users", nobody.get("/coreuser/").await),
        ("reads a user", nobody.get(&user).await),
        ("changes a profile", nobody.patch(&format!("{user}update_profile/"), &json!({})).await),
        ("moves a user", nobody.patch(&moved, &json!({"organization_name": "Zeta"})).await),
        ("lists groups", nobody.get("/coregroups/").await),
        ("lists organizations", nobody.get("/organization/").await),
        ("lists partners", nobody.get("/partner/").await),
        ("lists consortia", nobody.get("/consortium/").await),
        ("lists organization types", nobody.get("/organization_type/").await),
        ("writes to everybody", nobody.post("/coreuser/notification/", &message).await),
    ] {
        assert_eq!(answer.status, 401, "{case}: {}", answer.text());
        assert!(answer.header("www-authenticate").contains("Bearer"), "{case}");
    }
    let mut greedy = person("eve", "Acme");
    greedy["core_groups"] = json!([people.ann_body["core_groups"][0]]);
    let eve = nobody.post("/coreuser/", &greedy).await.expect(201).json();
    assert_eq!((&eve["is_active"], &eve["core_groups"]), (&json!(false), &people.bob_body["core_groups"]));
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_made_changed_and_removed_as_permissions_allow() {
    let people = people().await;
    let acme = &people.ann_body["organization"];
    let editors = json!({
        "name": "Editors", "organization": acme, "is_org_level": true,
        "permissions": {"create": true, "read": true, "update": true, "delete": false},
    });
    let made = people.ann.post("/coregroups/", &editors).await.expect(201).json();
    assert_eq!(made["permissions"], editors["permissions"]);
    assert_eq!((&made["is_global"], &made["workflowlevel1s"]), (&json!(false), &json!([])));
    let plain = people.ann.post("/coregroups/", &json!({"name": "Plain", "organization": acme})).await;
    let plain = plain.expect(201).json();
    let read = json!({"create": false, "read": true, "update": false, "delete": false});
    assert_eq!((&plain["permissions"], &plain["is_org_level"]), (&read, &json!(false)));

    let path = format!("/coregroups/{}/", made["id"]);
    let put = json!({"name": "Readers", "organization": acme, "permissions": read});
    let put = people.ann.put(&path, &put).await.expect(200).json();
    assert_eq!((&put["name"], &put["is_org_level"]), (&json!("Readers"), &json!(true)));
    let global = json!({"name": "World", "organization": acme, "is_global": true});
    for (case, answer, status) in [
        ("a member makes one", people.bob.post("/coregroups/", &editors).await, 403),
        ("an admin makes a global one", people.ann.post("/coregroups/", &global).await, 403),
        (
            "an admin leaves the organization out",
            people.ann.post("/coregroups/", &json!({"name": "x"})).await,
            403,
        ),
        ("the admin removes it", people.ann.delete(&path).await, 204),
        ("and reads it after that", people.ann.get(&path).await, 404),
        (
            "the last admin group is removed",
            people.ann.delete(&format!("/coregroups/{}/", people.ann_body["core_groups"][0])).await,
            409,
        ),
        (
            "the last admin leaves the group",
            people
                .ann
                .patch(&format!("/coreuser/{}/", people.ann_body["id"]), &json!({"core_groups": []}))
                .await,
            409,
        ),
        ("a user is deleted", people.ann.delete(&format!("/coreuser/{}/", people.bob_body["id"])).await, 405),
    ] {
        assert_eq!(answer.status, status, "{case}: {}", answer.text());
    }
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_registers_and_a_deactivated_one_is_out_at_once() {
    let people = people().await;
    let emails = json!({"emails": ["new@example.org", "zed@example.org"]});
    let sent = people.ann.post("/coreuser/invite/", &emails).await.expect(200).json();
    assert_eq!(sent["invitations"].as_array().unwrap().len(), 1);
    let link = sent["invitations"][0].as_str().unwrap();
    let token = link.split_once("?token=").unwrap().1;
    let check = format!("/coreuser/invite_check/?token={token}");
    let nobody = &people.server.client;
    let invitation = nobody.get(&check).await.expect(200).json();
    assert_eq!(
        (&invitation["email"], &invitation["organization"]["name"]),
        (&json!("new@example.org"), &json!("Acme"))
    );
    let mut body = person("new", "Acme");
    body["invitation_token"] = json!(token);
    let new = nobody.post("/coreuser/", &body).await.expect(201).json();
    assert_eq!(new["is_active"], true);
    for (path, detail) in [
        (check.as_str(), "Token has been used."),
        ("/coreuser/invite_check/", "No token is provided."),
        ("/coreuser/invite_check/?token=nonsense", "Token is not valid."),
    ] {
        assert_eq!(nobody.get(path).await.expect(401).json()["detail"], detail, "{path}");
    }

    let client = sign_in(&people.server, "new", PASSWORD).await;
    client.get("/coreuser/me/").await.expect(200);
    let path = format!("/coreuser/{}/", new["id"]);
    people.ann.patch(&path, &json!({"is_active": false})).await.expect(200);
    client.get("/coreuser/me/").await.expect(401);
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_address_is_verified_by_the_mailed_link() {
    let people = people().await;
    let path = format!("/coreuser/update_org/{}/", people.bob_body["id"]);
    let moved = json!({"organization_name": "Acme", "email": "robert@example.org"});
    people.bob.patch(&path, &moved).await.expect(200);
    let anybody = &people.server.client;
    let asking = "/coreuser/request_verify_email/";
    anybody.post(asking, &json!({})).await.expect(401);
    for (number, client) in [None, Some(&people.bob)].into_iter().enumerate() {
        if let Some(client) = client {
            std::fs::remove_dir_all(people.server.folder.join("mail")).unwrap();
            std::fs::create_dir(people.server.folder.join("mail")).unwrap();
            client.post(asking, &json!({})).await.expect(200);
        }
        let link = people.server.mailed_link("robert@example.org", "Verify your address").await;
        let token = json!({"token": link.rsplit('/').next().unwrap()});
        for expected in [true, false] {
            let answer = anybody.post("/coreuser/verify_email/", &token).await.expect(200);
            assert_eq!(answer.json(), json!({"success": expected}), "link {number}");
        }
    }
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_by_the_mailed_link() {
    let people = people().await;
    let nobody = &people.server.client;
    let known = nobody.post("/coreuser/reset_password/", &json!({"email": "bob@example.org"})).await;
    let unknown = nobody.post("/coreuser/reset-password/", &json!({"email": "nobody@example.org"})).await;
    assert_eq!(known.expect(200).json(), unknown.expect(200).json(), "the answer tells nothing");
    let link = people.server.mailed_link("bob@example.org", "Reset your password").await;
    let mut segments = link.trim_end_matches('/').rsplit('/');
    let (token, uid) = (segments.next().unwrap(), segments.next().unwrap());
    let check = |token: &str| json!({"uid": uid, "token": token});
    let path = "/coreuser/reset_password_check/";
    assert_eq!(nobody.post(path, &check(token)).await.expect(200).json(), json!({"success": true}));
    assert_eq!(nobody.post(path, &check("wrong")).await.expect(200).json(), json!({"success": false}));
    let new = "Other-horse-9-battery";
    let body = json!({"uid": uid, "token": token, "new_password1": new, "new_password2": new});
    let path = "/coreuser/reset_password_confirm/";
    let answer = nobody.post(path, &body).await.expect(200).json();
    assert_eq!(answer["detail"], "The password was changed successfully.");
    assert!(nobody.post(path, &body).await.expect(400).json()["token"].is_array());
    people.bob.get("/coreuser/me/").await.expect(401);
    sign_in(&people.server, "bob", new).await.get("/coreuser/me/").await.expect(200);
    people.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_resources_are_kept_by_whom_they_belong_to() {
    let people = people().await;
    let made = people.ann.post("/organization_type/", &json!({"name": "Carrier"})).await.expect(201).json();
    let path = format!("/organization_type/{}/", made["id"]);
    let renamed = people.ann.patch(&path, &json!({"name": "Transporter"})).await.expect(200).json();
    assert_eq!((&renamed["id"], &renamed["name"]), (&made["id"], &json!("Transporter")));
    people.bob.get("/organization_type/").await.expect(403);
    people.ann.delete(&path).await.expect(204);

    let (acme, zeta) = (&people.ann_body["organization"], &people.zed_body["organization"]);
    let union = json!({"name": "Union", "organization_uuids": [acme, zeta]});
    people.ann.post("/consortium/", &union).await.expect(403);
    let made = people.root.post("/consortium/", &union).await.expect(201).json();
    assert_eq!(
        (&made["id"], &made["organization_uuids"]),
        (&made["consortium_uuid"], &union["organization_uuids"])
    );
    let own = format!("/consortium/?organization_uuid={}", acme.as_str().unwrap());
    assert_eq!(people.ann.get(&own).await.expect(200).json(), json!([made]));
    people.root.delete(&format!("/consortium/{}/", made["id"].as_str().unwrap())).await.expect(204);

    let partner = people.ann.post("/partner/", &json!({"name": "Helper"})).await.expect(201).json();
    assert_eq!(people.ann.get("/partner/").await.expect(200).json(), json!([partner]));
    let described = json!({
        "description": "Makers", "phone": "+1 555 0100", "oauth_domains": ["acme.example"], "radius": 2.5,
    });
    let path = format!("/organization/{}/", acme.as_str().unwrap());
    let answer = people.ann.patch(&path, &described).await.expect(200).json();
    for (field, expected) in described.as_object().unwrap() {
        assert_eq!(&answer[field], expected, "{field}");
    }
    people.bob.patch(&path, &json!({"description": "by bob"})).await.expect(403);
    people.server.stop().await;
}
