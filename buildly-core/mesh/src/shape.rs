//! What is asked for: which relationships of which record type.

use buildly_model::{RecordTypeId, RelationshipId};

use crate::{Error, Relationship, Side, Snapshot};

/// The form of a join, without any value: the same for every page of the same question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The type of the records that others are joined to.
    pub record_type: RecordTypeId,
    /// What is joined, in the order of the answer's fields.
    pub branches: Box<[Branch]>,
}

/// One relationship of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Branch {
    /// Which.
    pub relationship: RelationshipId,
    /// The end at which the records stand that others are joined to.
    pub side: Side,
    /// How the other records' keys are known.
    pub links: Links,
}

/// How the keys of related records are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Links {
    /// From the stored links.
    JoinRecords,
    /// From the field of the record itself that holds the other's key.
    ForeignKey,
}

impl Shape {
    /// Every relationship that the record type has, in either direction.
    #[must_use]
    pub fn all(catalog: &Snapshot, record_type: RecordTypeId) -> Self {
        let branches = catalog.relationships_of(record_type).map(|(relationship, side)| Branch {
            relationship: relationship.id,
            side,
            links: Links::JoinRecords,
        });
        Self { record_type, branches: branches.collect() }
    }

    /// The relationships that `names` lists, comma-separated: each by its key, or by the path,
    /// the service or the model of the records that it leads to, where only one fits.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what could be joined, if a name fits none or several.
    pub fn named(catalog: &Snapshot, record_type: RecordTypeId, names: &str) -> Result<Self, Error> {
        let all = Self::all(catalog, record_type);
        let mut branches = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let fits = |keys_only: bool| {
                let branches = all.branches.iter().copied();
                branches.filter(|branch| is_called(catalog, branch, name, keys_only)).collect::<Vec<_>>()
            };
            let by_key = fits(true);
            let found = if by_key.is_empty() { fits(false) } else { by_key };
            match found.as_slice() {
                [] => return Err(unknown(catalog, &all, name, "is not a relationship of these records")),
                [_, _, ..] if !same_key(catalog, &found) => {
                    return Err(unknown(catalog, &all, name, "fits several relationships"));
                }
                found => {
                    for branch in found {
                        if !branches.contains(branch) {
                            branches.push(*branch);
                        }
                    }
                }
            }
        }
        Ok(Self { record_type, branches: branches.into() })
    }
}

impl Branch {
    /// The relationship itself.
    pub(crate) fn relationship_in<'a>(&self, catalog: &'a Snapshot) -> Option<&'a Relationship> {
        catalog.find_relationship(self.relationship)
    }
}

fn is_called(catalog: &Snapshot, branch: &Branch, name: &str, keys_only: bool) -> bool {
    let Some(relationship) = branch.relationship_in(catalog) else { return false };
    if keys_only {
        return relationship.key == name;
    }
    let other = relationship.type_at(branch.side.opposite());
    catalog.find_record_type(other).is_some_and(|other| {
        other.path() == name || other.service == name || other.model.eq_ignore_ascii_case(name)
    })
}

/// Several relationships may share a key: their records stand in one list.
fn same_key(catalog: &Snapshot, branches: &[Branch]) -> bool {
    let keys: Vec<_> =
        branches.iter().map(|branch| branch.relationship_in(catalog).map(|one| &one.key)).collect();
    keys.windows(2).all(|pair| pair.first() == pair.last())
}

fn unknown(catalog: &Snapshot, all: &Shape, name: &str, problem: &str) -> Error {
    let keys: Vec<&str> = all
        .branches
        .iter()
        .filter_map(|branch| branch.relationship_in(catalog))
        .map(|one| one.key.as_str())
        .collect();
    let choice = if keys.is_empty() {
        "nothing can be joined here".to_owned()
    } else {
        format!("join one of `{}`", keys.join("`, `"))
    };
    Error::field("join", format!("`{name}` {problem}; {choice}"))
}
