//! The services behind the gateways: one small C program that costs little, beside the load.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::{Failure, settings, wire};

/// Its first port; it takes this one and three more.
const PORT: u16 = 7100;

/// Three services of related records: customers, documents and appointments.
pub struct Upstream {
    _child: Child,
}

impl Upstream {
    /// Compiles it with the machine's C compiler, and starts it.
    ///
    /// # Errors
    /// If there is no C compiler, or its ports are not free.
    pub async fn start() -> Result<Self, Failure> {
        let home = settings::peers_home();
        std::fs::create_dir_all(&home)?;
        let (source, program) = (settings::peers_script("upstream.c"), home.join("upstream"));
        let compiled = Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(source).output().await?;
        if !compiled.status.success() {
            let got = String::from_utf8_lossy(&compiled.stderr).into_owned();
            return Err(Failure::Wrong { expected: "a C compiler that compiles the stub", got });
        }
        let mut child = Command::new(program);
        child.arg(PORT.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let upstream = Self { _child: child.spawn()? };
        for _ in 0..100 {
            if upstream.calls().await.is_ok() {
                return Ok(upstream);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(Failure::Wrong { expected: "the stub to answer", got: "nothing; is port 7100 taken?".to_owned() })
    }

    /// Where all of it is served.
    #[must_use]
    pub const fn port(&self) -> u16 {
        PORT
    }

    /// The port of one service alone: 1 customers, 2 documents, 3 appointments.
    #[must_use]
    pub const fn port_of(&self, service: u16) -> u16 {
        PORT + service
    }

    /// Where all of it is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))
    }

    /// How often its services were called since this was asked last.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn calls(&self) -> Result<u64, Failure> {
        let (_, body) = wire::ask(self.address(), &wire::get("/__reset", None)).await?;
        let calls: Value = serde_json::from_slice(&body).map_err(Failure::http)?;
        Ok(calls.get("total").and_then(Value::as_u64).unwrap_or_default())
    }
}
