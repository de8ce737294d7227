//! A service of the kit over real HTTP, on both databases, asked as a client and as a stranger.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

mod access;
mod bad_input;
mod beginnings;
mod crud;
mod filters;
mod idempotency;
mod isolation;
mod issuer;
mod outage;
mod overlaps;
mod paging;
mod references;
mod schema;
mod tokens;
mod totals;
mod tree;
mod world;

/// Runs each case on a SQLite file and on PostgreSQL.
macro_rules! on_both_databases {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::world::on_sqlite(super::$case).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::world::on_postgres(super::$case).await;
                }
            )*
        }
    };
}
pub(crate) use on_both_databases;
