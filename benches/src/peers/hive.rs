//! Hive Gateway (GraphQL Mesh) over the stub's OpenAPI documents, with batched joins.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::install;
use crate::{Failure, cores, settings, wire};

const NAME: &str = "hive";
const PORT: u16 = 7301;

/// A page of customers, each with its document and its appointment, all fields of each.
const QUESTION: &str = r#"{"query":"{customers_list{id name email document_ids document{id customer_id title appointment_id} appointment{id customer_id document_id date}}}"}"#;

/// A running Hive Gateway, on the core of what is measured.
pub struct Hive {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Hive {
    /// What is measured.
    pub const VERSION: &str = "Hive Gateway 2.15.1, batched";

    /// Installs it, composes the supergraph and starts it.
    ///
    /// # Errors
    /// If one of that does not succeed.
    pub async fn start(upstream: u16) -> Result<Self, Failure> {
        let packages = [
            "@graphql-hive/gateway@2.15.1",
            "@graphql-mesh/compose-cli@1.8.2",
            "@omnigraph/openapi@0.112.4",
            "graphql@16",
        ];
        let home = install::npm(NAME, &packages).await?;
        for script in ["hive-gateway.mjs", "hive-mesh.mjs"] {
            std::fs::copy(settings::peers_script(script), home.join(script))?;
        }
        let mut compose = Command::new("node");
        compose.args(["node_modules/.bin/mesh-compose", "-c", "hive-mesh.mjs", "-o", "supergraph.graphql"]);
        compose.env("UP_PORT", upstream.to_string()).current_dir(&home).kill_on_drop(true);
        let composed = tokio::time::timeout(Duration::from_secs(120), compose.output());
        let composed = composed.await.map_err(Failure::http)??;
        if !composed.status.success() {
            let said = [composed.stdout, composed.stderr].concat();
            let reason = String::from_utf8_lossy(&said).chars().take(400).collect();
            return Err(Failure::Peer { peer: NAME, reason });
        }
        let mut gateway = cores::on_the_measured("node");
        gateway.args(["node_modules/.bin/hive-gateway", "supergraph", "-c", "hive-gateway.mjs"]);
        gateway.env("NODE_ENV", "production").env("SUPERGRAPH", "./supergraph.graphql");
        gateway.env("PORT", PORT.to_string()).current_dir(&home);
        gateway.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let hive = Self { child: gateway.spawn()?, address };
        for _ in 0..300 {
            if wire::ask(address, &Self::question()).await.is_ok_and(|(status, _)| status == 200) {
                return Ok(hive);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(Failure::Peer { peer: NAME, reason: "it did not answer within a minute".to_owned() })
    }

    /// The request for the joined page.
    #[must_use]
    pub fn question() -> Vec<u8> {
        wire::post("/graphql", None, QUESTION)
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }
}
