//! Writing the deployment's own limits.

use buildly_gateway::RateLimits;
use buildly_model::StoreError;
use sqlx::PgConnection;

use crate::engine::store_error;

const PUT: &str = "
    INSERT INTO rate_limits (number, limits) VALUES (1, $1)
    ON CONFLICT (number) DO UPDATE SET limits = excluded.limits";

pub(super) async fn put(tx: &mut PgConnection, limits: &RateLimits) -> Result<(), StoreError> {
    let json = serde_json::to_string(limits).map_err(|error| StoreError::corrupt(error.to_string()))?;
    sqlx::query(PUT).bind(json).execute(tx).await.map(drop).map_err(store_error)
}
