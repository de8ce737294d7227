//! A JSON answer and where its records are: one checking walk over its bytes.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;

use crate::Key;
use crate::scan::{Malformed, Scanner, Text};

/// The most records of one answer that is joined, or is joined to another.
const RECORDS_MAX: usize = 100_000;
/// The field of a page that holds its records.
const RESULTS: &str = "results";
/// The field of a page that says where the next one is.
const NEXT: &str = "next";

/// What an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// One record.
    Detail,
    /// An array of records or a page of them; also one record.
    List,
}

/// What to look for in each record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The field that holds the key.
    pub(crate) key_field: &'a str,
    /// Fields that hold keys of other records.
    pub(crate) fields: &'a [&'a str],
    /// Names that the mesh will write itself.
    pub(crate) reserved: &'a [&'a str],
}

/// How the records stand in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The answer is one record.
    Record,
    /// The answer is an array of them.
    Array,
    /// They are in `results` of an object.
    Page {
        /// Where that object's closing brace is.
        end: usize,
        /// Whether a member of it has a name that the mesh writes itself.
        has_reserved: bool,
        /// The value of `next`.
        next: Next,
    },
}

/// What a page says of the one after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: it has no such field.
    Unsaid,
    /// There is none.
    Last,
    /// It is there: an address or a cursor.
    At(String),
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Where its opening brace is.
    pub(crate) start: usize,
    /// Behind its closing brace.
    pub(crate) end: usize,
    /// Its key, if it has one.
    pub(crate) key: Option<Key>,
    /// The keys in the wanted fields, in their order.
    pub(crate) fields: Vec<Option<Key>>,
    /// Whether it has no members.
    pub(crate) is_empty: bool,
    /// Whether its bytes may be copied as they are: no member twice, none with a reserved name.
    pub(crate) is_verbatim: bool,
}

/// A JSON answer and where its records are.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) bytes: Bytes,
    pub(crate) layout: Layout,
    pub(crate) records: Vec<Record>,
}

