//! Whether what is printed is what a page shows. In what is shown, `…` stands for what differs
//! each time; alone on a line, for any lines.

/// Whether lines are those of the page.
pub(super) fn are_as_shown(shown: &[&str], lines: &[&str]) -> bool {
    match (shown, lines) {
        ([], []) => true,
        (["…", rest @ ..], _) => (0..=lines.len()).any(|skipped| are_as_shown(rest, &lines[skipped..])),
        ([first, shown @ ..], [line, lines @ ..]) => {
            is_as_shown(first.trim_end(), line.trim_end()) && are_as_shown(shown, lines)
        }
        _ => false,
    }
}

fn is_as_shown(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(place, _)| place).chain([rest.len()]);
            ends.into_iter().any(|place| is_as_shown(after, &rest[place..]))
        }),
    }
}

#[test]
fn what_is_shown_is_compared() {
    for (shown, line, is_same) in [
        ("a", "a", true),
        ("a", "b", false),
        ("run … is done", "run 7 is done", true),
        ("run … is done", "run 7 is not", false),
        ("…", "", true),
        ("a…b…", "a1b2", true),
        ("a…b", "a1b2", false),
    ] {
        assert_eq!(is_as_shown(shown, line), is_same, "{shown} / {line}");
    }
    assert!(are_as_shown(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(!are_as_shown(&["a", "…", "e"], &["a", "b", "c", "d"]));
    assert!(!are_as_shown(&["a"], &["a", "b"]));
}
