//! The program in the process of the test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use buildly_core::Buildly;
use buildly_core::auth::identity::{NewSuperuser, UserKey, UserUpdate};
use buildly_core::gateway::Registration;
use buildly_core::model::{Body, Principal, Secret};
use buildly_core::{Settings as Deployment, auth};
use example_oidc_sign_in::{Maintenance, Oidc, Settings, Site, router};
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "Correct-horse-9-battery";

pub(crate) struct Running {
    pub(crate) origin: String,
    pub(crate) buildly: Buildly,
    folder: PathBuf,
    serving: JoinHandle<()>,
}

/// What is agreed with the provider at `issuer`.
pub(crate) fn settings(issuer: &str, origin: &str) -> Settings {
    Settings {
        issuer: issuer.to_owned(),
        client_id: "shop".to_owned(),
        client_secret: None,
        redirect_uri: format!("{origin}/callback"),
        organization: "Shop".to_owned(),
        groups_claim: None,
    }
}

impl Running {
    /// With an administrator, `admin`, and a service that answers everything, `stock`. Addresses
    /// of the provider count if it is `trusted`.
    pub(crate) async fn start(issuer: &str, trusted: bool) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let oidc = Oidc::new(settings(issuer, &origin), true).unwrap();
        let maintenance = Maintenance::default();
        let identity = auth::identity::Settings {
            issuers_trusted_with_email: trusted.then(|| issuer.to_owned()).into_iter().collect(),
            ..auth::identity::Settings::default()
        };
        let builder = Buildly::builder()
            .folder(&folder)
            .settings(Deployment { identity, ..Deployment::default() })
            .security(oidc.clone())
            .security(maintenance.clone());
        let buildly = builder.build().await.unwrap();
        let admin = NewSuperuser {
            username: "admin".to_owned(),
            email: "admin@example.org".to_owned(),
            password: Secret::new(PASSWORD),
            organization_name: "Shop".to_owned(),
        };
        buildly.auth().create_superuser(&admin).await.unwrap();
        buildly.attach_service("stock.localhost", Arc::new(stock));
        let operator = buildly.auth().operator().await.unwrap();
        let registration = Registration {
            name: Some("stock".to_owned()),
            endpoint: Some("http://stock.localhost".to_owned()),
            ..Registration::default()
        };
        buildly.gateway().register(&operator, registration).await.unwrap();
        let site = Site { buildly: buildly.clone(), oidc, maintenance };
        let service = router(site).into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { origin, buildly, folder, serving }
    }

    pub(crate) async fn operator(&self) -> Principal {
        self.buildly.auth().operator().await.unwrap()
    }

    pub(crate) async fn switch(&self, user: UserKey, is_active: bool) {
        let update = UserUpdate { is_active: Some(is_active), ..UserUpdate::default() };
        self.buildly.auth().update_user(&self.operator().await, user, &update).await.unwrap();
    }

    pub(crate) async fn admin_token(&self) -> String {
        let issued = self.buildly.auth().open_session("admin", &Secret::new(PASSWORD), None).await.unwrap();
        issued.access_token.expose().to_owned()
    }

    pub(crate) async fn stop(self) {
        self.serving.abort();
        self.buildly.close().await;
        std::fs::remove_dir_all(self.folder).unwrap();
    }
}

async fn stock(request: Request<Body>) -> Result<Response<Body>, buildly_core::model::BodyError> {
    let document = r#"{"openapi": "3.1.0", "info": {"title": "Stock", "version": "1"}, "paths": {"/items/": {
        "get": {"operationId": "list_items", "responses": {"200": {"description": "all"}}},
        "post": {"operationId": "create_item", "responses": {"201": {"description": "made"}}}}}}"#;
    let is_document = request.uri().path().starts_with("/docs/");
    Ok(Response::new(Body::from(if is_document { document } else { "[]" })))
}
