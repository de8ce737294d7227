//! What stories reached.

use std::collections::BTreeMap;

/// How often what happened; what a story is for must be among it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(BTreeMap<String, u64>);

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, count)| *self.0.entry(what.clone()).or_default() += count);
    }

    pub(super) fn note(&mut self, what: &str) {
        *self.0.entry(what.to_owned()).or_default() += 1;
    }

    pub(super) fn unreached(&self) -> Vec<&'static str> {
        let wanted = [
            "crash before commit",
            "crash after commit",
            "commit stale",
            "commit fenced",
            "store unavailable",
            "request lost",
            "answer lost",
            "sent twice",
            "arrived after its timeout",
            "busy",
            "given back",
            "late answer",
            "node slept",
            "completed",
            "compensated",
            "failed",
            "cancelled",
            "attention",
            "answer while calling",
            "answer while cancelling",
            "timer while backoff",
            "timer while waiting",
            "timer while joining",
            "undone in doubt",
        ];
        wanted.into_iter().filter(|what| !self.0.contains_key(*what)).collect()
    }
}
