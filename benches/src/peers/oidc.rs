//! `oidc-provider` of npm, on the core of what is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Child;

use super::install;
use crate::{Failure, cores, settings, wire};

const NAME: &str = "oidc-provider";
const CLIENT: &str = "bench:a-secret-of-the-bench";

/// A running provider.
pub struct Oidc {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Oidc {
    /// What is measured.
    pub const VERSION: &str = "npm oidc-provider 9.13.3, nothing durable";

    /// Starts it; `is_jwt`: its access tokens are JWTs signed with ES256, else opaque.
    ///
    /// # Errors
    /// If it cannot be installed, or does not start.
    pub async fn start(is_jwt: bool) -> Result<Self, Failure> {
        let home = install::npm(NAME, &["oidc-provider@9.13.3"]).await?;
        std::fs::copy(settings::peers_script("oidc.mjs"), home.join("oidc.mjs"))?;
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = cores::on_the_measured("node");
        command.arg("oidc.mjs").env("NODE_ENV", "production").env("PORT", port.to_string());
        command.env("FORMAT", if is_jwt { "jwt" } else { "opaque" }).current_dir(&home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let oidc = Self { child: command.spawn()?, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        for _ in 0..150 {
            if oidc.token().await.is_ok() {
                return Ok(oidc);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Failure::Peer { peer: NAME, reason: "it gave no token within 15 seconds".to_owned() })
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// The request for an access token of the application itself.
    #[must_use]
    pub fn token_request() -> Vec<u8> {
        wire::post_form("/token", Some(&wire::basic(CLIENT)), "grant_type=client_credentials&scope=api:read")
    }

    /// The request for what a token is worth.
    ///
    /// # Errors
    /// If it gives no token.
    pub async fn introspection_request(&self) -> Result<Vec<u8>, Failure> {
        let body = format!("token={}", self.token().await?);
        Ok(wire::post_form("/token/introspection", Some(&wire::basic(CLIENT)), &body))
    }

    async fn token(&self) -> Result<String, Failure> {
        let (_, body) = wire::ask(self.address, &Self::token_request()).await?;
        let answer: Value = serde_json::from_slice(&body).map_err(Failure::http)?;
        let token = answer.get("access_token").and_then(Value::as_str);
        token
            .map(str::to_owned)
            .ok_or_else(|| Failure::Wrong { expected: "a token", got: answer.to_string() })
    }
}
