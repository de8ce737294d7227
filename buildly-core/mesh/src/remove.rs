//! Deleting with a join: the links of the record go, exactly those.

use buildly_journal::Part;
use buildly_model::StoreError;
use serde_json::json;

use crate::Change;
use crate::fault::{Fault, Reason};
use crate::join::Joining;
use crate::read::fault;

impl Joining {
    /// Removes the links of the record that the service has deleted; says what did not work.
    pub(crate) async fn unlink(&self) -> Vec<Fault> {
        match self.remove_links().await {
            Ok(()) => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "a record was deleted, but its links could not be removed");
                self.plan.branches.iter().map(|branch| fault(branch, Reason::NotLinked, 1)).collect()
            }
        }
    }

    async fn remove_links(&self) -> Result<(), StoreError> {
        let (Some(key), Some(organization)) = (&self.key, self.asked.principal.organization) else {
            return Ok(());
        };
        let mut is_linked = false;
        for branch in &self.plan.branches {
            let (relationship, side) = (branch.branch.relationship, branch.branch.side);
            let links =
                self.mesh.parts.store.links(organization, relationship, side, std::slice::from_ref(key), 1);
            is_linked |= !links.await?.is_empty();
        }
        if !is_linked {
            return Ok(());
        }
        let payload = json!({ "record_type": self.record_type.id, "key": key.to_value() });
        let event =
            self.mesh.event("mesh.record.unlinked", self.record_type.id, payload, &self.asked.principal);
        let change = Change::RecordUnlinked { record_type: self.record_type.id, key: key.clone() };
        self.mesh.parts.commits.commit(Part::of(Some(organization), change, event)).await.map(drop)
    }
}
