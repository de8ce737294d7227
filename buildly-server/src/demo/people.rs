//! An organization signs up, and its people sign in.

use buildly_core::auth::Error;
use buildly_core::auth::identity::NewSuperuser;
use buildly_model::Secret;
use serde_json::json;

use super::client::Question;
use super::story::{
    ADMIN, Failure, ORGANIZATION, PASSWORD, PATCH, POST, SUPERUSER, Story, VIEWER, number, rows, text,
};

impl Story<'_> {
    pub(super) async fn people(&mut self) -> Result<(), Failure> {
        self.operator().await?;
        let registration = json!({
            "username": ADMIN, "email": "ada@example.org", "password": PASSWORD,
            "first_name": "Ada", "last_name": "Lovelace", "organization_name": ORGANIZATION,
        });
        // 400 on a second start: the name is taken, by ourselves.
        let question = Question::json(POST, "/coreuser/", None, &registration);
        self.step("An organization signs up; who signs it up becomes its admin", question, &[201, 400])
            .await?;
        self.admin = self.sign_in(Some("Its admin signs in"), ADMIN).await?;
        let admin = self.admin.clone();
        let groups = self
            .step(
                "The organization has its default roles: Admins may do everything, Users may read",
                Question::get("/coregroups/", &admin),
                &[200],
            )
            .await?;
        for group in rows(&groups) {
            match text(group, "name")?.as_str() {
                "Admins" => self.admins = number(group, "id")?,
                "Users" => self.users = number(group, "id")?,
                _ => {}
            }
        }
        let me = self.quietly(Question::get("/coreuser/me/", &admin), &[200]).await?;
        let organization = me.get("organization").map(|organization| text(organization, "organization_uuid"));
        let organization = organization.ok_or_else(|| Failure::new("the admin is in no organization"))??;
        self.organization = organization.parse().ok();
        self.viewer().await
    }

    /// The operator's own account: what `buildly admin create` does.
    async fn operator(&mut self) -> Result<(), Failure> {
        let new = NewSuperuser {
            username: SUPERUSER.to_owned(),
            email: "root@example.org".to_owned(),
            password: Secret::new(PASSWORD),
            organization_name: "Operations".to_owned(),
        };
        match self.buildly.auth().create_superuser(&new).await {
            // The name is taken on a second start.
            Ok(_) | Err(Error::Invalid(_)) => {}
            Err(error) => {
                return Err(Failure::new(format!("the operator's account cannot be made: {error}")));
            }
        }
        self.root = self.sign_in(None, SUPERUSER).await?;
        Ok(())
    }

    /// A second person, who may only look.
    async fn viewer(&mut self) -> Result<(), Failure> {
        let admin = self.admin.clone();
        let registration = json!({
            "username": VIEWER, "email": "vic@example.org", "password": PASSWORD,
            "first_name": "Vic", "last_name": "Viewer", "organization_name": ORGANIZATION,
        });
        self.quietly(Question::json(POST, "/coreuser/", None, &registration), &[201, 400]).await?;
        let id = self.viewer_id().await?;
        let path = format!("/coreuser/{id}/");
        let approval = json!({ "is_active": true, "core_groups": [self.users] });
        self.step(
            "A second person has registered; the admin lets them in, as a viewer",
            Question::json(PATCH, &path, Some(&admin), &approval),
            &[200],
        )
        .await?;
        self.viewer = self.sign_in(None, VIEWER).await?;
        Ok(())
    }

    pub(super) async fn viewer_id(&self) -> Result<u64, Failure> {
        let users = self.quietly(Question::get("/coreuser/", &self.admin), &[200]).await?;
        let viewer = rows(&users).iter().find(|user| user.get("username").is_some_and(|name| name == VIEWER));
        number(viewer.ok_or_else(|| Failure::new("the viewer is not in the list of users"))?, "id")
    }
}
