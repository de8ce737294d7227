//! Filters, search and order against a model that does it all by hand.

use std::cmp::Ordering;
use std::sync::Arc;

use http::{Method, StatusCode};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::on_both_databases;
use crate::world::World;

const NAMES: [&str; 6] = ["Lamp", "lamp", "Ärger", "a,b", "100%_", "o'neil \\ x"];
const COUNTS: [Option<i64>; 5] = [None, Some(-5), Some(0), Some(3), Some(1_000_000)];
const WEIGHTS: [Option<f64>; 5] = [None, Some(-0.5), Some(0.0), Some(0.1), Some(1e300)];

#[derive(Debug, Clone)]
enum Test {
    Name(&'static str),
    CountIn(Vec<i64>),
    CountAtLeast(i64),
    CountAtMost(i64),
    CountMissing(bool),
    Weight(f64),
    OnSale(bool),
    Search(&'static str),
}

fn tests() -> impl Strategy<Value = Test> {
    let count = || prop::sample::select(vec![-5, 0, 3, 7, 1_000_000]);
    prop_oneof![
        prop::sample::select(NAMES.to_vec()).prop_map(Test::Name),
        prop::collection::vec(count(), 0..4).prop_map(Test::CountIn),
        count().prop_map(Test::CountAtLeast),
        count().prop_map(Test::CountAtMost),
        any::<bool>().prop_map(Test::CountMissing),
        prop::sample::select(vec![-0.5, 0.0, 0.1, 2.0, 1e300]).prop_map(Test::Weight),
        any::<bool>().prop_map(Test::OnSale),
        prop::sample::select(vec!["LAMP", "ärg", "0%_", "o'", "\\", "thing lamp", ""]).prop_map(Test::Search),
    ]
}

impl Test {
    fn write(&self) -> String {
        match self {
            Self::Name(name) => format!("name__in={},nothing", escape(name)),
            Self::CountIn(counts) => {
                format!("count__in={}", counts.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
            }
            Self::CountAtLeast(count) => format!("count__gte={count}"),
            Self::CountAtMost(count) => format!("count__lte={count}"),
            Self::CountMissing(is_missing) => format!("count__isnull={is_missing}"),
            Self::Weight(weight) => format!("weight={}", escape(&json!(weight).to_string())),
            Self::OnSale(is_on_sale) => format!("on_sale={is_on_sale}"),
            Self::Search(words) => format!("search={}", escape(words)),
        }
    }

    fn holds(&self, thing: &Value) -> bool {
        let count = thing["count"].as_i64();
        match self {
            // A comma separates values, so a name with one is found by none of its halves.
            Self::Name(name) => name.split(',').any(|name| thing["name"] == name),
            Self::CountIn(counts) => count.is_some_and(|count| counts.contains(&count)),
            Self::CountAtLeast(least) => count.is_some_and(|count| count >= *least),
            Self::CountAtMost(most) => count.is_some_and(|count| count <= *most),
            Self::CountMissing(is_missing) => count.is_none() == *is_missing,
            Self::Weight(weight) => thing["weight"].as_f64() == Some(*weight),
            Self::OnSale(is_on_sale) => thing["on_sale"] == *is_on_sale,
            Self::Search(words) => {
                let text = |field: &str| thing[field].as_str().unwrap_or_default().to_lowercase();
                let text = format!("{}\n{}", text("name"), text("note"));
                words.to_lowercase().split_whitespace().all(|word| text.contains(word))
            }
        }
    }
}

fn compare(field: &str, one: &Value, other: &Value) -> Ordering {
    let (one, other) = (&one[field], &other[field]);
    match field {
        "name" => one.as_str().unwrap().as_bytes().cmp(other.as_str().unwrap().as_bytes()),
        "count" => one.as_i64().cmp(&other.as_i64()),
        "weight" => one.as_f64().unwrap_or(f64::MIN).total_cmp(&other.as_f64().unwrap_or(f64::MIN)),
        _ => one.as_bool().cmp(&other.as_bool()),
    }
}

async fn lists_are_as_a_naive_model_says(world: Arc<World>) {
    let mut things = Vec::new();
    for number in 0..40_usize {
        // Names are unique: the first is as it is, later ones get a number.
        let name = NAMES[number % NAMES.len()];
        let name = if number < NAMES.len() { name.to_owned() } else { format!("{name} {number}") };
        let body = json!({
            "name": name,
            "count": COUNTS[number * 7 % COUNTS.len()],
            "weight": WEIGHTS[number / 3 % WEIGHTS.len()],
            "on_sale": number % 3 == 0,
            "note": (number % 4 == 0).then_some("A thing of note"),
        });
        things.push(world.make(body).await.body);
    }
    let fields = prop::sample::subsequence(vec!["name", "count", "weight", "on_sale"], 0..3).prop_shuffle();
    let orders = fields.prop_flat_map(|fields| {
        let signs = prop::collection::vec(any::<bool>(), fields.len());
        signs.prop_map(move |signs| fields.clone().into_iter().zip(signs).collect::<Vec<_>>())
    });
    let strategy = (prop::collection::vec(tests(), 0..4), orders);
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = block_in_place(|| {
        TestRunner::new(config).run(&strategy, |(tests, order)| {
            let mut query: Vec<String> = tests.iter().map(Test::write).collect();
            let names: Vec<String> = order
                .iter()
                .map(|(field, is_down)| format!("{}{field}", if *is_down { "-" } else { "" }))
                .collect();
            query.push(format!("ordering={}", names.join(",")));
            let path = format!("/things/?{}", query.join("&"));
            let answer = Handle::current().block_on(world.send(Method::GET, &path, None));
            prop_assert_eq!(answer.status, StatusCode::OK, "{}: {}", path, answer.text);
            let mut expected: Vec<&Value> =
                things.iter().filter(|thing| tests.iter().all(|test| test.holds(thing))).collect();
            expected.sort_by(|one, other| {
                let by_fields = order.iter().map(|(field, is_down)| {
                    let ordering = compare(field, one, other);
                    if *is_down { ordering.reverse() } else { ordering }
                });
                let by_id = one["id"].as_str().cmp(&other["id"].as_str());
                by_fields.fold(Ordering::Equal, Ordering::then).then(by_id)
            });
            let shown: Vec<&Value> = answer.results().iter().map(|thing| &thing["name"]).collect();
            let expected: Vec<&Value> = expected.into_iter().map(|thing| &thing["name"]).collect();
            prop_assert_eq!(shown, expected, "{}", path);
            Ok(())
        })
    });
    outcome.unwrap();
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

async fn a_list_is_asked_no_more_than_the_database_can_answer(world: Arc<World>) {
    for (case, query) in [
        ("filters", ["count=1"; 1500].join("&")),
        ("words", ["search=x"; 1500].join("&")),
        ("both", format!("{}&{}", ["count=1"; 1500].join("&"), ["search=x"; 1500].join("&"))),
    ] {
        let refused = world.send(Method::GET, &format!("/things/?{query}"), None).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{case}: {}", refused.text);
        assert!(refused.text.len() < 1000, "{case}: said once, not {} bytes long", refused.text.len());
    }
    let most = format!("{}&{}", ["count=1"; 50].join("&"), ["search=x"; 10].join("&"));
    let answered = world.send(Method::GET, &format!("/things/?{most}"), None).await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text);
}

on_both_databases!(lists_are_as_a_naive_model_says, a_list_is_asked_no_more_than_the_database_can_answer,);
