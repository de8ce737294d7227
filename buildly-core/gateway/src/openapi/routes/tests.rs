use proptest::prelude::*;

use super::*;

fn routes(templates: &[&str]) -> Routes {
    let mut routes = Routes::default();
    for (index, template) in templates.iter().enumerate() {
        routes.insert(template, Method::GET, index);
    }
    routes
}

fn find<'a>(templates: &[&'a str], path: &str) -> Option<&'a str> {
    routes(templates).find(&Method::GET, path).and_then(|(index, _)| templates.get(index).copied())
}

#[test]
fn the_most_literal_template_wins_and_others_are_fallen_back_on() {
    let templates = [
        "/",
        "/a/",
        "/a/{x}",
        "/a/me",
        "/a/{y}/b",
        "/a/me/c",
        "/files/{name}.json",
        "/files/{name}.{kind}",
        "/files/{anything}",
        "/{any}/{thing}/deep/er",
        "/compare/{base}...{head}",
    ];
    for (path, expected) in [
        ("/", Some("/")),
        ("/a", Some("/a/")),
        ("/a/", Some("/a/")),
        ("/a/7", Some("/a/{x}")),
        ("/a/7/", Some("/a/{x}")),
        ("/a/me", Some("/a/me")),
        ("/a/m%65", Some("/a/me")),
        ("/a/me/b", Some("/a/{y}/b")),
        ("/a/me/c", Some("/a/me/c")),
        ("/a/me/deep/er", Some("/{any}/{thing}/deep/er")),
        ("/files/a.json", Some("/files/{name}.json")),
        ("/files/a.b.json", Some("/files/{name}.json")),
        ("/files/a.txt", Some("/files/{name}.{kind}")),
        ("/files/.json", Some("/files/{anything}")),
        ("/compare/a...b", Some("/compare/{base}...{head}")),
        ("/compare/a..b", None),
        ("/a//b", None),
        ("/a/7/b/c", None),
        ("/b", None),
        ("/A", None),
    ] {
        assert_eq!(find(&templates, path), expected, "{path}");
    }
}

#[test]
fn a_template_that_ends_like_the_path_is_preferred() {
    let routes = routes(&["/a", "/a/", "/b"]);
    assert_eq!(routes.find(&Method::GET, "/a"), Some((0, false)));
    assert_eq!(routes.find(&Method::GET, "/a/"), Some((1, true)));
    assert_eq!(routes.find(&Method::GET, "/b/"), Some((2, false)));
}

#[test]
fn a_literal_path_without_the_method_does_not_hide_a_template_with_it() {
    let mut routes = Routes::default();
    routes.insert("/a/me", Method::GET, 0);
    routes.insert("/a/{id}", Method::DELETE, 1);
    assert_eq!(routes.find(&Method::DELETE, "/a/me"), Some((1, false)));
}

/// The obvious matcher: every template is compared segment by segment.
fn matches_naively(template: &str, path: &str) -> bool {
    let cut = |text: &str| text.trim_start_matches('/').trim_end_matches('/').to_owned();
    let (template, path) = (cut(template), cut(path));
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(expected, came)| {
            let is_parameter = expected.starts_with('{');
            if is_parameter { !came.is_empty() } else { expected == came }
        })
}

proptest! {
    #[test]
    fn it_finds_a_template_where_the_obvious_matcher_does(
        templates in prop::collection::vec("(/(a|b|c|\\{x\\}|\\{y\\})){1,4}/?", 1..12),
        paths in prop::collection::vec("(/(a|b|c|d)){1,5}/?", 1..20),
    ) {
        let templates: Vec<&str> = templates.iter().map(String::as_str).collect();
        for path in &paths {
            let expected = templates.iter().any(|template| matches_naively(template, path));
            let found = find(&templates, path);
            prop_assert_eq!(found.is_some(), expected, "{}", path);
            if let Some(found) = found {
                prop_assert!(matches_naively(found, path), "{} is not {}", found, path);
            }
        }
    }

    #[test]
    fn no_path_and_no_template_makes_it_panic(
        templates in prop::collection::vec("[/{}.a%2\\PC]{0,20}", 0..8),
        path in "[/{}.a%2\\PC]{0,24}",
    ) {
        let templates: Vec<&str> = templates.iter().map(String::as_str).collect();
        let _ = find(&templates, &path);
        for template in &templates {
            let _ = find(&templates, template);
        }
    }
}

#[test]
fn a_lookup_stays_cheap_however_the_templates_overlap() {
    // Every combination of a literal and a parameter, twelve segments deep.
    let mut routes = Routes::default();
    for number in 0..1u32 << 12 {
        let template: String =
            (0..12).map(|bit| if number >> bit & 1 == 0 { "/a" } else { "/{x}" }).collect();
        routes.insert(&format!("{template}/end"), Method::GET, number as usize);
    }
    let path = format!("{}/other", "/a".repeat(12));
    assert_eq!(routes.find(&Method::GET, &path), None);
}
