//! What cargo knows of the packages.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// One package of the build.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) licence: Option<String>,
    pub(super) is_ours: bool,
    /// The names of the packages it needs to run or to be built, not those of its tests.
    pub(super) dependencies: Vec<String>,
}

/// Asks cargo.
pub(super) fn read(root: &Path) -> Result<Vec<Package>, String> {
    let output = Command::new("cargo")
        .current_dir(root)
        .args(["metadata", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let members = texts(metadata.get("workspace_members").unwrap_or(&Value::Null));
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata: no packages")?;
    Ok(packages.iter().map(|package| package_from(package, &members)).collect())
}

fn package_from(package: &Value, members: &[String]) -> Package {
    let text = |name: &str| package.get(name).and_then(Value::as_str).map(str::to_owned);
    let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let needed =
        dependencies.filter(|dependency| dependency.get("kind").and_then(Value::as_str) != Some("dev"));
    Package {
        name: text("name").unwrap_or_default(),
        licence: text("license"),
        is_ours: text("id").is_some_and(|id| members.contains(&id)),
        dependencies: needed
            .filter_map(|dependency| dependency.get("name").and_then(Value::as_str).map(str::to_owned))
            .collect(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
