//! Expressions: CEL, compiled once and evaluated within bounds.
//!
//! The `cel` crate has no cost limit, and an expression runs while the storage's writer waits.
//! So the text, its nesting and its tree are bounded when it is compiled, and the tree is
//! rewritten ([`meter`]): whatever can grow with the data (what a comprehension runs over, what
//! it builds, what it compares) passes through a function that takes its size from a budget
//! and fails once that is used up.

mod convert;
mod meter;
mod reads;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, Value as CelValue};
use serde_json::Value;

use meter::Budget;
pub use reads::Read;

/// The most bytes of one expression.
pub const EXPRESSION_BYTES_MAX: usize = 4_096;
/// How deep brackets may stand in each other.
const BRACKETS_MAX: usize = 24;
/// How deep the tree of an expression may be.
const TREE_DEPTH_MAX: usize = 64;
/// What one evaluation may cost, in values visited (a text counts one for each 16 bytes).
const COST_MAX: u64 = 1_000_000;

static ENVIRONMENT: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));
static PARSER: LazyLock<Env> = LazyLock::new(|| Env::stdlib().with_optional_support(false));

/// Why an expression is refused, or has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// It is larger or deeper than an expression may be.
    #[error("the expression is too large ({what}): compute it in a service, or split it over levels")]
    TooLarge {
        /// Which bound it breaks.
        what: &'static str,
    },
    /// It is not CEL.
    #[error("expected CEL, got `{source_text}`: {reason}")]
    Syntax {
        /// The text, shortened.
        source_text: String,
        /// What the parser says.
        reason: String,
    },
    /// Its evaluation costs more than is allowed.
    #[error("`{source_text}` costs more than {COST_MAX} steps: let a service filter or join the data")]
    TooCostly {
        /// The text, shortened.
        source_text: String,
    },
    /// It has no value for this data.
    #[error("`{source_text}` has no value: {reason}")]
    NoValue {
        /// The text, shortened.
        source_text: String,
        /// What was missing or did not fit.
        reason: String,
    },
    /// Its value is not of the type that is needed here.
    #[error("expected {expected} from `{source_text}`, got {got}")]
    WrongType {
        /// What is needed.
        expected: &'static str,
        /// What came.
        got: &'static str,
        /// The text, shortened.
        source_text: String,
    },
}

/// What an expression can read, by name.
pub(crate) trait Variables {
    /// The value of a variable.
    fn root(&self, name: &str) -> Option<Cow<'_, Value>>;

    /// One member of a variable that is an object; so that of a large one only what is read is taken.
    fn member(&self, root: &str, member: &str) -> Option<Cow<'_, Value>>;

    /// Whether a variable is an object.
    fn has_members(&self, root: &str) -> bool;
}

/// A compiled expression.
pub struct Expression {
    source: String,
    tree: cel::IdedExpr,
    reads: Box<[Read]>,
}

