use proptest::prelude::*;

use super::*;

#[test]
fn broken_escapes_are_refused() {
    for query in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
        assert_eq!(parse(query), None, "{query}");
    }
    assert_eq!(parse("a=x+y&&b"), Some(vec![("a".into(), "x y".into()), ("b".into(), String::new())]));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(pairs in prop::collection::vec((".{1,8}", ".{0,8}"), 0..5)) {
        let written = write(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        prop_assert_eq!(parse(&written), Some(pairs));
    }
}
