//! A real server in this process, on a port of its own, with a fresh folder.

use std::path::PathBuf;

use buildly_core::auth::identity::NewSuperuser;
use buildly_model::Secret;
use buildly_server::Running;
use buildly_server::configuration::Configuration;

use crate::client::Client;

/// A running server; its folder goes when it is dropped.
pub struct TestServer {
    running: Option<Running>,
    pub client: Client,
    pub folder: PathBuf,
    schema: Option<String>,
}

/// The password of everybody in the tests.
pub const PASSWORD: &str = "Correct-horse-9-battery";

/// The database of the tests; it must be there.
pub const POSTGRES_URL: &str = "postgres://postgres@127.0.0.1:5432/postgres";

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// Starts one on PostgreSQL, in a schema of its own that is dropped by [`TestServer::stop`].
    pub async fn start_on_postgres() -> Self {
        let schema = format!("server_{}", uuid::Uuid::now_v7().simple());
        let mut server = Self::start_with(|configuration| {
            configuration.database_url = Some(Secret::new(POSTGRES_URL));
            configuration.database_schema = schema.clone();
        })
        .await;
        server.schema = Some(schema);
        server
    }

    /// Starts one whose settings the test changes first.
    pub async fn start_with(change: impl FnOnce(&mut Configuration)) -> Self {
        let folder = std::env::temp_dir().join(format!("buildly-server-{}", uuid::Uuid::now_v7()));
        let mut configuration = Configuration {
            listen: "127.0.0.1:0".to_owned(),
            data_dir: folder.clone(),
            ..Configuration::default()
        };
        change(&mut configuration);
        let running = Running::start(configuration).await.expect("the server starts");
        let client = Client::new(format!("http://{}", running.address()));
        Self { running: Some(running), client, folder, schema: None }
    }

    /// Makes a superuser in an organization, and a client that is signed in as it.
    pub async fn superuser(&self, username: &str, organization: &str) -> Client {
        let new = NewSuperuser {
            username: username.to_owned(),
            email: format!("{username}@example.org"),
            password: Secret::new(PASSWORD),
            organization_name: organization.to_owned(),
        };
        self.running().server().buildly().auth().create_superuser(&new).await.expect("a superuser");
        self.signed_in(username).await
    }

    /// A client that is signed in as a user whose password is [`PASSWORD`].
    pub async fn signed_in(&self, username: &str) -> Client {
        let auth = self.running().server().buildly().auth();
        let issued = auth.open_session(username, &Secret::new(PASSWORD), None).await.expect("a session");
        self.client.signed_in(issued.access_token.expose())
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("not stopped")
    }

    /// The deployment behind it.
    pub fn buildly(&self) -> &buildly_core::Buildly {
        self.running().server().buildly()
    }

    /// The link in the newest mail to `to` whose subject is `subject`.
    pub async fn mailed_link(&self, to: &str, subject: &str) -> String {
        for _ in 0..200 {
            let mut mails: Vec<PathBuf> = std::fs::read_dir(self.folder.join("mail"))
                .unwrap()
                .map(|file| file.unwrap().path())
                .collect();
            mails.sort();
            for mail in mails.iter().rev() {
                let text = std::fs::read_to_string(mail).unwrap().replace("=\r\n", "");
                if text.contains(to) && text.contains(subject) {
                    let link = text.split_whitespace().find(|word| word.starts_with("http"));
                    return link.unwrap().replace("=3D", "=");
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no mail to {to} about {subject}");
    }

    /// Its schema of the test database.
    pub fn schema(&self) -> &str {
        self.schema.as_deref().expect("it runs on PostgreSQL")
    }

    /// Stops it in an orderly way.
    pub async fn stop(mut self) {
        self.running.take().expect("not stopped").stop().await;
        if let Some(schema) = self.schema.take() {
            drop_schema(&schema).await;
        }
    }
}

/// Drops a schema of the test database.
pub async fn drop_schema(schema: &str) {
    use sqlx::{Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(POSTGRES_URL).await.expect("PostgreSQL answers");
    let statement = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    connection.execute(sqlx::AssertSqlSafe(statement)).await.expect("the schema goes");
}

/// Notes that something could not be tested here; `cargo xtask test` counts it as skipped.
pub fn skipped(what: &str) {
    use std::io::Write as _;
    eprintln!("skipped: {what}");
    let Some(path) = std::env::var_os("XTASK_SKIPPED_TESTS") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{what}").unwrap();
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.folder);
    }
}
