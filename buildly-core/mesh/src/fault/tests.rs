use super::*;

fn fault(relationship: &str, reason: Reason, records: usize) -> Fault {
    Fault {
        relationship: relationship.to_owned(),
        service: "documents".to_owned(),
        reason,
        records,
        detail: None,
    }
}

#[test]
fn faults_are_named_in_json() {
    let one = Fault { detail: Some("Busy.".to_owned()), ..fault("files", Reason::Status(503), 2) };
    assert_eq!(
        to_json(&[one]),
        r#"{"faults":[{"detail":"Busy.","reason":"status","records":2,"relationship":"files","service":"documents","status":503}]}"#
    );
}

#[test]
fn the_header_is_a_structured_list() {
    let faults = [fault("a \"b\" \\c", Reason::Unreachable, 1), fault("straße", Reason::Status(503), 2)];
    assert_eq!(
        to_header(&faults).unwrap(),
        r#""a \"b\" \\c";service="documents";reason=unreachable;records=1, %"stra%c3%9fe";service="documents";reason=status;status=503;records=2"#
    );
    assert_eq!(to_header(&[]), None);
}

#[test]
fn a_header_that_would_grow_too_long_counts_the_rest() {
    let faults: Vec<Fault> =
        (0..200).map(|number| fault(&format!("relationship_{number}"), Reason::Busy, 1)).collect();
    let header = to_header(&faults).unwrap();
    let text = header.to_str().unwrap();
    assert!(text.len() <= HEADER_BYTES_MAX, "{} bytes", text.len());
    let named = text.matches("reason=busy").count();
    assert!(named > 20 && text.ends_with(&format!(", more;count={}", 200 - named)), "{text}");
}

#[test]
fn equal_faults_are_one_with_their_records_added() {
    let merged =
        merge(vec![fault("a", Reason::Busy, 1), fault("b", Reason::Busy, 1), fault("a", Reason::Busy, 3)]);
    assert_eq!(merged, [fault("a", Reason::Busy, 4), fault("b", Reason::Busy, 1)]);
}

#[test]
fn what_a_service_said_is_cut_short_at_a_character() {
    assert_eq!(detail_of(br#"{"detail": "Busy."}"#).as_deref(), Some("Busy."));
    assert_eq!(detail_of(br#"{"name": ["taken"]}"#).as_deref(), Some(r#"{"name":["taken"]}"#));
    assert_eq!(detail_of(b"<html>"), None);
    let long = format!(r#"{{"detail": "{}"}}"#, "ß".repeat(400));
    assert_eq!(detail_of(long.as_bytes()).unwrap().len(), DETAIL_BYTES_MAX);
}
