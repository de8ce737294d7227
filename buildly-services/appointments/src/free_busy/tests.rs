use super::*;

const FROM: (&str, &str) = ("from", "2026-11-23T00:00:00Z");
const TO: (&str, &str) = ("to", "2026-11-24T00:00:00Z");
const ONE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn read(parameters: &[(&str, &str)], has_calendars: bool) -> Result<Question, Vec<FieldError>> {
    let owned: Vec<_> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Question::read(&owned, has_calendars)
}

#[test]
fn a_question_is_read_or_every_fault_is_named() {
    let many: Vec<String> = (0..=CALENDARS_MAX).map(|at| Uuid::from_u128(at as u128).to_string()).collect();
    let many = many.join(",");
    for (case, parameters, has_calendars, refused) in [
        ("one", vec![FROM, TO], false, vec![]),
        ("several", vec![FROM, TO, ("calendars", ONE)], true, vec![]),
        ("nothing", vec![], true, vec!["from", "to", "calendars"]),
        ("turned round", vec![("from", TO.1), ("to", FROM.1)], false, vec!["to"]),
        ("empty", vec![FROM, ("to", FROM.1)], false, vec!["to"]),
        ("too long", vec![FROM, ("to", "2027-11-25T00:00:00Z")], false, vec!["to"]),
        ("no instant", vec![("from", "today"), TO], false, vec!["from"]),
        ("unknown", vec![FROM, TO, ("until", "x")], false, vec!["until"]),
        ("no calendars", vec![FROM, TO, ("calendars", ",")], true, vec!["calendars"]),
        ("no uuid", vec![FROM, TO, ("calendars", "mine")], true, vec!["calendars"]),
        ("too many", vec![FROM, TO, ("calendars", &many)], true, vec!["calendars"]),
    ] {
        let fields = match read(&parameters, has_calendars) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.into_iter().map(|error| error.field).collect(),
        };
        assert_eq!(fields, refused, "{case}");
    }
}
