//! DBOS: the same three steps, in the process of its caller, as the library is used.

use std::path::PathBuf;
use std::time::Duration;

use tokio::process::Command;

use super::install;
use crate::report::Figure;
use crate::{Failure, settings};

const NAME: &str = "dbos";
const DATABASE: &str = "buildly_bench_dbos";

/// Where DBOS keeps its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DbosDatabase {
    /// A file, with SQLite's own settings: a rollback journal, `synchronous=FULL`.
    Sqlite,
    /// A database of the server that ours uses.
    Postgres,
}

/// An installed DBOS.
pub struct Dbos {
    python: PathBuf,
}

impl Dbos {
    /// What is measured.
    pub const VERSION: &str = "DBOS 3.4.0";

    /// Installs it.
    ///
    /// # Errors
    /// If it cannot be installed.
    pub async fn install() -> Result<Self, Failure> {
        Ok(Self { python: install::pip(NAME, &["dbos==3.4.0", "psycopg[binary]"]).await? })
    }

    /// So many callers run workflows for so long.
    ///
    /// # Errors
    /// If it does not run to its end.
    pub async fn measure(
        &self,
        database: DbosDatabase,
        stub_port: u16,
        at_once: usize,
        long: Duration,
    ) -> Result<Figure, Failure> {
        let file = std::env::temp_dir().join(format!("buildly-bench-dbos-{}", uuid::Uuid::now_v7()));
        let url = match database {
            DbosDatabase::Sqlite => format!("sqlite:///{}", file.display()),
            DbosDatabase::Postgres => {
                create_database().await?;
                format!("{}/{DATABASE}", settings::postgres_url().replace("postgres://", "postgresql://"))
            }
        };
        let mut run = Command::new(&self.python);
        run.arg(settings::peers_script("dbos_wf.py")).arg(url).arg(at_once.to_string());
        run.arg(long.as_secs().to_string()).env("UP_PORT", stub_port.to_string());
        let output = run.kill_on_drop(true).output().await?;
        // Only of SQLite there is one.
        let _ = std::fs::remove_file(file);
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().find_map(|line| line.strip_prefix("RES "));
        let numbers: Vec<f64> =
            line.unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect();
        let [rate, p50_ms, p99_ms, bad, ..] = numbers[..] else {
            let reason = String::from_utf8_lossy(&output.stderr).chars().take(400).collect();
            return Err(Failure::Peer { peer: NAME, reason });
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
        Ok(Figure { rate, p50_ms, p99_ms, bad: bad as u64, cpu_us: None })
    }
}

async fn create_database() -> Result<(), Failure> {
    let pool = sqlx::PgPool::connect(&settings::postgres_url()).await.map_err(Failure::http)?;
    for statement in
        ["DROP DATABASE IF EXISTS buildly_bench_dbos WITH (FORCE)", "CREATE DATABASE buildly_bench_dbos"]
    {
        sqlx::raw_sql(statement).execute(&pool).await.map_err(Failure::http)?;
    }
    Ok(())
}
