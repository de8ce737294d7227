//! Which records a path below a service names, and which services a join there leads to.

use crate::{Key, RecordType, Snapshot};

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address<'a> {
    /// The kind of records.
    pub record_type: &'a RecordType,
    /// The key, if the path names one record.
    pub key: Option<Key>,
}

impl Snapshot {
    /// What `path` (such as `/product/1/`, below the service) names; `None` if it names no records
    /// of the catalog.
    #[must_use]
    pub fn address(&self, service: &str, path: &str) -> Option<Address<'_>> {
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
        if let Some(record_type) = self.find_by_path(service, path) {
            return Some(Address { record_type, key: None });
        }
        let (list, key) = path.rsplit_once('/')?;
        let record_type = self.find_by_path(service, list)?;
        Some(Address { record_type, key: Some(Key::of_text(&decoded(key)?)) })
    }

    /// Whether records that `path` names are linked to any others.
    #[must_use]
    pub fn has_joins(&self, service: &str, path: &str) -> bool {
        self.address(service, path)
            .is_some_and(|address| self.relationships_of(address.record_type.id).next().is_some())
    }

    /// The services whose records a join of what `path` names may show; one may come twice.
    pub fn joined_services(&self, service: &str, path: &str) -> impl Iterator<Item = &str> {
        let record_type = self.address(service, path).map(|address| address.record_type.id);
        let relationships = record_type.into_iter().flat_map(|id| self.relationships_of(id));
        let related = relationships
            .filter_map(|(relationship, side)| self.find_record_type(relationship.type_at(side.opposite())));
        related.filter(|other| !other.is_local).map(|other| other.service.as_str())
    }
}

/// Resolves percent-encoding (RFC 3986 section 2.1); `None` if it is broken.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(u8::try_from(digit()? << 4 | digit()?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalog;

    #[test]
    fn a_path_names_a_list_or_one_record_of_it() {
        let catalog = catalog();
        for (service, path, expected) in [
            ("products", "/product/", Some(("Product", None))),
            ("products", "product?page=2", Some(("Product", None))),
            ("products", "/product/12/", Some(("Product", Some("12")))),
            ("products", "/product/a%20b/", Some(("Product", Some("a b")))),
            ("products", "/product/a%2/", None),
            ("products", "/product/12/lines/", None),
            ("other", "/product/", None),
        ] {
            let found = catalog.address(service, path);
            let key = |key: Key| key.to_string();
            let found = found.map(|found| (found.record_type.model.clone(), found.key.map(key)));
            let expected = expected.map(|(model, key)| (model.to_owned(), key.map(str::to_owned)));
            assert_eq!(found, expected, "{service}{path}");
        }
    }

    #[test]
    fn a_join_leads_to_the_services_of_the_related_records_only() {
        let catalog = catalog();
        for (service, path, expected) in [
            ("products", "/product/1/", vec!["documents", "products"]),
            ("documents", "/document/", vec!["products"]),
            ("core", "/coreuser/", vec!["products"]),
            ("products", "/unknown/", vec![]),
        ] {
            let found: Vec<&str> = catalog.joined_services(service, path).collect();
            assert_eq!(found, expected, "{service}{path}");
            assert_eq!(catalog.has_joins(service, path), !expected.is_empty(), "{service}{path}");
        }
    }
}
