//! What the environment says about a run of the benches.

use std::path::PathBuf;
use std::time::Duration;

/// How long each figure is measured.
#[must_use]
pub fn seconds_each() -> Duration {
    let seconds = variable("SECONDS_EACH").and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(5))
}

/// How many callers there are at a time, one figure each.
#[must_use]
pub fn at_once() -> Vec<usize> {
    let text = variable("RUNS_AT_ONCE").unwrap_or_else(|| "1,32,256".to_owned());
    text.split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

/// Whether a peer is to be measured, too.
#[must_use]
pub fn wants(peer: &str) -> bool {
    variable("PEERS").is_none_or(|peers| peers.split(',').any(|name| name.trim() == peer))
}

/// Where peers are installed.
#[must_use]
pub fn peers_home() -> PathBuf {
    let below_target = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/peers"));
    variable("PEERS_HOME").map_or_else(below_target, PathBuf::from)
}

/// A script or configuration of ours for a peer.
#[must_use]
pub fn peers_script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers")).join(name)
}

/// How often the sides of a comparison take their turns.
#[must_use]
pub fn rounds() -> usize {
    variable("ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// How many connections ask a gateway at a time.
#[must_use]
pub fn connections() -> usize {
    variable("CONNECTIONS").and_then(|text| text.parse().ok()).unwrap_or(32)
}

/// The PostgreSQL server that ours and peers use.
#[must_use]
pub fn postgres_url() -> String {
    variable("POSTGRES_URL").unwrap_or_else(|| "postgres://postgres@127.0.0.1:5432".to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
