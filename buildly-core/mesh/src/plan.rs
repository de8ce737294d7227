//! Decides what to fetch for a join, and for whom.
//!
//! Pure: a function of the shape, the catalog, the services' documents and the caller's
//! rights. Keys and values are never part of it, so that one plan serves every page.

use std::collections::HashMap;
use std::fmt;

use buildly_model::{Action, Principal, ServiceId};

use crate::fault::Reason;
use crate::shape::{Branch, Shape};
use crate::{DetailPath, Key, Links, RecordType, Resource, Services, Side, Snapshot, View};

/// The most keys of one call that takes several.
pub const CHUNK_KEYS_MAX: usize = 500;
/// The most bytes of one call's path and query.
pub const CHUNK_URL_BYTES_MAX: usize = 8_000;

/// The services that a caller may read, of those that a shape touches; sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Grants {
    readable: Box<[ServiceId]>,
}

impl Grants {
    /// What `principal` may read of the services that `shape` leads to.
    #[must_use]
    pub fn of(shape: &Shape, view: &View, principal: &Principal) -> Self {
        let services = shape.branches.iter().filter_map(|branch| {
            let other = branch.relationship_in(&view.catalog)?.type_at(branch.side.opposite());
            let other = view.catalog.find_record_type(other).filter(|other| !other.is_local)?;
            view.services.find_service(&other.service)
        });
        Self::from_services(services.filter(|service| view.access.may(principal, Action::Read, *service)))
    }

    /// Exactly these services.
    #[must_use]
    pub fn from_services(services: impl IntoIterator<Item = ServiceId>) -> Self {
        let mut readable: Vec<ServiceId> = services.into_iter().collect();
        readable.sort_unstable();
        readable.dedup();
        Self { readable: readable.into() }
    }

    /// Whether the service may be read.
    #[must_use]
    pub fn may_read(&self, service: ServiceId) -> bool {
        self.readable.binary_search(&service).is_ok()
    }
}

/// What to fetch for a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The branches, in the order of the shape.
    pub branches: Box<[PlannedBranch]>,
    /// The fetches; one for each kind of related record, whichever branches want it.
    pub fetches: Box<[Fetch]>,
}

/// One branch of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBranch {
    /// The field under which the records stand.
    pub key: String,
    /// The branch of the shape.
    pub branch: Branch,
    /// The field of the record that holds the other's key, where links are known by it.
    pub foreign_key: Option<String>,
    /// The service of the related records.
    pub service: String,
    /// Which fetch has the records, or why they are not fetched.
    pub fetch: Result<usize, Reason>,
}

/// One kind of record to fetch, by keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetch {
    /// What.
    pub record_type: RecordType,
    /// From which service; `None` for records of the core itself.
    pub service: Option<ServiceId>,
    /// How.
    pub method: Method,
    /// In which portions.
    pub chunk: Chunk,
}

/// How records are fetched by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Many with one call: the list with a parameter that takes keys.
    IdList {
        /// The list's path.
        path: String,
        /// The parameter.
        parameter: String,
    },
    /// One call each, some at a time.
    One(DetailPath),
    /// The whole list, page by page, since the service offers nothing better.
    List {
        /// The list's path.
        path: String,
    },
    /// From the core itself.
    Local,
}

/// How large one call may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// The most keys.
    pub keys_max: usize,
    /// The most bytes of path and query.
    pub url_bytes_max: usize,
}

/// Decides what to fetch. What the caller may not read is in no fetch.
#[must_use]
pub fn plan(shape: &Shape, catalog: &Snapshot, services: &dyn Services, grants: &Grants) -> Plan {
    let mut fetches: Vec<Fetch> = Vec::new();
    let mut places = HashMap::new();
    let branches = shape.branches.iter().filter_map(|branch| {
        let relationship = branch.relationship_in(catalog)?;
        let other = catalog.find_record_type(relationship.type_at(branch.side.opposite()))?;
        let fetch = match places.get(&other.id) {
            Some(place) => Ok(*place),
            None => plan_fetch(other, services, grants).map(|fetch| {
                fetches.push(fetch);
                places.insert(other.id, fetches.len() - 1);
                fetches.len() - 1
            }),
        };
        let foreign_key = match branch.links {
            Links::JoinRecords => None,
            Links::ForeignKey => relationship.foreign_key.clone(),
        };
        let (key, service) = (relationship.key.clone(), other.service.clone());
        Some(PlannedBranch { key, branch: *branch, foreign_key, service, fetch })
    });
    let branches = branches.collect();
    Plan { branches, fetches: fetches.into() }
}

