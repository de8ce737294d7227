//! What goes along with the calls that a join makes, so that services see one request.

use buildly_model::RelationshipId;
use http::{Extensions, HeaderMap, HeaderValue};

/// The longest key that services are sure to take.
const KEY_BYTES_MAX: usize = 255;

/// What goes along with every call that a join makes.
#[derive(Debug, Clone, Default)]
pub struct Along {
    /// Headers of the request for all services, such as its correlation id.
    pub headers: HeaderMap,
    /// What whoever performs the calls wants to know of the request, such as the client's address.
    pub extensions: Extensions,
    /// The `Idempotency-Key` of a request that writes; those of the related records are made of it.
    pub idempotency_key: Option<HeaderValue>,
}

impl Along {
    /// The key of one related record: the same when the request is repeated, and another one for
    /// each record of it. `key:relationship:number`, within the quotes if there are any (it is a
    /// string of RFC 9651 in the IETF's draft, and bare in practice).
    pub(crate) fn key_of(&self, relationship: RelationshipId, number: usize) -> Option<HeaderValue> {
        let key = self.idempotency_key.as_ref()?.as_bytes();
        let own = format!(":{relationship}:{number}");
        let derived = match key {
            [b'"', inner @ .., b'"'] => [b"\"", inner, own.as_bytes(), b"\""].concat(),
            bare => [bare, own.as_bytes()].concat(),
        };
        // A longer one would be refused; without one the record is written, if not repeatably.
        HeaderValue::from_bytes(&derived).ok().filter(|key| key.len() <= KEY_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_related_record_has_a_key_of_its_own_that_stays_the_same() {
        let relationship = RelationshipId::from_uuid(uuid::Uuid::nil());
        let id = relationship.to_string();
        for (key, expected) in [
            (Some("k-1"), Some(format!("k-1:{id}:2"))),
            (Some("\"k-1\""), Some(format!("\"k-1:{id}:2\""))),
            (Some("\""), Some(format!("\":{id}:2"))),
            (None, None),
        ] {
            let along = Along { idempotency_key: key.map(HeaderValue::from_static), ..Along::default() };
            let derived = along.key_of(relationship, 2);
            assert_eq!(derived, expected.map(|key| HeaderValue::try_from(key).unwrap()), "{key:?}");
        }
    }
}
