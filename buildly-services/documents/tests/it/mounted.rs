//! The service mounted in this process: requests and answers are values.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use buildly_documents::Limits;
use buildly_kit::{Authenticate, Body, Caller, DatabaseAddress, Error, Service, Settings};
use buildly_model::{Identity, OrganizationId, Principal, UserId};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use uuid::Uuid;

/// Content of at most 1 MiB.
pub(crate) const LIMITS: Limits = Limits { content_bytes_max: 1 << 20, organization_bytes_max: 64 << 20 };

/// Believes the header `organization`, as an application does that has checked the caller itself.
struct ByHeader;

#[async_trait]
impl Authenticate for ByHeader {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let organization = headers.get("organization").and_then(|value| value.to_str().ok()?.parse().ok());
        let organization: OrganizationId = organization.ok_or(Error::Unauthenticated("Who are you?"))?;
        let identity = Identity::User(UserId::from_uuid(Uuid::from_u128(1)));
        let principal = Principal { identity, organization: Some(organization), ..Principal::ANONYMOUS };
        Ok(Caller { principal, organization })
    }
}

pub(crate) struct Mounted {
    service: Service,
    folder: PathBuf,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn acme() -> Uuid {
    Uuid::from_u128(0xACE)
}

pub(crate) fn globex() -> Uuid {
    Uuid::from_u128(0x610)
}

/// Runs a case on a service of its own that takes content of at most 1 MiB.
pub(crate) async fn mounted(case: impl AsyncFnOnce(&Mounted)) {
    let mounted = Mounted::open(new_folder(), LIMITS).await;
    case(&mounted).await;
    std::fs::remove_dir_all(mounted.close().await).unwrap();
}

pub(crate) fn new_folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Mounted {
    pub(crate) async fn open(folder: PathBuf, limits: Limits) -> Self {
        let declaration = buildly_documents::declaration(&folder.join("files"), limits).unwrap();
        let database = DatabaseAddress::File(folder.join("documents.db"));
        let service = declaration.open(Settings::new(database, Arc::new(ByHeader))).await.unwrap();
        Self { service, folder }
    }

    /// Ends the service; its folder is as it left it.
    pub(crate) async fn close(self) -> PathBuf {
        self.service.close().await;
        self.folder
    }

    pub(crate) async fn send(
        &self,
        organization: Uuid,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("organization", organization.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.service.handle(request.body(body.into()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect(64 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// A new document of acme's: its id.
    pub(crate) async fn document(&self) -> String {
        let made = self.send(acme(), Method::POST, "/documents/", &[], r#"{"title": "Plan"}"#).await;
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// Every file of content, and everything that is being received.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files(&self.folder.join("files"))
    }
}

/// Every file below a folder, but for the lock.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| !path.ends_with("content.lock"));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
