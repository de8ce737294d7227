//! Reads a feed of vCards (RFC 6350), card by card: one that is bad stops none of the others.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;
use vcard4::Vcard;
use vcard4::property::{TextOrUriProperty, TextProperty};

/// The most cards of a feed: a run keeps them until it has written them.
pub(crate) const CARDS_MAX: usize = 2000;

/// What a feed has.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Feed {
    /// Those that can be imported.
    pub(crate) contacts: Vec<Contact>,
    /// Those that cannot.
    pub(crate) refused: Vec<RefusedCard>,
}

/// A contact as the CRM is to have it.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Contact {
    /// What the address book calls it, for ever.
    pub(crate) uid: String,
    /// The record's id: of the same organization and UID always the same, so a second import
    /// finds the record of the first.
    pub(crate) id: Uuid,
    /// The fields that the address book says; those that a card does not have are null, so that
    /// what is deleted there goes here too. Fields that it knows nothing of are left alone.
    pub(crate) fields: Value,
}

/// A card that cannot be imported.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RefusedCard {
    /// Which, from 1.
    pub(crate) card: usize,
    /// Why.
    pub(crate) reason: String,
}

/// Reads the text of a feed; records of `organization` come of it.
pub(crate) fn read(text: &str, organization: Uuid) -> Feed {
    let mut feed = Feed::default();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (place, text) in split(text).into_iter().enumerate() {
        let card = place + 1;
        let contact = if place < CARDS_MAX {
            contact(&text, organization)
        } else {
            Err(format!("a feed has at most {CARDS_MAX} cards"))
        };
        let contact = contact.and_then(|contact| match seen.get(&contact.uid) {
            Some(first) => Err(format!("it has the UID of card {first}")),
            None => Ok(contact),
        });
        match contact {
            Ok(contact) => {
                seen.insert(contact.uid.clone(), card);
                feed.contacts.push(contact);
            }
            Err(reason) => feed.refused.push(RefusedCard { card, reason }),
        }
    }
    feed
}

/// The cards as texts: each begins where the next `BEGIN:VCARD` stands, also if the one before
/// has no end.
fn split(text: &str) -> Vec<String> {
    let mut cards: Vec<String> = Vec::new();
    for line in text.lines() {
        let begins = line.trim_end().eq_ignore_ascii_case("BEGIN:VCARD");
        match cards.last_mut() {
            Some(card) if !begins => {
                card.push_str(line);
                card.push_str("\r\n");
            }
            _ if begins || !line.trim().is_empty() => cards.push(format!("{line}\r\n")),
            _ => {}
        }
    }
    cards
}

fn contact(text: &str, organization: Uuid) -> Result<Contact, String> {
    let cards = vcard4::parse(text).map_err(|error| format!("it cannot be read: {error}"))?;
    let card = cards.into_iter().next().ok_or("there is no card")?;
    let uid = card.uid.as_ref().map(text_of).filter(|uid| !uid.is_empty()).ok_or("it has no UID")?;
    let name = first(&card.formatted_name).ok_or("it has no name (FN)")?;
    let id = Uuid::new_v5(&organization, uid.as_bytes());
    Ok(Contact { uid, id, fields: fields(&card, name) })
}

fn fields(card: &Vcard, name: &str) -> Value {
    let address = card.address.first().map(|address| &address.value);
    let phone = card.tel.first().map(text_of);
    let phone = phone.as_deref().map(|phone| phone.strip_prefix("tel:").unwrap_or(phone));
    json!({
        "name": name,
        "email": first(&card.email),
        "phone": phone,
        "position": first(&card.title),
        "address": address.and_then(|address| filled(address.street_address.as_deref())),
        "city": address.and_then(|address| filled(address.locality.as_deref())),
        "state": address.and_then(|address| filled(address.region.as_deref())),
        "postal_code": address.and_then(|address| filled(address.postal_code.as_deref())),
        "country": address.and_then(|address| filled(address.country_name.as_deref())),
    })
}

fn first(properties: &[TextProperty]) -> Option<&str> {
    filled(properties.first().map(|property| property.value.as_str()))
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn text_of(property: &TextOrUriProperty) -> String {
    match property {
        TextOrUriProperty::Text(text) => text.value.trim().to_owned(),
        TextOrUriProperty::Uri(uri) => uri.value.to_string(),
    }
}

#[cfg(test)]
mod tests;