impl Expression {
    /// Compiles CEL.
    ///
    /// # Errors
    /// [`ExpressionError::TooLarge`] or [`ExpressionError::Syntax`].
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        if source.len() > EXPRESSION_BYTES_MAX {
            return Err(ExpressionError::TooLarge { what: "more than 4096 bytes" });
        }
        if brackets_depth(source) > BRACKETS_MAX {
            return Err(ExpressionError::TooLarge { what: "more than 24 brackets in each other" });
        }
        let syntax = |reason: String| ExpressionError::Syntax { source_text: shortened(source), reason };
        let parsed = parse(source).map_err(|reason| syntax(reason.to_owned()))?;
        let mut tree = parsed.map_err(|errors| syntax(first_line(&errors.to_string())))?;
        if meter::depth(&tree) > TREE_DEPTH_MAX {
            return Err(ExpressionError::TooLarge { what: "more than 64 operations in each other" });
        }
        let reads = reads::of(&tree);
        meter::meter(&mut tree);
        Ok(Self { source: source.to_owned(), tree, reads })
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads.
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// Its type, if the text alone says it: `true`, `'a text'`, `{…}`, a comparison.
    #[must_use]
    pub fn known_type(&self) -> Option<&'static str> {
        reads::known_type(&self.tree)
    }

    /// Its value, if it is written as `true` or `false`.
    #[must_use]
    pub fn constant(&self) -> Option<bool> {
        reads::constant(&self.tree)
    }

    /// Its value.
    pub(crate) fn evaluate(&self, variables: &dyn Variables) -> Result<Value, ExpressionError> {
        let budget = Arc::new(Budget::new(COST_MAX));
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        meter::install(&mut context, &budget);
        self.bind(&mut context, variables);
        let result = catch_unwind(AssertUnwindSafe(|| CelValue::resolve(&self.tree, &context)))
            .map_err(|_| self.no_value("the evaluation gave up"))?;
        if budget.is_exhausted() {
            return Err(ExpressionError::TooCostly { source_text: shortened(&self.source) });
        }
        let value = result.map_err(|error| self.no_value(&error.to_string()))?;
        let mut nodes_left = COST_MAX;
        convert::to_json(&value, &mut nodes_left).map_err(|reason| self.no_value(reason))
    }

    /// Its value, which must be true or false.
    pub(crate) fn evaluate_bool(&self, variables: &dyn Variables) -> Result<bool, ExpressionError> {
        let value = self.evaluate(variables)?;
        value.as_bool().ok_or_else(|| self.wrong_type("true or false", &value))
    }

    /// Its value, which must be a text.
    pub(crate) fn evaluate_text(&self, variables: &dyn Variables) -> Result<String, ExpressionError> {
        match self.evaluate(variables)? {
            Value::String(text) => Ok(text),
            other => Err(self.wrong_type("a text", &other)),
        }
    }

    /// Its value, which must be a list.
    pub(crate) fn evaluate_list(&self, variables: &dyn Variables) -> Result<Vec<Value>, ExpressionError> {
        match self.evaluate(variables)? {
            Value::Array(items) => Ok(items),
            other => Err(self.wrong_type("a list", &other)),
        }
    }

    fn bind(&self, context: &mut Context<'_, '_>, variables: &dyn Variables) {
        let mut bound: Vec<&str> = Vec::new();
        for read in &self.reads {
            let root = read.root.as_str();
            if bound.contains(&root) {
                continue;
            }
            bound.push(root);
            let members: Option<Vec<&str>> = self
                .reads
                .iter()
                .filter(|other| other.root == root)
                .map(|read| read.member.as_deref())
                .collect();
            let value = match members {
                // Only what is named is converted: an expression over two of ten thousand
                // results must not pay for all of them.
                Some(members) if variables.has_members(root) => {
                    let named = members.into_iter().filter_map(|member| {
                        Some((member.to_owned(), convert::to_cel(&*variables.member(root, member)?)))
                    });
                    Some(convert::map(named))
                }
                Some(_) | None => variables.root(root).map(|value| convert::to_cel(&value)),
            };
            if let Some(value) = value {
                context.add_variable_from_value(root, value);
            }
        }
    }

    fn no_value(&self, reason: &str) -> ExpressionError {
        ExpressionError::NoValue {
            source_text: shortened(&self.source),
            reason: shortened(&first_line(reason)),
        }
    }

    fn wrong_type(&self, expected: &'static str, got: &Value) -> ExpressionError {
        ExpressionError::WrongType { expected, got: type_name(got), source_text: shortened(&self.source) }
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Expression({})", self.source)
    }
}

type Parsed = Result<cel::IdedExpr, cel::ParseErrors>;

/// Parses without bringing down the host program: a panic of the parser is an error, and since
/// it takes 150 kB of stack for each bracket (measured in a debug build), deep nesting gets a
/// stack of its own.
fn parse(source: &str) -> Result<Parsed, &'static str> {
    const GAVE_UP: &str = "the parser gave up";
    const BRACKETS_ON_ANY_STACK: usize = 3;
    const STACK_BYTES: usize = 32 * 1024 * 1024;
    let parse = || catch_unwind(AssertUnwindSafe(|| PARSER.parser().parse(source))).map_err(|_| GAVE_UP);
    if brackets_depth(source) <= BRACKETS_ON_ANY_STACK {
        return parse();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, parse);
        thread.map_err(|_| "there is no thread to parse it on")?.join().map_err(|_| GAVE_UP)?
    })
}

/// The word for a JSON value's type.
pub(crate) const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// How deep brackets outside of texts stand in each other.
fn brackets_depth(source: &str) -> usize {
    let (mut depth, mut deepest, mut quote, mut escaped) = (0_usize, 0, None, false);
    for byte in source.bytes() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    deepest
}

fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 120;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
