use uuid::Uuid;

use super::*;

fn key() -> Key {
    (OrganizationId::from_uuid(Uuid::from_u128(1)), "ab".repeat(32))
}

#[test]
fn a_file_that_is_about_to_be_named_is_left_to_who_names_it() {
    let claims = Claims::default();
    let (one, two) = (claims.place(key()), claims.place(key()));
    assert!(claims.remove(key()).is_none());
    assert!(one.release());
    assert!(claims.remove(key()).is_none(), "the second is not done");
    assert!(two.release(), "who was told, looks again");
    assert!(!claims.place(key()).release());
    assert_eq!(claims.remove(key()).and_then(|removal| removal.finish(|| 1)), Some(1));
    assert!(claims.lock().claims.is_empty(), "nothing is remembered for ever");
}

#[test]
fn a_file_that_was_named_since_the_question_is_kept() {
    let claims = Claims::default();
    let removal = claims.remove(key()).unwrap();
    drop(claims.place(key()));
    assert_eq!(removal.finish(|| 1), None);
    let (first, second) = (claims.remove(key()).unwrap(), claims.remove(key()).unwrap());
    assert_eq!((first.finish(|| 1), second.finish(|| 2)), (None, Some(2)), "the last who asked");
    drop((first, second, removal));
    assert!(claims.lock().claims.is_empty());
}
