//! A viewer is refused a write, and a right that is taken away counts at once.

use serde_json::{Value, json};

use super::client::Question;
use super::story::{Failure, PATCH, POST, Story, text};

impl Story<'_> {
    pub(super) async fn rights(&mut self) -> Result<(), Failure> {
        let (admin, viewer) = (self.admin.clone(), self.viewer.clone());
        let contact = json!({ "name": "Eve Intruder" });
        let question = Question::json(POST, "/crm/contacts/", Some(&viewer), &contact);
        let refused =
            self.step("A viewer is refused a write, and told which rule decided", question, &[403]).await?;
        text(&refused, "reason")?;
        let question = Question::get("/crm/contacts/?limit=1", &viewer);
        self.step("The viewer may read", question.clone(), &[200]).await?;
        let path = format!("/coreuser/{}/", self.viewer_id().await?);
        let no_groups = json!({ "core_groups": Value::Array(Vec::new()) });
        let change = Question::json(PATCH, &path, Some(&admin), &no_groups);
        self.step("The admin takes the viewer's role away", change, &[200]).await?;
        self.step("The same token is refused on its very next request", question, &[403]).await?;
        Ok(())
    }
}
