//! Every dependency has a licence that deny.toml allows, and none is banned there.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::metadata::Package;

pub(super) fn check(root: &Path, packages: &[Package]) -> Vec<String> {
    let rules: toml::Table = match fs::read_to_string(root.join("deny.toml")).map(|text| text.parse()) {
        Ok(Ok(rules)) => rules,
        _ => return vec!["deny.toml cannot be read".to_owned()],
    };
    let allowed = strings(&rules, "licenses", "allow");
    // Each names one crate, and is only for tools: what it allows is not looked at again.
    let excepted = strings(&rules, "licenses", "exceptions");
    let banned = strings(&rules, "bans", "deny");
    let mut findings: Vec<String> = banned
        .iter()
        .filter(|name| is_built(root, name))
        .map(|name| format!("{name} is banned by deny.toml"))
        .collect();
    for package in packages {
        let expression = package.licence.as_deref().unwrap_or("none");
        if !is_allowed(expression, &allowed) && !excepted.contains(&package.name) {
            findings.push(format!("{}: licence `{expression}` is not in deny.toml", package.name));
        }
    }
    findings
}

/// Whether the features in use bring this package in; the lock file alone names more.
fn is_built(root: &Path, name: &str) -> bool {
    let arguments = ["tree", "--workspace", "--edges", "normal,build", "--invert", name];
    let output = Command::new("cargo").current_dir(root).args(arguments).output();
    output.is_ok_and(|output| !output.stdout.is_empty())
}

fn strings(rules: &toml::Table, section: &str, key: &str) -> Vec<String> {
    let values = rules.get(section).and_then(|section| section.get(key)).and_then(|values| values.as_array());
    let text = |value: &toml::Value| {
        let name = value.get("name").unwrap_or(value);
        name.as_str().map(str::to_owned)
    };
    values.into_iter().flatten().filter_map(text).collect()
}

/// Whether an SPDX expression (version 2.3, annex D; also the old `A/B` for `A OR B`) can be
/// met with the allowed licences.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, allowed };
    parser.any() && parser.tokens.is_empty()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    allowed: &'a [String],
}

impl Parser<'_> {
    fn any(&mut self) -> bool {
        let mut met = self.all();
        while self.take("OR") {
            met |= self.all();
        }
        met
    }

    fn all(&mut self) -> bool {
        let mut met = self.one();
        while self.take("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let met = self.any();
            return self.take(")") && met;
        }
        let Some((licence, rest)) = self.tokens.split_first() else { return false };
        self.tokens = rest;
        let mut licence = (*licence).to_owned();
        if self.take("WITH")
            && let Some((exception, rest)) = self.tokens.split_first()
        {
            self.tokens = rest;
            licence = format!("{licence} WITH {exception}");
        }
        self.allowed.contains(&licence)
    }

    fn take(&mut self, word: &str) -> bool {
        match self.tokens.split_first() {
            Some((first, rest)) if *first == word => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_or_not() {
        let allowed = ["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned(), "ISC".to_owned()];
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT/GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("ISC AND (GPL-3.0 OR MIT)", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("(MIT", false),
            ("none", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
