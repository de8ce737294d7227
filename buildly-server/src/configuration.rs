//! What an operator can set.

use std::path::PathBuf;
use std::time::Duration;

/// Every setting of the server, with its value.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where the server listens: address and port; port 0 picks a free one.
    pub listen: String,
    /// The folder that holds keys, mail and, without a database URL, the database.
    pub data_dir: PathBuf,
    /// The URL that clients reach the server by, without a slash at its end.
    pub public_url: Option<String>,
    /// Where the front end is, for links in mails.
    pub front_end_url: Option<String>,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// Limits on what comes in and goes out.
    pub limits: Limits,
}

/// Limits on what comes in and goes out.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most bytes of a request's body to a resource of the core.
    pub body_bytes_max: usize,
    /// How long such a body may take to come in.
    pub body_timeout: Duration,
    /// The most rows of a plain list of the old wire.
    pub list_rows_max: u32,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: PathBuf::from("buildly-data"),
            public_url: None,
            front_end_url: None,
            registration_open: true,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes_max: 1_000_000, body_timeout: Duration::from_secs(30), list_rows_max: 1000 }
    }
}