impl Document {
    /// Walks over an answer once; `None` if it is JSON, but has no records.
    pub(crate) fn scan(
        bytes: Bytes,
        expected: Expected,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Self>, Malformed> {
        let mut scanner = Scanner::new(&bytes)?;
        let mut records = Vec::new();
        let layout = match scanner.peek() {
            Some(b'[') => array(&mut scanner, wanted, &mut records, 0)?.then_some(Layout::Array),
            Some(b'{') if expected == Expected::Detail => {
                records.push(record(&mut scanner, wanted, 0)?);
                Some(Layout::Record)
            }
            Some(b'{') => Some(page_or_record(&bytes, &mut scanner, wanted, &mut records)?),
            _ => {
                scanner.value(0)?;
                None
            }
        };
        scanner.end()?;
        Ok(layout.map(|layout| Self { bytes, layout, records }))
    }

    /// What it says of the page after it.
    pub(crate) fn next(&self) -> Next {
        match &self.layout {
            Layout::Page { next, .. } => next.clone(),
            Layout::Array => Next::Unsaid,
            Layout::Record => Next::Last,
        }
    }

    /// The bytes of one record.
    pub(crate) fn slice(&self, record: &Record) -> Bytes {
        if record.end <= self.bytes.len() { self.bytes.slice(record.start..record.end) } else { Bytes::new() }
    }

    /// The bytes from `start` to `end`.
    pub(crate) fn part(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// Walks over an array; says whether all its items are records.
fn array(
    scanner: &mut Scanner<'_>,
    wanted: &Wanted<'_>,
    records: &mut Vec<Record>,
    depth: u32,
) -> Result<bool, Malformed> {
    scanner.expect(b'[', "expected `[`")?;
    let mut all_records = true;
    if scanner.take(b']') {
        return Ok(true);
    }
    loop {
        if scanner.peek() == Some(b'{') {
            if records.len() >= RECORDS_MAX {
                return Err(scanner.malformed("expected at most 100000 records; ask for a page of them"));
            }
            records.push(record(scanner, wanted, depth + 1)?);
        } else {
            scanner.value(depth + 1)?;
            all_records = false;
        }
        if !scanner.take(b',') {
            scanner.expect(b']', "expected `,` or `]`")?;
            return Ok(all_records);
        }
    }
}

/// Walks over an object that is a page if it has `results`, and else one record.
fn page_or_record(
    bytes: &Bytes,
    scanner: &mut Scanner<'_>,
    wanted: &Wanted<'_>,
    records: &mut Vec<Record>,
) -> Result<Layout, Malformed> {
    let mut next = Next::Unsaid;
    let mut has_results = false;
    let mut has_reserved = false;
    let mut found = Vec::new();
    let end = members(scanner, |scanner, name| {
        let name = scanner.resolve(&name);
        has_reserved |= wanted.reserved.contains(&&*name);
        if name == RESULTS && scanner.peek() == Some(b'[') {
            if has_results {
                return Err(scanner.malformed("a page has two members `results`"));
            }
            has_results = array(scanner, wanted, &mut found, 1)?;
            return Ok(());
        }
        let value = scanner.value(1)?;
        if name == NEXT {
            next = next_of(scanner.slice(&value));
        }
        Ok(())
    })?;
    if has_results {
        *records = found;
        return Ok(Layout::Page { end: end.saturating_sub(1), has_reserved, next });
    }
    // Not a page: read it once more as one record. Only small bodies come this way.
    let mut again = Scanner::new(bytes)?;
    records.push(record(&mut again, wanted, 0)?);
    Ok(Layout::Record)
}

fn next_of(value: &[u8]) -> Next {
    match serde_json::from_slice::<serde_json::Value>(value) {
        Ok(serde_json::Value::Null) => Next::Last,
        Ok(serde_json::Value::String(at)) if !at.is_empty() => Next::At(at),
        Ok(serde_json::Value::Number(number)) => Next::At(number.to_string()),
        _ => Next::Unsaid,
    }
}

/// Walks over one record.
fn record(scanner: &mut Scanner<'_>, wanted: &Wanted<'_>, depth: u32) -> Result<Record, Malformed> {
    scanner.peek();
    let start = scanner.at();
    let mut names = Names::default();
    let mut one = Record {
        start,
        end: start,
        key: None,
        fields: vec![None; wanted.fields.len()],
        is_empty: true,
        is_verbatim: true,
    };
    one.end = members(scanner, |scanner, name| {
        let name = scanner.resolve(&name);
        let value = scanner.value(depth + 1)?;
        one.is_empty = false;
        // The last of several members of one name counts, as parsers have it.
        if name == wanted.key_field {
            one.key = key_of(scanner.slice(&value));
        }
        for (field, place) in wanted.fields.iter().zip(&mut one.fields) {
            if *field == name {
                *place = key_of(scanner.slice(&value));
            }
        }
        if wanted.reserved.contains(&&*name) || !names.is_new(name) {
            one.is_verbatim = false;
        }
        Ok(())
    })?;
    Ok(one)
}

/// So many names are compared one by one, which is faster than hashing them.
const NAMES_SCANNED_MAX: usize = 32;

/// The names of one record's members.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    /// All of them, once there are many.
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Adds one; says whether it was not there.
    fn is_new(&mut self, name: Cow<'a, str>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(name);
        }
        let is_new = !self.few.contains(&name);
        if is_new && self.few.len() < NAMES_SCANNED_MAX {
            self.few.push(name);
        } else if is_new {
            self.many.extend(self.few.drain(..));
            self.many.insert(name);
        }
        is_new
    }
}

/// Walks over an object; `visit` stands at a member's value and steps over it. Says where it ends.
fn members<'a>(
    scanner: &mut Scanner<'a>,
    mut visit: impl FnMut(&mut Scanner<'a>, Text) -> Result<(), Malformed>,
) -> Result<usize, Malformed> {
    scanner.expect(b'{', "expected `{`")?;
    if !scanner.take(b'}') {
        loop {
            let name = scanner.name()?;
            visit(scanner, name)?;
            if !scanner.take(b',') {
                scanner.expect(b'}', "expected `,` or `}`")?;
                break;
            }
        }
    }
    Ok(scanner.at())
}

/// The key that a JSON value is, with all its digits.
fn key_of(value: &[u8]) -> Option<Key> {
    match value.first() {
        Some(b'"') => {
            let mut scanner = Scanner::new(value).ok()?;
            let text = scanner.text().ok()?;
            let text = scanner.resolve(&text);
            (!text.is_empty()).then(|| Key::of_text(&text))
        }
        Some(b'-' | b'0'..=b'9') => std::str::from_utf8(value).ok().map(Key::of_text),
        _ => None,
    }
}

/// The record with each member once (its last value), and without the members named in `dropped`.
pub(crate) fn rewrite(record: &[u8], dropped: &[&str]) -> Result<Vec<u8>, Malformed> {
    let mut scanner = Scanner::new(record)?;
    let mut kept: Vec<(Box<str>, &[u8], &[u8])> = Vec::new();
    members(&mut scanner, |scanner, name| {
        let raw_name = scanner.slice(&name.span);
        let name: Box<str> = scanner.resolve(&name).into();
        let value = scanner.value(1)?;
        let value = scanner.slice(&value);
        if dropped.contains(&&*name) {
            return Ok(());
        }
        match kept.iter_mut().find(|(known, ..)| *known == name) {
            Some(known) => known.2 = value,
            None => kept.push((name, raw_name, value)),
        }
        Ok(())
    })?;
    let mut out = Vec::with_capacity(record.len());
    out.push(b'{');
    for (number, (_, name, value)) in kept.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(name);
        out.extend_from_slice(b"\":");
        out.extend_from_slice(value);
    }
    out.push(b'}');
    Ok(out)
}
