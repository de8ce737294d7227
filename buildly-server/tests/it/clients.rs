//! Clients that others wrote sign in, check tokens by discovery and read our API document.
//!
//! They are installed under `target/`; where their registries cannot be reached the test
//! is counted as skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::json;

use crate::harness::{TestServer, skipped};
use crate::tokens::{CLIENT, PASSWORD, prepare};
use crate::upstream::Upstream;

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn installed(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a step of an installation; `false`, counted as skipped, if it cannot be done here.
fn install(command: &mut Command) -> bool {
    let reason = match command.output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let program = command.get_program().to_string_lossy().into_owned();
    // One line: each line counts as one test that was skipped.
    let first = reason.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason was given");
    skipped(&format!("independent clients: `{program}` cannot install them: {first}"));
    false
}

async fn signs_in(mut command: Command) {
    let server = TestServer::start().await;
    prepare(&server).await;
    command.args([server.client.url("").as_str(), CLIENT, "root", PASSWORD]);
    let output: Output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.trim() == "ok", "{said}\n{complained}");
    server.stop().await;
}

/// Python with what the scripts need; `None` where it cannot be installed.
static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folder = installed("python");
    let python = folder.join("venv/bin/python");
    if !python.exists() && !install(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv"))) {
        return None;
    }
    let requirements = scripts().join("requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "-r"];
    install(Command::new(&python).args(pip).arg(requirements)).then_some(python)
});

async fn python() -> Option<Command> {
    let python = tokio::task::spawn_blocking(|| PYTHON.clone()).await.unwrap();
    python.map(Command::new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authlib_and_pyjwt_sign_in_and_verify_by_discovery() {
    let Some(mut command) = python().await else { return };
    command.arg(scripts().join("sign_in.py"));
    signs_in(command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openapi_spec_validator_takes_the_document_of_everything() {
    let Some(mut command) = python().await else { return };
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    for (name, declaration) in [
        ("crm", buildly_crm::declaration()),
        (
            "documents",
            buildly_documents::declaration(&installed("documents"), buildly_documents::Limits::default())
                .unwrap(),
        ),
        ("appointments", buildly_appointments::declaration()),
    ] {
        let service = Upstream::start().await;
        service.answer("/docs/swagger.json", 200, &declaration.openapi().unwrap().to_string());
        root.post("/gateway/services/", &json!({"name": name, "base_url": service.url})).await.expect(201);
        root.post(&format!("/gateway/services/{name}/specification/"), &json!({})).await.expect(200);
        let document = root.get("/docs/swagger.json").await.expect(200).json();
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert!(paths.iter().any(|path| path.starts_with(&format!("/{name}/"))), "{paths:?}");
    }
    command.arg(scripts().join("validate.py")).arg(server.client.url("/docs/swagger.json"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openid_client_and_jose_sign_in_and_verify_by_discovery() {
    let folder = installed("node");
    for file in ["package.json", "sign_in.mjs"] {
        std::fs::copy(scripts().join(file), folder.join(file)).unwrap();
    }
    let npm = ["install", "--no-audit", "--no-fund", "--silent"];
    if !install(Command::new("npm").args(npm).current_dir(&folder)) {
        return;
    }
    let mut command = Command::new("node");
    command.arg("sign_in.mjs").current_dir(&folder);
    signs_in(command).await;
}
