//! Deployments to test with: a folder, and for PostgreSQL a schema of their own.

use std::path::PathBuf;

use buildly_core::auth::identity::NewSuperuser;
use buildly_core::model::system::System;
use buildly_core::model::{Clock as _, EventId, Principal, Secret};
use buildly_core::{Builder, Buildly, Postgres};

pub const PASSWORD: &str = "Correct-horse-9-battery";

/// Where the server is.
fn database_url() -> String {
    let default = || "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
    std::env::var("BUILDLY_TEST_DATABASE_URL").unwrap_or_else(|_| default())
}

/// A deployment with the superuser `ada` of `Acme`.
pub struct World {
    pub buildly: Buildly,
    pub ada: Principal,
    folder: PathBuf,
    schema: Option<String>,
}

impl World {
    pub async fn on_sqlite() -> Self {
        let folder = folder();
        let buildly = Buildly::open(&folder).await.unwrap();
        Self::of(buildly, folder, None).await
    }

    /// On SQLite, with what the program adds.
    pub async fn with(add: impl FnOnce(Builder) -> Builder) -> Self {
        let folder = folder();
        let buildly = add(Buildly::builder().folder(&folder)).build().await.unwrap();
        Self::of(buildly, folder, None).await
    }

    /// A folder of its own, which nobody takes away.
    pub fn folder() -> PathBuf {
        folder()
    }

    pub async fn on_postgres() -> Self {
        let (folder, schema) = (folder(), format!("core_{}", unique()));
        let storage = Postgres::connect_in(&database_url(), &schema).await.unwrap();
        let buildly = Buildly::builder().folder(&folder).storage(storage).build().await.unwrap();
        Self::of(buildly, folder, Some(schema)).await
    }

    async fn of(buildly: Buildly, folder: PathBuf, schema: Option<String>) -> Self {
        let ada = NewSuperuser {
            username: "ada".to_owned(),
            email: "ada@example.org".to_owned(),
            password: Secret::new(PASSWORD),
            organization_name: "Acme".to_owned(),
        };
        buildly.auth().create_superuser(&ada).await.unwrap();
        let ada = sign_in(&buildly, "ada").await;
        Self { buildly, ada, folder, schema }
    }

    /// Closes it, as its program's end would, and opens it again.
    pub async fn reopen(&mut self) {
        self.buildly.close().await;
        self.buildly = Buildly::open(&self.folder).await.unwrap();
    }

    /// Takes away what it made.
    pub async fn remove(self) {
        self.buildly.close().await;
        if let Some(schema) = &self.schema {
            Postgres::drop_schema(&database_url(), schema).await.unwrap();
        }
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

pub async fn sign_in(buildly: &Buildly, username: &str) -> Principal {
    let issued = buildly.auth().open_session(username, &Secret::new(PASSWORD), None).await.unwrap();
    buildly.auth().authenticate(issued.access_token.expose()).await.unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique())
}

fn unique() -> String {
    EventId::generate(System.now(), &System).as_uuid().simple().to_string()
}
