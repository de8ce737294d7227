//! Names of levels: what they look like, and that there are no two of one.

use std::collections::HashMap;

use crate::check::Finding;
use crate::run::LevelId;
use crate::template::{NAME_BYTES_MAX, is_name};

/// Gives a name to a level.
pub(super) fn claim(
    names: &mut HashMap<String, LevelId>,
    findings: &mut Vec<Finding>,
    name: &str,
    level: LevelId,
) {
    if !is_name(name) {
        let mending = format!("begin with a-z, go on with a-z, 0-9 and `_`, at most {NAME_BYTES_MAX} bytes");
        findings.push(Finding::error(name, "this cannot be a name", mending));
    }
    if names.insert(name.to_owned(), level).is_some() {
        findings.push(Finding::error(name, "there are two levels of this name", "rename one of them"));
    }
}
