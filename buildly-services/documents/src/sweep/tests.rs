use std::path::PathBuf;

use buildly_kit::Declaration;
use buildly_kit::testing::{ADA, Client, on_postgres, on_sqlite};
use uuid::Uuid;

use super::*;
use crate::{Document, Folder, Limits};

fn declare() -> Declaration {
    Declaration::new("documents", "Documents", "Without a sweep of their own.")
        .record::<Folder>()
        .record::<Document>()
        .record::<Version>()
}

struct Case {
    client: Client,
    content: Arc<Content>,
    document: Uuid,
}

impl Case {
    async fn new(client: Client) -> Self {
        let body = serde_json::json!({"title": "Plan"});
        let document = Uuid::parse_str(&client.make(ADA, "/documents/", body).await).unwrap();
        let content = Arc::new(Content::open(&client.folder.join("files"), Limits::default()).unwrap());
        Self { client, content, document }
    }

    fn organization() -> OrganizationId {
        OrganizationId::from_uuid(ADA.organization)
    }

    /// A file of content that was put there two hours ago, or just now.
    fn file(&self, digit: &str, is_old: bool) -> PathBuf {
        let sha256 = digit.repeat(DIGEST_DIGITS);
        let folder = self.content.contents().join(Self::organization().to_string()).join(digit.repeat(2));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(sha256);
        std::fs::write(&path, "content").unwrap();
        if is_old {
            let now = self.client.service.records().now();
            let then = now.before(2 * AGE_MIN).as_microseconds();
            let then = UNIX_EPOCH + Duration::from_micros(u64::try_from(then).unwrap());
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        }
        path
    }

    async fn name(&self, digit: &str) {
        let version = Version {
            document: self.document,
            number: 1,
            media_type: "text/plain".to_owned(),
            bytes: 7,
            sha256: digit.repeat(DIGEST_DIGITS),
        };
        self.client.service.records().make(Self::organization(), &version).await.unwrap();
    }

    async fn sweep(&self) {
        sweep(&self.content, self.client.service.records()).await.unwrap();
    }
}

async fn only_old_content_that_nothing_names_is_removed(client: Client) {
    let case = Case::new(client).await;
    let (named, left, young) = (case.file("a", true), case.file("b", true), case.file("c", false));
    let foreign = left.with_file_name("notes.txt");
    std::fs::write(&foreign, "not ours").unwrap();
    case.name("a").await;
    let placing = case.content.placing(Case::organization(), &"b".repeat(DIGEST_DIGITS));
    case.sweep().await;
    assert!(left.exists(), "somebody is about to name it");
    drop(placing);
    case.sweep().await;
    assert!(!left.exists(), "nobody names it");
    assert!(named.exists() && young.exists() && foreign.exists());
}

async fn the_wrong_database_costs_no_content(client: Client) {
    let case = Case::new(client).await;
    let files = [case.file("a", true), case.file("b", true)];
    case.sweep().await;
    assert!(files.iter().all(|file| file.exists()), "a database that names nothing is not believed");
}

fn folder() -> String {
    std::env::temp_dir().join("buildly-documents").display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_keeps_what_is_needed_on_sqlite() {
    on_sqlite(&folder(), |_| declare(), only_old_content_that_nothing_names_is_removed).await;
    on_sqlite(&folder(), |_| declare(), the_wrong_database_costs_no_content).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_keeps_what_is_needed_on_postgres() {
    on_postgres(&folder(), |_| declare(), only_old_content_that_nothing_names_is_removed).await;
    on_postgres(&folder(), |_| declare(), the_wrong_database_costs_no_content).await;
}
