//! Restate: its server and the SDK's endpoint, with the same three steps.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::process::{Child, Command};

use super::install;
use crate::load::{Ask, Client};
use crate::{Failure, settings};

const NAME: &str = "restate";
const INGRESS: u16 = 7480;
const ADMIN: u16 = 7470;
const SDK: u16 = 7481;

/// A running Restate.
pub struct Restate {
    _server: Child,
    _sdk: Child,
    folder: std::path::PathBuf,
}

impl Restate {
    /// What is measured.
    pub const VERSION: &str = "Restate 1.7.12 (WAL fsync on)";

    /// Starts it on new data.
    ///
    /// # Errors
    /// If it cannot be installed, does not start, or answers wrongly.
    pub async fn start(stub_port: u16) -> Result<Self, Failure> {
        let packages = ["@restatedev/restate-server-linux-x64@1.7.12", "@restatedev/restate-sdk@1.17.2"];
        let home = install::npm(NAME, &packages).await?;
        std::fs::copy(settings::peers_script("restate_wf.mjs"), home.join("restate_wf.mjs"))?;
        let folder = std::env::temp_dir().join(format!("buildly-bench-restate-{}", uuid::Uuid::now_v7()));
        let mut sdk = Command::new("node");
        sdk.arg("restate_wf.mjs").env("NODE_ENV", "production").env("PORT", SDK.to_string());
        sdk.env("UP_PORT", stub_port.to_string()).current_dir(&home);
        let sdk = quiet(&mut sdk).spawn()?;
        let program = "node_modules/@restatedev/restate-server-linux-x64/bin/restate-server";
        let mut server = Command::new(home.join(program));
        server.arg("--base-dir").arg(&folder).args(["--node-name", "n1"]);
        for (name, value) in [
            ("RESTATE_INGRESS__BIND_ADDRESS", format!("127.0.0.1:{INGRESS}")),
            ("RESTATE_ADMIN__BIND_ADDRESS", format!("127.0.0.1:{ADMIN}")),
            ("RESTATE_BIND_ADDRESS", "127.0.0.1:7422".to_owned()),
            ("RESTATE_DISABLE_TELEMETRY", "true".to_owned()),
            ("RESTATE_LOG_FILTER", "warn".to_owned()),
        ] {
            server.env(name, value);
        }
        let server = quiet(&mut server).spawn()?;
        let restate = Self { _server: server, _sdk: sdk, folder };
        restate.register().await?;
        Ok(restate)
    }

    async fn register(&self) -> Result<(), Failure> {
        let client = Client::default();
        let url = format!("http://127.0.0.1:{ADMIN}/deployments");
        let body = format!(r#"{{"uri":"http://127.0.0.1:{SDK}"}}"#);
        let (mut is_registered, first) = (false, CompleteRun.request(u64::MAX));
        for _ in 0..120 {
            if !is_registered {
                let answer = client.send(Method::POST, &url, Bytes::from(body.clone())).await;
                is_registered = answer.is_ok_and(|(status, _)| status.is_success());
            } else if let Ok((status, body)) = client.send(Method::POST, &first.0, first.1.clone()).await
                && CompleteRun.is_right(status, &body)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Err(Failure::Peer { peer: NAME, reason: "it did not come up within a minute".to_owned() })
    }
}

impl Drop for Restate {
    fn drop(&mut self) {
        // Its data is thrown away while it ends; what is left is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Starts a keyed workflow of three steps and waits until it has completed.
pub struct CompleteRun;

impl Ask for CompleteRun {
    fn request(&self, number: u64) -> (String, Bytes) {
        (format!("http://127.0.0.1:{INGRESS}/wf/run-{number}/run"), Bytes::from_static(b"{}"))
    }

    fn is_right(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK && body == br#"{"t":33}"#
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true)
}
