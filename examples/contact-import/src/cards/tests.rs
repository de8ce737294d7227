use super::*;

const ACME: Uuid = Uuid::from_u128(1);
const GLOBEX: Uuid = Uuid::from_u128(2);

fn card(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| format!("{line}\r\n")).collect::<String>();
    format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{lines}END:VCARD\r\n")
}

fn one(lines: &[&str]) -> Contact {
    let mut feed = read(&card(lines), ACME);
    assert_eq!(feed.refused, [], "{lines:?}");
    feed.contacts.remove(0)
}

#[test]
fn a_card_becomes_the_fields_of_a_contact() {
    let contact = one(&[
        "UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1",
        "FN:Grüße\\, Ada",
        "N:Ada;;;;",
        "EMAIL;TYPE=work:ada@example.org",
        "EMAIL:other@example.org",
        "TEL;VALUE=uri;TYPE=home:tel:+49-30-123",
        "TITLE:Countess",
        "ADR:;;1 Square;London;;SW1;United",
        "  Kingdom",
        "NOTE:never mind",
    ]);
    assert_eq!(contact.uid, "urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1");
    let expected = json!({
        "name": "Grüße, Ada", "email": "ada@example.org", "phone": "+49-30-123", "position": "Countess",
        "address": "1 Square", "city": "London", "state": null, "postal_code": "SW1",
        "country": "United Kingdom",
    });
    assert_eq!(contact.fields, expected);
}

#[test]
fn the_id_is_that_of_the_uid_in_the_organization() {
    let text = card(&["UID:ada", "FN:Ada"]);
    let id = |organization| read(&text, organization).contacts[0].id;
    assert_eq!(id(ACME), id(ACME));
    assert_ne!(id(ACME), id(GLOBEX), "nobody's records meet another organization's");
    assert_ne!(one(&["UID:ada", "FN:Ada"]).id, one(&["UID:bob", "FN:Ada"]).id);
    let renamed = one(&["UID:ada", "FN:Countess"]);
    assert_eq!((renamed.id, &renamed.fields["name"]), (id(ACME), &json!("Countess")));
}

#[test]
fn a_bad_card_is_named_and_stops_no_other() {
    let good = |uid: &str| card(&[&format!("UID:{uid}"), "FN:Somebody"]);
    let feed = [
        good("1"),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:no end\r\n".to_owned(),
        good("3"),
        card(&["FN:no uid"]),
        card(&["UID:5"]),
        card(&["UID:6", "FN:Somebody", "nonsense"]),
        good("1"),
        good("8"),
        "\r\n\r\n".to_owned(),
    ];
    let feed = read(&feed.concat(), ACME);
    let uids: Vec<&str> = feed.contacts.iter().map(|contact| contact.uid.as_str()).collect();
    assert_eq!(uids, ["1", "3", "8"]);
    let refused: Vec<usize> = feed.refused.iter().map(|refused| refused.card).collect();
    assert_eq!(refused, [2, 4, 5, 6, 7], "{:?}", feed.refused);
    assert_eq!(feed.refused[1].reason, "it has no UID");
    assert_eq!(feed.refused[4].reason, "it has the UID of card 1");
}

#[test]
fn what_is_no_feed_has_no_contacts() {
    assert_eq!(read("", ACME), Feed::default());
    let page = read("<html>\nnot here\n</html>\n", ACME);
    assert_eq!((page.contacts.len(), page.refused.len()), (0, 1));
    let many: String = (0..CARDS_MAX + 1).map(|number| card(&[&format!("UID:{number}"), "FN:x"])).collect();
    let feed = read(&many, ACME);
    assert_eq!((feed.contacts.len(), feed.refused[0].card), (CARDS_MAX, CARDS_MAX + 1));
}
