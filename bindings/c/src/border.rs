//! What C hands over, and what it is given.
#![expect(unsafe_code, reason = "memory of another language is read and handed out here")]

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use buildly_deployment::Failure;
use serde_json::Value;

// The host's allocator: what it frees, also with a wrong length in it, is what was allocated.
unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// Bytes that the host owns: a text in UTF-8, or a body. `data` NULL says that there is none.
///
/// They need to be there, and unchanged, until the function that takes them has returned.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    // INVARIANT: NULL, or `length` bytes that can be read as long as this is used. Only C and
    // `From` make one; C's side of it is in the header.
    data: *const c_char,
    length: usize,
}

// SAFETY: the bytes are only read, and the invariant holds on whichever thread that happens.
unsafe impl Sync for Slice {}

impl Slice {
    /// None.
    pub const NONE: Self = Self { data: ptr::null(), length: 0 };

    pub(crate) const fn is_none(self) -> bool {
        self.data.is_null()
    }

    /// `length` bytes at `data`.
    ///
    /// # Safety
    /// They can be read as long as this is used, or `data` is NULL.
    #[must_use]
    pub const unsafe fn new(data: *const c_char, length: usize) -> Self {
        Self { data, length }
    }

    /// Of bytes that outlive every use of it.
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr().cast(), length: bytes.len() }
    }

    /// The bytes; empty where there are none.
    ///
    /// # Errors
    /// A length without bytes, or one that no memory has.
    pub(crate) fn bytes(&self, field: &str) -> Result<&[u8], Failure> {
        if self.data.is_null() {
            let expected = format!("expected {} bytes, not NULL", self.length);
            return if self.length == 0 { Ok(&[]) } else { Err(Failure::field(field, expected)) };
        }
        if self.length > isize::MAX.unsigned_abs() {
            return Err(Failure::field(field, format!("no memory holds {} bytes", self.length)));
        }
        // SAFETY: not NULL, no longer than memory can be, and by the invariant there to be read.
        Ok(unsafe { std::slice::from_raw_parts(self.data.cast(), self.length) })
    }

    /// The text, if there is one.
    ///
    /// # Errors
    /// As [`Self::bytes`], or if it is not UTF-8.
    pub(crate) fn optional_text(&self, field: &str) -> Result<Option<&str>, Failure> {
        let bytes = self.bytes(field)?;
        if self.is_none() {
            return Ok(None);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            Failure::field(field, format!("expected UTF-8, which ends at byte {at}"))
        })?;
        Ok(Some(text))
    }

    /// The text.
    ///
    /// # Errors
    /// As [`Self::optional_text`], or if there is none.
    pub(crate) fn text(&self, field: &str) -> Result<&str, Failure> {
        self.optional_text(field)?.ok_or_else(|| Failure::field(field, "expected a text, not NULL"))
    }

    /// What the text says as JSON; `null` where there is none.
    ///
    /// # Errors
    /// As [`Self::optional_text`], or if it is no JSON.
    pub(crate) fn json(&self, field: &str) -> Result<Value, Failure> {
        let Some(text) = self.optional_text(field)? else { return Ok(Value::Null) };
        serde_json::from_str(text).map_err(|error| Failure::field(field, format!("expected JSON: {error}")))
    }
}

impl From<&'static str> for Slice {
    fn from(text: &'static str) -> Self {
        Self::of(text.as_bytes())
    }
}

/// A header field.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Its name.
    pub name: Slice,
    /// Its value.
    pub value: Slice,
}

/// Several header fields of the host's; `count` of them at `headers`, or none.
///
/// # Errors
/// A count without fields, or one that no memory has.
pub(crate) fn headers<'a>(headers: *const Header, count: usize) -> Result<&'a [Header], Failure> {
    if headers.is_null() {
        let expected = format!("expected {count} headers, not NULL");
        return if count == 0 { Ok(&[]) } else { Err(Failure::field("headers", expected)) };
    }
    if count > isize::MAX.unsigned_abs() / size_of::<Header>() {
        return Err(Failure::field("headers", format!("no memory holds {count} headers")));
    }
    // SAFETY: the host says that `count` of them are there, which the header demands of it.
    Ok(unsafe { std::slice::from_raw_parts(headers, count) })
}

