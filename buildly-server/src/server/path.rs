//! Paths that try to leave their folder.

use crate::request::percent_decode;

/// Whether a segment is `.` or `..` after decoding, or hides a slash beside one. Such a path
/// means different things to different servers, so nobody gets to interpret it.
pub(super) fn leaves_its_folder(path: &str) -> bool {
    path.split('/').any(|segment| match percent_decode(segment) {
        Some(decoded) => decoded.split(['/', '\\']).any(|part| part == "." || part == ".."),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::leaves_its_folder;

    #[test]
    fn dot_segments_are_seen_through_every_encoding() {
        for path in ["/a/../b", "/a/%2e%2E/b", "/./a", "/a/..%2fb", "/a/b%2f..", "/a/..%5cb", "/.%2e"] {
            assert!(leaves_its_folder(path), "{path}");
        }
        for path in ["/", "/a.b/", "/a/...", "/a%2fb/", "/.well-known/jwks.json", "/%ff/", "/..a/"] {
            assert!(!leaves_its_folder(path), "{path}");
        }
    }
}
