//! A program in which people sign in with an account that they have elsewhere.
//!
//! ```sh
//! export ISSUER=https://login.example.org CLIENT_ID=shop CLIENT_SECRET=… ADMIN_PASSWORD=…
//! cargo run -p example-oidc-sign-in -- ./shop-data 127.0.0.1:8080
//! ```
//!
//! Then open `http://127.0.0.1:8080/sign-in`. `REACH_PRIVATE=true` for a provider on this machine.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::env;
use std::error::Error;
use std::net::SocketAddr;

use buildly_core::Buildly;
use buildly_core::auth::identity::NewSuperuser;
use buildly_core::model::Secret;
use example_oidc_sign_in::{Maintenance, Oidc, Settings, Site, router};
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

/// The organization that people of the provider come to.
const ORGANIZATION: &str = "Shop";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "./shop-data".to_owned());
    let listener = TcpListener::bind(arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned())).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let settings = Settings {
        issuer: env::var("ISSUER")?,
        client_id: env::var("CLIENT_ID")?,
        client_secret: env::var("CLIENT_SECRET").ok().map(Secret::new),
        redirect_uri: env::var("REDIRECT_URI").unwrap_or_else(|_| format!("{origin}/callback")),
        organization: ORGANIZATION.to_owned(),
        groups_claim: env::var("GROUPS_CLAIM").ok(),
    };
    let oidc = Oidc::new(settings, env::var("REACH_PRIVATE").is_ok_and(|value| value == "true"))?;
    let maintenance = Maintenance::default();
    let builder = Buildly::builder().folder(folder).security(oidc.clone()).security(maintenance.clone());
    let buildly = builder.build().await?;
    prepare(&buildly).await?;
    println!("listening on {origin}");
    let site = Site { buildly: buildly.clone(), oidc, maintenance };
    let service = router(site).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(told_to_end()).await?;
    buildly.close().await;
    Ok(())
}

/// The first start makes the organization, and an administrator with a password: who answers for a
/// deployment should not depend on a provider.
async fn prepare(buildly: &Buildly) -> Result<(), Failure> {
    if buildly.auth().operator().await.is_ok() {
        return Ok(());
    }
    let password = env::var("ADMIN_PASSWORD").map_err(|_| "ADMIN_PASSWORD is not set")?;
    let admin = NewSuperuser {
        username: "admin".to_owned(),
        email: "admin@example.org".to_owned(),
        password: Secret::new(password),
        organization_name: ORGANIZATION.to_owned(),
    };
    buildly.auth().create_superuser(&admin).await?;
    Ok(())
}

/// Ends once the process is told to, by Ctrl-C or `SIGTERM`.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _told_or_never = tokio::signal::ctrl_c().await;
}
