use serde_json::{Value, json};

use super::*;
use crate::Template;
use crate::template::tests::everything;

fn outline(value: &Value) -> Outline {
    Outline::of(&Template::from_value(value).unwrap())
}

fn marks() -> Marks {
    [("create", Mark::Completed), ("ask", Mark::Live), ("look", Mark::Failed), ("nobody", Mark::Live)]
        .into_iter()
        .map(|(name, mark)| (name.to_owned(), mark))
        .collect()
}

#[test]
fn an_outline_has_every_level_once() {
    let template = Template::from_value(&everything()).unwrap();
    let mut names: Vec<String> = Outline::of(&template).walk().map(|level| level.name.clone()).collect();
    let total = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), total, "a level is drawn twice");
    assert_eq!(total, crate::compile(&template).unwrap().nodes.len(), "{names:?}");
}

#[test]
fn what_undoes_a_level_stands_beside_the_order() {
    let root = outline(&everything());
    let beside: Vec<_> =
        root.beside.iter().map(|level| (level.name.as_str(), level.relation.as_deref())).collect();
    assert_eq!(beside, [("sorry", Some("on fault")), ("remove", Some("undoes create"))]);
    assert!(root.parts.iter().all(|part| part.name != "remove"));
}

#[test]
fn a_flowchart_names_levels_order_links_and_marks() {
    let chart = mermaid(&outline(&everything()), &marks());
    for expected in [
        "flowchart TD\n",
        "subgraph n0[\"Onboarding<br/><small>workflow</small>\"]",
        "[\"create<br/><small>calls crm.create</small>\"]",
        "-.->|\"undone by\"|",
        "-.->|\"on deadline\"|",
        "|\"if input.name != ''\"|",
        "classDef completed fill:",
        "classDef failed fill:",
    ] {
        assert!(chart.contains(expected), "{expected} is not in\n{chart}");
    }
    let ends = chart.lines().filter(|line| line.trim() == "end").count();
    assert_eq!(chart.matches("subgraph").count(), ends);
}

#[test]
fn a_drawing_is_well_formed_and_its_boxes_hold_their_parts() {
    let drawing = svg(&outline(&everything()), &marks());
    assert_eq!(drawing.matches("<g>").count(), drawing.matches("</g>").count());
    assert_eq!(drawing.matches("<g>").count(), outline(&everything()).walk().count());
    assert!(drawing.contains("<title>ask: live</title>"));
    assert!(drawing.contains("stroke-dasharray"), "the link is drawn");
}

#[test]
fn text_of_people_is_text_in_every_picture() {
    let evil = "\"]<script>alert(1)</script>`&";
    let outline = outline(&json!({"name": "t", "title": evil, "levels": [
        {"name": "a", "title": evil, "when": "'<b>' == '\"'", "do": {"emit": {"event": "x"}}}
    ]}));
    let (chart, drawing) = (mermaid(&outline, &Marks::new()), svg(&outline, &Marks::new()));
    for picture in [&chart, &drawing] {
        assert!(!picture.contains("<script>") && !picture.contains("<b>"), "{picture}");
    }
    assert!(!chart.contains("\"]&lt;"), "{chart}");
}

#[test]
fn ten_thousand_levels_are_drawn() {
    let levels: Vec<Value> =
        (0..9_999).map(|n| json!({"name": format!("l{n}"), "do": {"emit": {"event": "x"}}})).collect();
    let outline = outline(&json!({"name": "t", "levels": levels}));
    assert_eq!(mermaid(&outline, &Marks::new()).matches("-->").count(), 9_998);
    assert_eq!(svg(&outline, &Marks::new()).matches("<g>").count(), 10_000);
}