/// Bytes that this library has allocated; `data[length]` is 0, so that a text is a C string.
///
/// Free them with `buildly_buffer_free`, and no other way.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Buffer {
    data: *mut c_char,
    length: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { data: ptr::null_mut(), length: 0 }
    }
}

impl Buffer {
    /// A copy; nothing, where there is no memory for it.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        // SAFETY: any size may be asked for.
        let data = unsafe { malloc(bytes.len().saturating_add(1)) }.cast::<c_char>();
        if data.is_null() {
            return Self::default();
        }
        // SAFETY: there are `bytes.len() + 1` bytes at `data`, which nobody else knows yet.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr().cast(), data, bytes.len());
            data.add(bytes.len()).write(0);
        }
        Self { data, length: bytes.len() }
    }

    /// What it holds, to be handed to another function.
    #[must_use]
    pub const fn slice(&self) -> Slice {
        Slice { data: self.data, length: self.length }
    }

    /// Its text, as far as it is UTF-8.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.slice().bytes("buffer").map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    pub(crate) fn free(&mut self) {
        // SAFETY: NULL, or what `malloc` gave; it is forgotten below, so that this happens once.
        unsafe { free(self.data.cast()) };
        *self = Self::default();
    }
}

/// Frees what this library has allocated, and empties the buffer: freeing it again does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_buffer_free(buffer: Option<&mut Buffer>) {
    if let Some(buffer) = buffer {
        buffer.free();
    }
}

/// The value of the first header of that name, in any case of letters; `data` is NULL if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_header_find(headers: *const Header, count: usize, name: Slice) -> Slice {
    let (Ok(all), Ok(name)) = (self::headers(headers, count), name.bytes("name")) else {
        return Slice::NONE;
    };
    let is_it =
        |header: &&Header| header.name.bytes("name").is_ok_and(|known| known.eq_ignore_ascii_case(name));
    all.iter().find(is_it).map_or(Slice::NONE, |header| header.value)
}

/// An array of headers, each copied.
pub(crate) fn copied(fields: &[(Vec<u8>, Vec<u8>)]) -> (*mut Header, usize, Buffer) {
    let text: Vec<u8> = fields.iter().flat_map(|(name, value)| [&name[..], &value[..]].concat()).collect();
    let storage = Buffer::of(&text);
    let size = fields.len().saturating_mul(size_of::<Header>());
    // SAFETY: any size may be asked for.
    let array = unsafe { malloc(size) }.cast::<Header>();
    if array.is_null() || storage.data.is_null() {
        // SAFETY: NULL, or just given by `malloc`.
        unsafe { free(array.cast()) };
        return (ptr::null_mut(), 0, storage);
    }
    let mut at = 0;
    let mut next = |length: usize| {
        // SAFETY: the lengths add up to what the storage holds.
        let slice = Slice { data: unsafe { storage.data.add(at) }, length };
        at += length;
        slice
    };
    for (place, (name, value)) in fields.iter().enumerate() {
        let header = Header { name: next(name.len()), value: next(value.len()) };
        // SAFETY: there is room for as many as there are fields, aligned as `malloc` aligns.
        unsafe { array.add(place).write(header) };
    }
    (array, fields.len(), storage)
}

/// Frees an array of [`copied`] headers.
pub(crate) fn free_headers(array: &mut *mut Header) {
    // SAFETY: NULL, or what `malloc` gave; it is forgotten below, so that this happens once.
    unsafe { free(array.cast()) };
    *array = ptr::null_mut();
}

/// A place for what comes out; NULL where the host does not want it.
pub(crate) type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// A place that must be there. It is emptied first, so that it can be freed whatever happens.
pub(crate) fn wanted<'a, T: Default>(place: Out<'a, T>, field: &str) -> Result<&'a mut T, Failure> {
    emptied(place).ok_or_else(|| Failure::field(field, "expected where to put it, not NULL"))
}

/// A place that may be there, emptied.
pub(crate) fn emptied<T: Default>(place: Out<'_, T>) -> Option<&mut T> {
    place.map(|place| place.write(T::default()))
}

/// Puts a text where the host wants it.
pub(crate) fn put(place: Option<&mut Buffer>, text: &str) {
    if let Some(place) = place {
        *place = Buffer::of(text.as_bytes());
    }
}