fn plan_fetch(record_type: &RecordType, services: &dyn Services, grants: &Grants) -> Result<Fetch, Reason> {
    let chunk = Chunk { keys_max: CHUNK_KEYS_MAX, url_bytes_max: CHUNK_URL_BYTES_MAX };
    if record_type.is_local {
        return Ok(Fetch { record_type: record_type.clone(), service: None, method: Method::Local, chunk });
    }
    let service = services.find_service(&record_type.service).ok_or(Reason::UnknownService)?;
    if !grants.may_read(service) {
        return Err(Reason::Forbidden);
    }
    let resource = services
        .find_resource(service, record_type.path(), &record_type.key_field)
        .ok_or(Reason::UnknownPath)?;
    let method = choose_method(resource).ok_or(Reason::UnknownPath)?;
    Ok(Fetch { record_type: record_type.clone(), service: Some(service), method, chunk })
}

fn choose_method(resource: Resource) -> Option<Method> {
    match resource {
        Resource { list_path: Some(path), key_list: Some(parameter), .. } => {
            Some(Method::IdList { path, parameter })
        }
        Resource { detail_path: Some(path), .. } => Some(Method::One(path)),
        Resource { list_path: Some(path), .. } => Some(Method::List { path }),
        Resource { list_path: None, detail_path: None, .. } => None,
    }
}

impl Chunk {
    /// Cuts keys into portions whose calls stay within the limits; each key is in exactly one.
    /// `rest_bytes` is the length of path and query without the keys.
    pub(crate) fn cut<'a>(&self, keys: &'a [Key], rest_bytes: usize) -> Vec<&'a [Key]> {
        let mut portions = Vec::new();
        let mut rest = keys;
        while !rest.is_empty() {
            let mut bytes = rest_bytes;
            let fits = |key: &&Key| {
                bytes += encoded(&key.to_string()).len() + 1;
                bytes <= self.url_bytes_max
            };
            // A key that is too long all by itself still gets its call; the service may refuse it.
            let count = rest.iter().take(self.keys_max).take_while(fits).count().max(1);
            let (portion, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            portions.push(portion);
            rest = after;
        }
        portions
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.extend(
                    [byte >> 4, byte & 15]
                        .iter()
                        .filter_map(|digit| char::from_digit(u32::from(*digit), 16))
                        .map(|digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
    out
}

impl fmt::Display for Plan {
    /// One line a branch, for people.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, branch) in self.branches.iter().enumerate() {
            if number > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{}: ", branch.key)?;
            match branch.fetch.as_ref().map(|place| self.fetches.get(*place)) {
                Ok(Some(fetch)) => write!(formatter, "{fetch}")?,
                Ok(None) => {}
                Err(reason) => write!(formatter, "nothing from {} ({})", branch.service, reason.name())?,
            }
            match (branch.branch.links, branch.branch.side) {
                (Links::JoinRecords, Side::Origin) => formatter.write_str(", keys from join records")?,
                (Links::JoinRecords, Side::Related) => {
                    formatter.write_str(", keys from join records, backwards")?
                }
                (Links::ForeignKey, _) => formatter.write_str(", keys from the record")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fetch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = &self.record_type.service;
        match &self.method {
            Method::IdList { path, parameter } => {
                let keys_max = self.chunk.keys_max;
                write!(formatter, "GET {service}{path}?{parameter}=…, up to {keys_max} keys a call")
            }
            Method::One(path) => {
                write!(formatter, "GET {service}{}…{}, one call a key", path.before, path.after)
            }
            Method::List { path } => write!(formatter, "GET {service}{path}, the whole list"),
            Method::Local => write!(formatter, "{} of the core itself", self.record_type.model),
        }
    }
}

#[cfg(test)]
mod tests;
