//! What users of the library can write is listed in `docs/public-api/`, one file a crate, so that
//! nothing of it changes unseen.
//!
//! rustdoc tells it as JSON. That format is not stable, but the toolchain is pinned; and it is
//! rustdoc alone that is told `RUSTC_BOOTSTRAP`: build scripts that look for it would have half the
//! workspace built anew. So this program stands where cargo calls rustdoc, and calls it twice.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

/// `buildly-core` and what it hands on to its users.
const CRATES: [&str; 12] = [
    "buildly-core",
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
];
const LISTS: &str = "docs/public-api";
const TOLD: &str = "target/public-api";
/// Says to the program that it stands for rustdoc, and where the JSON goes.
const STANDS_IN: &str = "XTASK_PUBLIC_API";
/// What no other call of cargo's has: what was documented otherwise is documented again here.
const FLAGS: &str = "-D warnings --cfg public_api_is_told";

/// What differs from the list of a crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    gone: Vec<String>,
    new: Vec<String>,
}

/// Makes the documentation, without warnings, and has the API told beside it.
pub(crate) fn document(root: &Path, packages: &[&str]) -> bool {
    let Ok(program) = env::current_exe() else { return false };
    let mut command = Command::new("cargo");
    command.current_dir(root).arg("doc").args(packages).arg("--no-deps");
    command.env("RUSTDOCFLAGS", FLAGS).env("RUSTDOC", program).env(STANDS_IN, root.join(TOLD));
    command.status().is_ok_and(|status| status.success())
}

/// Whether this program is called in rustdoc's place; if so, what came of that.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let folder = env::var_os(STANDS_IN)?;
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let documented = Command::new("rustdoc").args(&arguments).env_remove(STANDS_IN).status();
    let is_done = documented.is_ok_and(|status| status.success());
    let is_told = is_done && (!is_listed(&arguments) || tell(arguments, folder));
    Some(if is_told { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether it is the library of one of the crates that is documented.
fn is_listed(arguments: &[OsString]) -> bool {
    let name = arguments.iter().skip_while(|argument| *argument != "--crate-name").nth(1);
    let is_library = arguments.iter().any(|argument| argument == "lib");
    is_library && CRATES.iter().any(|listed| name.is_some_and(|name| *name == *listed.replace('-', "_")))
}

/// The same call, for JSON.
fn tell(mut arguments: Vec<OsString>, folder: OsString) -> bool {
    if let Some(place) = arguments.iter().position(|argument| argument == "-o")
        && let Some(output) = arguments.get_mut(place + 1)
    {
        *output = folder;
    }
    let mut command = Command::new("rustdoc");
    command.args(arguments).args([
        "-Z",
        "unstable-options",
        "--output-format",
        "json",
        "--cap-lints",
        "allow",
    ]);
    command.env_remove(STANDS_IN).env("RUSTC_BOOTSTRAP", "1");
    command.status().is_ok_and(|status| status.success())
}

/// Every difference from the lists, with what to do about it. [`document`] comes before.
pub(crate) fn check(root: &Path) -> Vec<String> {
    let findings = CRATES.iter().filter_map(|name| match told(root, name) {
        Ok(now) => {
            let path = root.join(LISTS).join(format!("{name}.txt"));
            let difference = difference(&fs::read_to_string(path).unwrap_or_default(), &now);
            finding(name, &difference)
        }
        Err(reason) => Some(reason),
    });
    findings.collect()
}

/// Writes the lists anew.
pub(crate) fn write(root: &Path) -> Vec<String> {
    let findings = CRATES.iter().filter_map(|name| {
        let path = root.join(LISTS).join(format!("{name}.txt"));
        let written = told(root, name).and_then(|now| {
            fs::create_dir_all(root.join(LISTS))
                .and_then(|()| fs::write(&path, now))
                .map_err(|error| format!("{}: {error}", path.display()))
        });
        written.err()
    });
    findings.collect()
}

/// The public API of a crate, one item a line.
fn told(root: &Path, name: &str) -> Result<String, String> {
    let path = root.join(TOLD).join(format!("{}.json", name.replace('-', "_")));
    let api = public_api::Builder::from_rustdoc_json(&path)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let mut lines: Vec<String> = api.items().map(ToString::to_string).collect();
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn difference(listed: &str, now: &str) -> Difference {
    let (listed, now): (BTreeSet<&str>, BTreeSet<&str>) = (listed.lines().collect(), now.lines().collect());
    Difference {
        gone: listed.difference(&now).map(ToString::to_string).collect(),
        new: now.difference(&listed).map(ToString::to_string).collect(),
    }
}

fn finding(name: &str, difference: &Difference) -> Option<String> {
    let Difference { gone, new } = difference;
    if gone.is_empty() && new.is_empty() {
        return None;
    }
    let marked = |mark: &str, lines: &[String]| -> String {
        lines.iter().map(|line| format!("\n  {mark} {line}")).collect()
    };
    let advice = if gone.is_empty() {
        "It was added: that goes into the list by `cargo xtask api --write`. (A new variant, field or \
         method that implementors must have is breaking all the same where the type or trait is not \
         closed to others: then do as for what is removed.)"
    } else {
        "What is removed or changed breaks programs of users: keep it, or raise the minor version (under \
         0.x; `version` in Cargo.toml) unless that has happened since the last release, say it in \
         CHANGELOG.md, and then `cargo xtask api --write`."
    };
    Some(format!(
        "the public API of {name} differs from {LISTS}/{name}.txt:{}{}\n{advice}",
        marked("-", gone),
        marked("+", new)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_and_what_is_gone_is_told_apart() {
        let listed = "pub fn a::b()\npub struct a::C\n";
        assert_eq!(finding("a", &difference(listed, listed)), None);
        let added = finding("a", &difference(listed, &format!("{listed}pub fn a::d()\n"))).unwrap();
        assert!(added.contains("\n  + pub fn a::d()") && added.contains("was added"), "{added}");
        let changed = difference(listed, "pub fn a::b(u8)\npub struct a::C\n");
        assert_eq!(changed.gone, ["pub fn a::b()"]);
        let changed = finding("a", &changed).unwrap();
        assert!(changed.contains("\n  - pub fn a::b()\n  + pub fn a::b(u8)\n"), "{changed}");
        assert!(changed.contains("raise the minor version"), "{changed}");
    }

    #[test]
    fn only_libraries_of_ours_are_told() {
        let call = |name: &str, kind: &str| {
            ["--edition=2024", "--crate-type", kind, "--crate-name", name, "src/lib.rs", "-o", "target/doc"]
                .map(OsString::from)
        };
        for (case, name, kind, is_told) in [
            ("ours", "buildly_auth", "lib", true),
            ("a program", "buildly_auth", "bin", false),
            ("somebody else's", "serde", "lib", false),
        ] {
            assert_eq!(is_listed(&call(name, kind)), is_told, "{case}");
        }
    }
}
