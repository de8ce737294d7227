//! Documents: metadata, versions, content on disk.
