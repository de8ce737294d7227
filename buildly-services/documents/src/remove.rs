//! `DELETE /documents/{id}/`: with the versions, and with the content that nothing else names.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use buildly_kit::{Body, Call, Error, Operation, Records};
use buildly_model::OrganizationId;
use http::{Response, StatusCode};

use crate::{Content, Document, Version};

/// How many versions are asked for at a time.
const PAGE: usize = 1000;

/// Deletes a document.
pub(crate) struct Remove {
    pub(crate) content: Arc<Content>,
}

#[async_trait]
impl Operation for Remove {
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error> {
        let (organization, document) = (call.caller.organization, call.id()?);
        records.get_to_change::<Document>(&call.caller, document).await?;
        let mut digests = BTreeSet::new();
        let mut after = 0;
        loop {
            let query = format!("document={document}&ordering=number&number__gte={}&limit={PAGE}", after + 1);
            let versions = records.select::<Version>(organization, &query).await?;
            after = versions.last().map_or(after, |version| version.record.number);
            let is_last = versions.len() < PAGE;
            digests.extend(versions.into_iter().map(|version| version.record.sha256));
            if is_last {
                break;
            }
        }
        let (content, removing) = (Arc::clone(&self.content), records.clone());
        let Call { caller, headers, .. } = call;
        let removed = records.finish(async move {
            removing.remove_if::<Document>(&caller, document, &headers).await?;
            for sha256 in digests {
                forget(&content, &removing, organization, &sha256).await;
            }
            Ok::<_, Error>(())
        });
        removed.await??;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }
}

/// Removes content that no version of the organization names. If that cannot be done now, the
/// next start does it.
pub(crate) async fn forget(content: &Content, records: &Records, organization: OrganizationId, sha256: &str) {
    let is_named = async {
        let versions = records.select::<Version>(organization, &format!("sha256={sha256}&limit=1")).await?;
        Ok(!versions.is_empty())
    };
    if let Err(error) = content.remove_unless(organization, sha256, is_named).await {
        tracing::warn!(%organization, sha256, %error, "content that nothing names is left to the next start");
    }
}
