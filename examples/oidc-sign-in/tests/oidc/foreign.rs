//! The program as a process, and npm `oidc-provider` as another.
//!
//! The provider is installed under `target/`; where its registry cannot be reached the test is
//! counted as skipped.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::{Browser, Page};

/// A process that says in its first line where it is, ended when dropped.
struct Process {
    child: Child,
    line: String,
    /// Kept open: a process whose words nobody takes may end.
    _said: BufReader<ChildStdout>,
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        Self { child, line: line.trim().to_owned(), _said: said }
    }
}

/// The folder with the provider; `None`, counted as skipped, if it cannot be installed here.
fn installed() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = own.join("../../target/clients/oidc-provider");
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "provider.mjs"] {
        std::fs::copy(own.join("tests/provider").join(file), folder.join(file)).unwrap();
    }
    let npm = ["install", "--no-audit", "--no-fund", "--silent"];
    let reason = match Command::new("npm").args(npm).current_dir(&folder).output() {
        Ok(output) if output.status.success() => return Some(folder),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let reason = reason.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason was given");
    skipped(&format!("npm oidc-provider cannot be installed: {reason}"));
    None
}

fn skipped(what: &str) {
    use std::io::Write as _;
    eprintln!("skipped: {what}");
    let Some(path) = std::env::var_os("XTASK_SKIPPED_TESTS") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{what}").unwrap();
}

/// A port that nobody has now: the provider must know where browsers come back to.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn people() -> Value {
    json!({
        "ada": {
            "email": "ada@example.org", "email_verified": true, "given_name": "Ada",
            "family_name": "Lovelace", "preferred_username": "ada", "teams": ["Users", "Admins"],
        },
        "bob": {"email": "admin@example.org", "email_verified": false, "teams": []},
    })
}

/// From the program to the provider, through its pages, and back to the door of the program.
async fn to_the_callback(browser: &mut Browser, origin: &str, name: &str) -> Page {
    let callback = format!("{origin}/callback");
    let page = browser.get(&format!("{origin}/sign-in")).await;
    let page = browser.follow(page, &callback).await;
    let page = browser.submit(&page, &[("login", name), ("password", "any")]).await;
    let page = browser.follow(page, &callback).await;
    let page = browser.submit(&page, &[]).await;
    browser.follow(page, &callback).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_a_foreign_provider_sign_in_and_stay_who_they_are() {
    let Some(folder) = tokio::task::spawn_blocking(installed).await.unwrap() else { return };
    let address = free_address();
    let origin = format!("http://{address}");
    let provider = Process::start(
        Command::new("node")
            .args(["provider.mjs", &format!("{origin}/callback")])
            .env("PEOPLE", people().to_string())
            .current_dir(&folder),
    );
    let data = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    let program = || {
        Process::start(
            Command::new(env!("CARGO_BIN_EXE_example-oidc-sign-in"))
                .arg(&data)
                .arg(&address)
                .env("ISSUER", &provider.line)
                .env("CLIENT_ID", "shop")
                .env("CLIENT_SECRET", "a secret & more: 100%")
                .env("ADMIN_PASSWORD", "Correct-horse-9-battery")
                .env("GROUPS_CLAIM", "teams")
                .env("REACH_PRIVATE", "true"),
        )
    };
    let running = program();
    assert_eq!(running.line, format!("listening on {origin}"));

    let mut ada = Browser::new();
    let door = to_the_callback(&mut ada, &origin, "ada").await.location().unwrap();
    let tokens = ada.get(&door).await;
    assert_eq!(tokens.status(), 200, "{}", tokens.text());
    let access = tokens.json()["access"].as_str().unwrap().to_owned();
    let me = ada.as_bearer(Method::GET, &format!("{origin}/me"), &access).await.json();
    let expected = json!({
        "username": "ada", "email": "ada@example.org", "name": "Ada Lovelace", "organization": "Shop",
        "groups": ["Admins", "Users"],
    });
    assert_eq!(me, expected);

    let again = ada.get(&door).await;
    assert_eq!(again.status(), 401, "the same answer a second time: {}", again.text());

    // Another person, whose provider claims the administrator's address without having seen it.
    let mut bob = Browser::new();
    let door = to_the_callback(&mut bob, &origin, "bob").await.location().unwrap();
    let stolen = Browser::new().get(&door).await;
    assert_eq!(stolen.status(), 401, "in a browser that did not begin it: {}", stolen.text());
    let door = to_the_callback(&mut Browser::new(), &origin, "bob").await.location().unwrap();
    assert_eq!(bob.get(&door).await.status(), 401, "in another browser than the one that began it");
    let mut bob = Browser::new();
    let door = to_the_callback(&mut bob, &origin, "bob").await.location().unwrap();
    let tokens = bob.get(&door).await.json();
    let access = tokens["access"].as_str().unwrap();
    let me = bob.as_bearer(Method::GET, &format!("{origin}/me"), access).await.json();
    let name = me["username"].as_str().unwrap();
    assert!(name.starts_with("admin-"), "an address makes nobody somebody else: {me}");
    assert_eq!(me["groups"], json!(["Users"]));

    drop(running);
    let running = program();
    let mut later = Browser::new();
    let door = to_the_callback(&mut later, &origin, "ada").await.location().unwrap();
    let tokens = later.get(&door).await.json();
    let me = later.as_bearer(Method::GET, &format!("{origin}/me"), tokens["access"].as_str().unwrap()).await;
    assert_eq!(me.json(), expected, "the same user after a restart");

    let mut refusing = Browser::new();
    let page = refusing.get(&format!("{origin}/sign-in")).await;
    let page = refusing.follow(page, &format!("{origin}/callback")).await;
    let text = page.text();
    let abort = text.split('"').find(|part| part.ends_with("/abort")).expect("a way out").to_owned();
    let abort = if abort.starts_with('/') { format!("{}{abort}", provider.line) } else { abort };
    let page = refusing.get(&abort).await;
    let page = refusing.follow(page, &format!("{origin}/callback")).await;
    let page = refusing.get(&page.location().unwrap()).await;
    assert_eq!((page.status(), &page.json()["detail"]), (401, &json!("the provider refused: access_denied")));
    drop(running);
    std::fs::remove_dir_all(data).unwrap();
}
