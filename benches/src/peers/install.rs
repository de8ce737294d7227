//! Packages of peers, below `PEERS_HOME`.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::{Failure, settings};

async fn run(peer: &'static str, command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| Failure::Peer { peer, reason: error.to_string() })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(3).collect();
    Err(Failure::Peer { peer, reason: last.join(" / ") })
}

/// A folder with these npm packages.
pub(super) async fn npm(peer: &'static str, packages: &[&str]) -> Result<PathBuf, Failure> {
    let folder = settings::peers_home().join(peer);
    let done = folder.join(".done");
    if !done.exists() {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("package.json"), r#"{"private":true,"type":"module"}"#)?;
        let mut install = Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund"]).args(packages).current_dir(&folder);
        run(peer, &mut install).await?;
        std::fs::write(done, "")?;
    }
    Ok(folder)
}

/// The Python of a virtual environment with these packages.
pub(super) async fn pip(peer: &'static str, packages: &[&str]) -> Result<PathBuf, Failure> {
    let folder = settings::peers_home().join(peer);
    let (python, done) = (folder.join("bin/python"), folder.join(".done"));
    if !done.exists() {
        run(peer, Command::new("python3").args(["-m", "venv"]).arg(&folder)).await?;
        run(peer, Command::new(&python).args(["-m", "pip", "install", "-q"]).args(packages)).await?;
        std::fs::write(done, "")?;
    }
    Ok(python)
}

/// Debian packages, installed if the program of that name is not there (as root).
pub(super) async fn apt(peer: &'static str, program: &str, packages: &[&str]) -> Result<(), Failure> {
    if run(peer, Command::new("which").arg(program)).await.is_ok() {
        return Ok(());
    }
    run(peer, Command::new("apt-get").args(["update", "-qq"])).await?;
    let mut install = Command::new("apt-get");
    // Nothing that a package would start is started.
    install.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    run(peer, install.args(["install", "-y", "-qq"]).args(packages)).await
}
