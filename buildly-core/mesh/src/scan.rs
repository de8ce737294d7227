//! Walks over JSON bytes and says where things are, without building anything.
//!
//! It checks the grammar of RFC 8259, with one leniency: an escape that is half of a surrogate
//! pair is let through, since services do send them and the bytes are passed on as they came.

use std::borrow::Cow;
use std::ops::Range;

/// How deeply objects and arrays may be nested.
pub(crate) const DEPTH_MAX: u32 = 128;

/// Bytes that are not JSON, or are nested too deeply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub(crate) struct Malformed {
    pub(crate) at: usize,
    pub(crate) reason: &'static str,
}

/// A text: what stands between the quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) span: Range<usize>,
    pub(crate) has_escapes: bool,
}

/// A place in JSON bytes that are valid UTF-8.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning, if the bytes are UTF-8.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(Self { bytes, at: 0 }),
            Err(error) => Err(Malformed { at: error.valid_up_to(), reason: "expected UTF-8" }),
        }
    }

    /// Where it is.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Steps over `expected`, if it is next.
    pub(crate) fn take(&mut self, expected: u8) -> bool {
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    /// Steps over `expected`, which must be next.
    pub(crate) fn expect(&mut self, expected: u8, reason: &'static str) -> Result<(), Malformed> {
        if self.take(expected) { Ok(()) } else { Err(self.malformed(reason)) }
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        if self.peek().is_none() { Ok(()) } else { Err(self.malformed("expected the end")) }
    }

    /// Steps over a text.
    pub(crate) fn text(&mut self) -> Result<Text, Malformed> {
        self.expect(b'"', "expected a text")?;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text { span: start..self.at - 1, has_escapes });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                Some(0x20..) => self.at += 1,
                Some(_) => return Err(self.malformed("a text has a bare control character")),
                None => return Err(self.malformed("a text does not end")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.malformed("expected four hexadecimal digits"));
                }
                self.at += 6;
            }
            _ => return Err(self.malformed("an unknown escape")),
        }
        Ok(())
    }

    /// Steps over a value of any kind and says where it stands. Nesting counts from `depth`.
    pub(crate) fn value(&mut self, depth: u32) -> Result<Range<usize>, Malformed> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'{' | b'[') => self.nested(depth)?,
            _ => self.scalar()?,
        }
        Ok(start..self.at)
    }

    fn scalar(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'"') => self.text().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.malformed("expected a value")),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Malformed> {
        if self.bytes.get(self.at..self.at + word.len()) != Some(word) {
            return Err(self.malformed("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.at += usize::from(self.bytes.get(self.at) == Some(&b'-'));
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { Err(self.malformed("expected a digit")) } else { Ok(()) }
    }

    /// Steps over an object or an array without recursion: one bit for each open one.
    fn nested(&mut self, depth: u32) -> Result<(), Malformed> {
        let mut objects: u128 = 0;
        let mut open: u32 = 0;
        loop {
            // At a value.
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if depth + open >= DEPTH_MAX {
                        return Err(self.malformed("nested too deeply"));
                    }
                    self.at += 1;
                    let is_object = bracket == b'{';
                    objects = objects << 1 | u128::from(is_object);
                    open += 1;
                    if !self.take(if is_object { b'}' } else { b']' }) {
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                    objects >>= 1;
                    open -= 1;
                }
                _ => self.scalar()?,
            }
            // After a value: close what ends here, or go on with the next.
            loop {
                if open == 0 {
                    return Ok(());
                }
                let is_object = objects & 1 == 1;
                if self.take(b',') {
                    if is_object {
                        self.name()?;
                    }
                    break;
                }
                let (bracket, reason) =
                    if is_object { (b'}', "expected `,` or `}`") } else { (b']', "expected `,` or `]`") };
                self.expect(bracket, reason)?;
                objects >>= 1;
                open -= 1;
            }
        }
    }

    /// Steps over a member's name and the colon after it.
    pub(crate) fn name(&mut self) -> Result<Text, Malformed> {
        let name = self.text()?;
        self.expect(b':', "expected `:`")?;
        Ok(name)
    }

    /// The resolved characters of a text; a half surrogate pair becomes U+FFFD.
    pub(crate) fn resolve(&self, text: &Text) -> Cow<'a, str> {
        let raw = self.bytes.get(text.span.clone()).unwrap_or_default();
        let raw = std::str::from_utf8(raw).unwrap_or_default();
        if text.has_escapes { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }
    }

    /// The bytes of a place.
    pub(crate) fn slice(&self, span: &Range<usize>) -> &'a [u8] {
        self.bytes.get(span.clone()).unwrap_or_default()
    }

    pub(crate) const fn malformed(&self, reason: &'static str) -> Malformed {
        Malformed { at: self.at, reason }
    }
}

/// Resolves the escapes of a text whose grammar has been checked.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = raw;
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at_checked(place).unwrap_or((rest, ""));
        if !before.is_empty() {
            flush(&mut units, &mut out);
            out.push_str(before);
        }
        let mut after = escape.chars();
        after.next();
        let kind = after.next().unwrap_or('\\');
        rest = after.as_str();
        if kind == 'u' {
            let (digits, remaining) = rest.split_at_checked(4).unwrap_or((rest, ""));
            units.push(u16::from_str_radix(digits, 16).unwrap_or(0xfffd));
            rest = remaining;
            continue;
        }
        flush(&mut units, &mut out);
        out.push(match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            other => other,
        });
    }
    flush(&mut units, &mut out);
    out.push_str(rest);
    out
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

#[cfg(test)]
mod tests;
