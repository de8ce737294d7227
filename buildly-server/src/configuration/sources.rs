//! Where settings come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::Error;

/// The variables that are settings begin so.
pub(super) const PREFIX: &str = "BUILDLY_";

/// The variables that are secrets of services, which settings refer to.
const SECRET_PREFIX: &str = buildly_core::gateway::SECRET_VARIABLE_PREFIX;

/// Names the configuration file itself, so it cannot stand in one.
const FILE_VARIABLE: &str = "BUILDLY_CONFIG";

/// The file that is read when nobody names one.
const FILE_DEFAULT: &str = "buildly.toml";

/// Where a setting's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Environment(variable) => formatter.write_str(variable),
            Self::Flag(flag) => formatter.write_str(flag),
        }
    }
}

/// A setting given as a flag.
#[derive(Debug, Clone)]
pub struct FlagValue {
    /// The flag as typed, such as `--data-dir`.
    pub flag: String,
    /// The setting's name, such as `data_dir`.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Everything that was set, by whom.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(super) file: BTreeMap<String, (String, Source)>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) flags: Vec<FlagValue>,
    /// What a command takes where nobody says otherwise, instead of the setting's own default.
    pub(super) defaults: BTreeMap<String, String>,
}

impl Sources {
    /// Gathers a file (`path`, else `BUILDLY_CONFIG`, else `./buildly.toml` where it exists),
    /// the environment and flags.
    ///
    /// # Errors
    /// [`Error`] if the file cannot be read or is not TOML.
    pub fn gather(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: Vec<FlagValue>,
    ) -> Result<Self, Error> {
        let mut environment: BTreeMap<String, String> = environment
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX) && !name.starts_with(SECRET_PREFIX))
            .collect();
        let named = environment.remove(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let named = path.map(Path::to_owned).or(named);
        let file = match named {
            Some(path) => read_file(&path)?,
            None if Path::new(FILE_DEFAULT).exists() => read_file(Path::new(FILE_DEFAULT))?,
            None => BTreeMap::new(),
        };
        Ok(Self { file, environment, flags, defaults: BTreeMap::new() })
    }

    /// The same, with another default for one setting.
    #[must_use]
    pub fn with_default(mut self, key: &str, value: &str) -> Self {
        self.defaults.insert(key.to_owned(), value.to_owned());
        self
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, (String, Source)>, Error> {
    let refused = |reason: String| Error::one(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| refused(error.to_string()))?;
    let mut settings = BTreeMap::new();
    flatten("", &table, &mut settings);
    let source = || Source::File(path.to_owned());
    Ok(settings.into_iter().map(|(key, value)| (key, (value, source()))).collect())
}

/// `[limits] body_bytes_max = 7` is the setting `limits.body_bytes_max`.
fn flatten(prefix: &str, table: &toml::Table, settings: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(table) => flatten(&key, table, settings),
            value => {
                settings.insert(key, plain(value));
            }
        }
    }
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
