//! The promises of a workflow store (being written).
