//! Arrows between crates only point down (ARCHITECTURE.md).

use super::metadata::Package;

/// Each crate, and those of ours that it may know.
const ARROWS: &[(&str, &[&str])] = &[
    ("buildly-model", &[]),
    ("buildly-journal", &["buildly-model"]),
    ("buildly-auth", &["buildly-model", "buildly-journal"]),
    ("buildly-gateway", &["buildly-model", "buildly-journal"]),
    ("buildly-gateway-http", &["buildly-model", "buildly-gateway"]),
    ("buildly-mesh", &["buildly-model", "buildly-journal"]),
    ("buildly-workflow", &["buildly-model", "buildly-journal"]),
    ("buildly-extension", &["buildly-model", "buildly-journal"]),
    ("buildly-extension-nats", &["buildly-model", "buildly-journal", "buildly-extension"]),
    (
        "buildly-unit",
        &[
            "buildly-model",
            "buildly-journal",
            "buildly-auth",
            "buildly-gateway",
            "buildly-mesh",
            "buildly-workflow",
            "buildly-extension",
        ],
    ),
    ("buildly-storage-sqlite", STORAGE),
    ("buildly-storage-postgres", STORAGE),
    (
        "buildly-core",
        &[
            "buildly-model",
            "buildly-journal",
            "buildly-auth",
            "buildly-gateway",
            "buildly-gateway-http",
            "buildly-mesh",
            "buildly-workflow",
            "buildly-extension",
            "buildly-unit",
            "buildly-storage-sqlite",
            "buildly-storage-postgres",
        ],
    ),
    ("buildly-kit", &["buildly-model", "buildly-storage-sqlite", "buildly-storage-postgres"]),
    ("buildly-appointments", &["buildly-kit", "buildly-model"]),
    ("buildly-crm", &["buildly-kit", "buildly-model"]),
    ("buildly-documents", &["buildly-kit", "buildly-model"]),
    (
        "buildly-server",
        &[
            "buildly-core",
            "buildly-extension-nats",
            "buildly-model",
            "buildly-kit",
            "buildly-appointments",
            "buildly-crm",
            "buildly-documents",
        ],
    ),
    ("buildly-python", &["buildly-deployment", "buildly-model"]),
    ("buildly-deployment", &["buildly-core", "buildly-model"]),
    ("buildly-c", &["buildly-deployment", "buildly-model"]),
    ("xtask", &[]),
];

const STORAGE: &[&str] = &[
    "buildly-model",
    "buildly-journal",
    "buildly-auth",
    "buildly-gateway",
    "buildly-mesh",
    "buildly-workflow",
    "buildly-extension",
    "buildly-unit",
];

/// What the pure crates must not see: sockets, databases, the web server.
const PURE: &[&str] = &[
    "buildly-model",
    "buildly-journal",
    "buildly-auth",
    "buildly-gateway",
    "buildly-mesh",
    "buildly-workflow",
    "buildly-extension",
    "buildly-unit",
];
const IMPURE: &[&str] = &["hyper", "hyper-util", "rusqlite", "sqlx", "axum", "reqwest"];

pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let ours: Vec<&Package> = packages.iter().filter(|package| package.is_ours).collect();
    let names: Vec<&str> = ours.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in &ours {
        let name = package.name.as_str();
        let allowed = ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
        if allowed.is_none() && name.starts_with("buildly") {
            findings.push(format!("{name}: xtask/src/tidy/arrows.rs does not say which crates it may know"));
        }
        for dependency in package.dependencies.iter().map(String::as_str) {
            if let Some(allowed) = allowed
                && names.contains(&dependency)
                && !allowed.contains(&dependency)
            {
                findings.push(format!("{name} must not depend on {dependency}: arrows only point down"));
            }
            if PURE.contains(&name) && IMPURE.contains(&dependency) {
                findings.push(format!("{name} is pure and must not depend on {dependency}"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
        Package { name: name.to_owned(), licence: None, is_ours: name.starts_with("buildly"), dependencies }
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let right = [package("buildly-model", &[]), package("buildly-auth", &["buildly-model"])];
        assert_eq!(check(&right), Vec::<String>::new());
        for (case, wrong) in [
            ("up", [package("buildly-model", &["buildly-auth"]), package("buildly-auth", &[])]),
            ("sideways", [package("buildly-mesh", &[]), package("buildly-auth", &["buildly-mesh"])]),
            ("impure", [package("buildly-auth", &["hyper"]), package("hyper", &[])]),
            ("unknown", [package("buildly-new", &[]), package("buildly-auth", &[])]),
        ] {
            assert_eq!(check(&wrong).len(), 1, "{case}");
        }
    }
}
