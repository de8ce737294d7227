//! The query of a URL: repeated names keep all their values, in order.

use crate::Problem;

/// The parameters of a query, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `application/x-www-form-urlencoded` text (WHATWG URL section 5.1, but strict
    /// about UTF-8).
    ///
    /// # Errors
    /// 400 if it is not percent-encoded UTF-8.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((form_decode(name)?, form_decode(value)?))
        });
        Ok(Self(pairs.collect::<Result<_, Problem>>()?))
    }

    /// The first value of a name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the name is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Every pair.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn form_decode(text: &str) -> Result<String, Problem> {
    percent_decode(&text.replace('+', " "))
        .ok_or_else(|| Problem::invalid("The query is not valid percent-encoded UTF-8."))
}

/// Undoes percent-encoding (RFC 3986 section 2.1); `None` if the result is not UTF-8.
/// A `%` without two hexadecimal digits stands for itself.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'%', &[high, low, ref after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                decoded.push(hex(high)? << 4 | hex(low)?);
                rest = after;
            }
            _ => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
