//! Starts, and where it must, installs what the tests talk to: PostgreSQL and NATS on loopback, and
//! Python with its `venv` module and Node.js for the independent clients, curl and jq for the
//! guides, gcc, pkg-config and valgrind for the C binding.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

const POSTGRES: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5432);
const NATS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4222);
const LOOK_PAUSE: Duration = Duration::from_millis(500);
const LOOKS_MAX: u32 = 60;

/// Makes sure that everything is there.
pub(crate) fn start() -> Result<(), String> {
    if !succeeds("python3", &["-c", "import venv, ensurepip"]) {
        install(&["python3", "python3-venv"])?;
    }
    if !succeeds("node", &["--version"]) || !succeeds("npm", &["--version"]) {
        install(&["nodejs", "npm"])?;
    }
    if !succeeds("curl", &["--version"]) || !succeeds("jq", &["--version"]) {
        install(&["curl", "jq"])?;
    }
    if !succeeds("gcc", &["--version"]) || !succeeds("pkg-config", &["--version"]) {
        install(&["gcc", "libc6-dev", "pkg-config"])?;
    }
    if !succeeds("valgrind", &["--version"]) {
        install(&["valgrind"])?;
    }
    if !answers(NATS) {
        start_nats()?;
    }
    if !answers(POSTGRES) {
        start_postgres()?;
    }
    if !trusts_us() {
        return Err("PostgreSQL on 127.0.0.1:5432 does not let `postgres` in without a password: \
            allow it in pg_hba.conf (`host all all 127.0.0.1/32 trust`), or stop that server"
            .to_owned());
    }
    Ok(())
}

fn start_postgres() -> Result<(), String> {
    if installed_cluster().is_none() {
        install(&["postgresql", "postgresql-client"])?;
    }
    let version =
        installed_cluster().ok_or("PostgreSQL was installed, but no cluster was made in /etc/postgresql")?;
    let _ = succeeds("pg_ctlcluster", &["--skip-systemctl-redirect", &version, "main", "start"]);
    wait_for_postgres()?;
    if !trusts_us() {
        trust_loopback(&version)?;
    }
    Ok(())
}

fn wait_for_postgres() -> Result<(), String> {
    wait_for("PostgreSQL", POSTGRES)
}

/// It keeps its streams in a folder of its own below that for temporary files, and stays.
fn start_nats() -> Result<(), String> {
    if !succeeds("nats-server", &["--version"]) {
        install(&["nats-server"])?;
    }
    let folder = std::env::temp_dir().join("buildly-nats");
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", "4222", "-js", "-sd"]).arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| format!("nats-server cannot be started: {error}"))?;
    wait_for("NATS", NATS)
}

fn wait_for(what: &str, address: SocketAddr) -> Result<(), String> {
    for _ in 0..LOOKS_MAX {
        if answers(address) {
            return Ok(());
        }
        thread::sleep(LOOK_PAUSE);
    }
    Err(format!("{what} does not answer on {address}: start it and run this again"))
}

/// A cluster that was just installed asks for a password on loopback; a test machine needs none.
fn trust_loopback(version: &str) -> Result<(), String> {
    let path = format!("/etc/postgresql/{version}/main/pg_hba.conf");
    let rules = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let rules = format!("host all all 127.0.0.1/32 trust\n{rules}");
    fs::write(&path, rules).map_err(|error| format!("{path}: {error}"))?;
    let _ = succeeds("pg_ctlcluster", &["--skip-systemctl-redirect", version, "main", "reload"]);
    thread::sleep(LOOK_PAUSE);
    Ok(())
}

fn trusts_us() -> bool {
    succeeds("psql", &["-h", "127.0.0.1", "-U", "postgres", "-w", "-c", "SELECT 1", "postgres"])
}

fn installed_cluster() -> Option<String> {
    let mut versions: Vec<String> = fs::read_dir("/etc/postgresql")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|version| Path::new("/etc/postgresql").join(version).join("main").exists())
        .collect();
    versions.sort();
    versions.pop()
}

fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, LOOK_PAUSE).is_ok()
}

fn install(packages: &[&str]) -> Result<(), String> {
    let asked = packages.join(" ");
    println!("== installing {asked}");
    let update = succeeds("apt-get", &["update", "-qq"]);
    let arguments = [&["install", "-y", "-qq", "--no-install-recommends"], packages].concat();
    if update && succeeds("apt-get", &arguments) {
        return Ok(());
    }
    Err(format!("the tests need {asked}: install them with your system's package manager and run this again"))
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").output();
    output.is_ok_and(|output| output.status.success())
}
