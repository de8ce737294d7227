//! Services are registered from their OpenAPI documents, and the mesh learns how their
//! records belong together.

use std::net::SocketAddr;

use http::Method;
use serde_json::{Value, json};

use super::client::Question;
use super::story::{Failure, PATCH, POST, Story, number, rows, text};

impl Story<'_> {
    pub(super) async fn services(&mut self) -> Result<(), Failure> {
        self.register("crm", self.stage.crm).await?;
        self.register("documents", self.stage.documents).await?;
        self.register("appointments", self.stage.appointments).await?;
        let contact = self.record_type("crm", "Contact", "/contacts/").await?;
        let document = self.record_type("documents", "Document", "/documents/").await?;
        let appointment = self.record_type("appointments", "Appointment", "/appointments/").await?;
        self.relationship("documents", &contact, &document).await?;
        self.relationship("appointments", &contact, &appointment).await
    }

    async fn relationship(&mut self, key: &str, contact: &str, related: &str) -> Result<(), Failure> {
        let root = self.root.clone();
        let relationship = json!({ "key": key, "origin_model_id": contact, "related_model_id": related });
        let question = Question::json(POST, "/datamesh/relationships/", Some(&root), &relationship);
        // 400 on a second start: the relationship is there.
        self.step(&format!("The mesh learns that contacts have {key}"), question, &[201, 400]).await?;
        Ok(())
    }

    /// Registers a service, or tells the gateway its new port on a second start.
    async fn register(&mut self, name: &str, address: SocketAddr) -> Result<(), Failure> {
        let root = self.root.clone();
        let endpoint = format!("http://{address}");
        // Only members of these groups may use it, each as the group may.
        let groups = json!([self.admins, self.users]);
        let registered = self.quietly(Question::get("/logicmodule/", &root), &[200]).await?;
        let known = rows(&registered).iter().find(|service| has(service, "endpoint_name", name));
        let path = match known {
            Some(service) => {
                let path = format!("/logicmodule/{}/", number(service, "id")?);
                let change = json!({ "endpoint": endpoint, "core_groups": groups });
                let question = Question::json(PATCH, &path, Some(&root), &change);
                self.step(
                    &format!("Service `{name}` is registered already; it has a new port"),
                    question,
                    &[200],
                )
                .await?;
                path
            }
            None => {
                let service = json!({
                    "name": name, "endpoint": endpoint, "endpoint_name": name, "docs_endpoint": "docs",
                    "core_groups": groups,
                });
                let title = format!("Service `{name}` is registered, for the organization's groups");
                let question = Question::json(POST, "/logicmodule/", Some(&root), &service);
                let service = self.step(&title, question, &[201]).await?;
                format!("/logicmodule/{}/", number(&service, "id")?)
            }
        };
        let path = format!("{path}specification/");
        let question = Question::json(Method::PUT, &path, Some(&root), &json!({}));
        self.step(
            &format!("Its operations are read from its OpenAPI document at {endpoint}/docs/"),
            question,
            &[200],
        )
        .await?;
        Ok(())
    }

    async fn record_type(&mut self, service: &str, model: &str, endpoint: &str) -> Result<String, Failure> {
        let root = self.root.clone();
        let is_same =
            |known: &&Value| has(known, "logic_module_endpoint_name", service) && has(known, "model", model);
        let known = self.quietly(Question::get("/datamesh/logicmodulemodels/", &root), &[200]).await?;
        if let Some(known) = rows(&known).iter().find(is_same) {
            return text(known, "logic_module_model_uuid");
        }
        let record_type = json!({
            "logic_module_endpoint_name": service, "model": model, "endpoint": endpoint,
            "lookup_field_name": "id", "is_local": false,
        });
        let question = Question::json(POST, "/datamesh/logicmodulemodels/", Some(&root), &record_type);
        let made = self.quietly(question, &[201]).await?;
        text(&made, "logic_module_model_uuid")
    }
}

fn has(row: &Value, field: &str, value: &str) -> bool {
    row.get(field).and_then(Value::as_str).is_some_and(|found| found.trim_matches('/') == value)
}
