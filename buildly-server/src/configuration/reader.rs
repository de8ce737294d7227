//! Reads settings one by one from all sources, and remembers what it saw.

use std::fmt;

use super::sources::{PREFIX, Source, Sources};
use super::suggestion::nearest;
use super::value::Value;

/// One setting as `config show` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: &'static str,
    /// Its value; secrets are hidden, and what is not set is empty.
    pub shown: String,
    /// Where the value comes from.
    pub source: Source,
    /// What the setting does.
    pub description: &'static str,
}

/// Everything that is wrong with the settings, one sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    sentences: Vec<String>,
}

impl Error {
    pub(super) fn one(sentence: String) -> Self {
        Self { sentences: vec![sentence] }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentences.join("\n"))
    }
}

impl std::error::Error for Error {}

/// Reads settings one by one.
pub(super) struct Reader {
    sources: Sources,
    entries: Vec<Entry>,
    sentences: Vec<String>,
}

impl Reader {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, entries: Vec::new(), sentences: Vec::new() }
    }

    /// A setting with a default.
    pub(super) fn value<T: Value>(&mut self, key: &'static str, default: T, description: &'static str) -> T {
        let found = self.find(key);
        let (value, source) = found.unwrap_or((default, Source::Default));
        self.entries.push(Entry { key, shown: value.show(), source, description });
        value
    }

    /// A setting with a default and a least value.
    pub(super) fn at_least<T>(
        &mut self,
        key: &'static str,
        default: T,
        least: T,
        description: &'static str,
    ) -> T
    where
        T: Value + PartialOrd,
    {
        let value = self.value(key, default, description);
        if value < least {
            self.sentences.push(format!("`{key}` = `{}`: expected at least {}", value.show(), least.show()));
        }
        value
    }

    /// A setting that may be absent.
    pub(super) fn optional<T: Value>(&mut self, key: &'static str, description: &'static str) -> Option<T> {
        let found = self.find::<T>(key);
        let shown = found.as_ref().map(|(value, _)| value.show()).unwrap_or_default();
        let (value, source) = found.map_or((None, Source::Default), |(value, source)| (Some(value), source));
        self.entries.push(Entry { key, shown, source, description });
        value
    }

    /// Ends the reading: what nobody asked for is unknown.
    pub(super) fn finish(mut self) -> Result<Vec<Entry>, Error> {
        let known = || self.entries.iter().map(|entry| entry.key);
        let mut unknown = Vec::new();
        for (key, (_, source)) in &self.sources.file {
            if !known().any(|known| known == key) {
                unknown.push(refused(key, source, nearest(key, known())));
            }
        }
        for variable in self.sources.environment.keys() {
            let variables: Vec<String> = known().map(variable_of).collect();
            if !variables.contains(variable) {
                let source = Source::Environment(variable.clone());
                unknown.push(refused(
                    variable,
                    &source,
                    nearest(variable, variables.iter().map(String::as_str)),
                ));
            }
        }
        for flag in &self.sources.flags {
            if !known().any(|known| known == flag.key) {
                let source = Source::Flag(flag.flag.clone());
                unknown.push(refused(&flag.key, &source, nearest(&flag.key, known())));
            }
        }
        self.sentences.extend(unknown);
        if self.sentences.is_empty() { Ok(self.entries) } else { Err(Error { sentences: self.sentences }) }
    }

    fn find<T: Value>(&mut self, key: &'static str) -> Option<(T, Source)> {
        let (text, source) = self.text(key)?;
        match T::parse(&text) {
            Ok(value) => Some((value, source)),
            Err(expected) => {
                let shown = if T::IS_SECRET { "[hidden]" } else { text.as_str() };
                self.sentences.push(format!("`{key}` = `{shown}` (from {source}): {expected}"));
                None
            }
        }
    }

    fn text(&self, key: &str) -> Option<(String, Source)> {
        if let Some(flag) = self.sources.flags.iter().rev().find(|flag| flag.key == key) {
            return Some((flag.value.clone(), Source::Flag(flag.flag.clone())));
        }
        let variable = variable_of(key);
        if let Some(text) = self.sources.environment.get(&variable) {
            return Some((text.clone(), Source::Environment(variable)));
        }
        let default = || Some((self.sources.defaults.get(key)?.clone(), Source::Default));
        self.sources.file.get(key).cloned().or_else(default)
    }
}

/// The variable of a setting: `BUILDLY_LIMITS_BODY_BYTES_MAX` for `limits.body_bytes_max`.
fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

fn refused(key: &str, source: &Source, suggestion: Option<&str>) -> String {
    let hint = suggestion.map_or_else(
        || "`buildly config show` lists all settings".to_owned(),
        |suggestion| format!("did you mean `{suggestion}`?"),
    );
    format!("there is no setting `{key}` (from {source}); {hint}")
}
