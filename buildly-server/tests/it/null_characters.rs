//! PostgreSQL's text has no null character, so no field has: refused by its name, on both
//! databases alike.

use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestServer};

const NULL: &str = "a\0b";

/// Each resource with a body that is fine but for the field.
fn bodies() -> Vec<(&'static str, &'static str, Value)> {
    let person = |field: &str| {
        let mut person = json!({
            "username": "eve", "password": PASSWORD, "organization_name": "Evil", "email": "eve@example.org",
        });
        person[field] = json!(NULL);
        person
    };
    let mut bodies: Vec<_> = [
        "username",
        "first_name",
        "last_name",
        "organization_name",
        "email",
        "contact_info",
        "user_timezone",
    ]
    .map(|field| ("/coreuser/", field, person(field)))
    .into();
    bodies.push(("/coreuser/", "push_preferences", {
        let mut person = person("title");
        person["title"] = Value::Null;
        person["push_preferences"] = json!({"sound": NULL});
        person
    }));
    let service = |name: &str, title: &str| json!({"endpoint": "http://127.0.0.1:9", "endpoint_name": name, "name": title});
    let model =
        |name: &str| json!({"logic_module_endpoint_name": "shop", "model": name, "endpoint": "/things/"});
    bodies.extend([
        ("/token/", "username", json!({"username": NULL, "password": PASSWORD})),
        ("/coreuser/reset_password/", "email", json!({"email": NULL})),
        ("/coreuser/reset_password_check/", "uid", json!({"uid": NULL, "token": "x"})),
        ("/coreuser/verify_email/", "token", json!({"token": NULL})),
        ("/coreuser/invite/", "emails", json!({"emails": [NULL]})),
        ("/coregroups/", "name", json!({"name": NULL})),
        ("/organization/", "name", json!({"name": NULL})),
        ("/organization/", "industries", json!({"name": "Fine", "industries": [NULL]})),
        ("/organization_type/", "name", json!({"name": NULL})),
        ("/consortium/", "name", json!({"name": NULL, "organization_uuids": []})),
        ("/partner/", "name", json!({"name": NULL})),
        ("/workflowlevel1/", "name", json!({"name": NULL})),
        ("/workflowlevel1/", "template", json!({"name": "Fine", "template": NULL})),
        ("/workflowleveltype/", "name", json!({"name": NULL})),
        ("/workflowlevelstatus/", "short_name", json!({"name": "Fine", "short_name": NULL})),
        ("/service_accounts/", "name", json!({"name": NULL})),
        ("/service_accounts/", "description", json!({"name": "fine", "description": NULL})),
        (
            "/oauth/applications/",
            "name",
            json!({
                "name": NULL, "client_type": "public", "authorization_grant_type": "password",
            }),
        ),
        ("/logicmodule/", "name", service("shop", NULL)),
        ("/logicmodule/", "endpoint_name", service(NULL, "Shop")),
        ("/datamesh/logicmodulemodels/", "model", model(NULL)),
    ]);
    bodies
}

async fn asked_on(server: TestServer) {
    let root = server.superuser("root", "Acme").await;
    for (path, field, body) in bodies() {
        let answer = root.post(path, &body).await;
        assert_eq!(answer.status.as_u16(), 400, "{path} {field}: {}", answer.text());
        assert!(answer.json()["errors"][field].is_array(), "{path} {field}: {}", answer.text());
    }
    let form = [("grant_type", "password"), ("client_id", "x"), ("username", NULL), ("password", "x")];
    assert_eq!(root.form("/oauth/token/", &form).await.expect(400).json()["error"], "invalid_request");
    for (path, status) in [
        ("/oauth/accesstokens/?user__username=%00", 200),
        ("/oauth/applications/?user__username=%00", 200),
        ("/coreuser/?organization__organization_uuid=%00", 400),
        ("/coreuser/invite_check/?token=%00", 401),
        ("/logicmodule/?name=%00", 200),
        ("/workflowlevel1/?name=%00", 400),
        ("/workflowlevel1/?after=1,%00", 400),
        ("/workflowlevel1/?paginate=true&cursor=1,%00", 404),
        ("/workflowlevel2/?status__short_name=%00", 400),
        ("/coreuser/%00/", 404),
    ] {
        let answer = root.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_with_a_null_character_is_refused_by_its_name_on_sqlite() {
    asked_on(TestServer::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_with_a_null_character_is_refused_by_its_name_on_postgres() {
    asked_on(TestServer::start_on_postgres().await).await;
}
