use super::*;

#[test]
fn a_name_is_one_safe_path_segment() {
    for name in ["crm", "CRM-2", "crm.v2", "corepayments", "tokens", "7up", "a~b_c"] {
        assert_eq!(ServiceName::parse(name).unwrap().as_str(), name);
    }
    for name in ["", "/", " ", "a/b", "..", ".", ".hidden", "a b", "a%2fb", "ä", "-x", "a?b", "a\0b"] {
        assert!(ServiceName::parse(name).is_err(), "{name:?} was taken");
    }
    assert!(ServiceName::parse(&"x".repeat(101)).is_err());
}

#[test]
fn the_servers_own_paths_are_reserved_exactly() {
    for name in RESERVED_NAMES {
        assert!(ServiceName::parse(name).is_err(), "{name}");
        assert!(ServiceName::parse(&name.to_uppercase()).is_err(), "{name} in capitals");
    }
    assert!(ServiceName::parse("documentation").is_ok(), "a name that only begins like a reserved one");
}

#[test]
fn the_reserved_names_are_in_order_and_stand_once() {
    assert!(RESERVED_NAMES.is_sorted_by(|a, b| a < b));
}
