//! Peers: installed by name and version, started as they come, ended again.

mod databases;
mod dbos;
mod hive;
mod install;
mod oidc;
mod proxy;
mod restate;

pub use databases::{BarePostgres, BareSqlite};
pub use dbos::{Dbos, DbosDatabase};
pub use hive::Hive;
pub use oidc::Oidc;
pub use proxy::{Checks, Proxy, ProxyKind};
pub use restate::{CompleteRun as CompleteRestateRun, Restate};
