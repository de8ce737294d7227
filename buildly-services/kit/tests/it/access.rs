//! Who may see and change what: against a model that decides it by hand, and by example.

use std::collections::BTreeSet;
use std::sync::Arc;

use buildly_kit::{OnDelete, Record, RecordType};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::on_both_databases;
use crate::world::{Answer, World, acme};

/// A thing with others in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Crate {
    /// Its name.
    #[schema(max_length = 60)]
    pub(crate) name: String,
    /// What it is in.
    pub(crate) within: Option<Uuid>,
    /// Whose it is.
    pub(crate) owner: Option<Uuid>,
    /// Whether only some may see it.
    #[serde(default)]
    #[schema(default = false)]
    pub(crate) restricted: bool,
    /// Who may see it.
    #[serde(default)]
    pub(crate) readers: Vec<Uuid>,
    /// Who may change it.
    #[serde(default)]
    pub(crate) writers: Vec<Uuid>,
}

/// A thing in a crate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Sheet {
    /// Its name.
    #[schema(max_length = 60)]
    pub(crate) name: String,
    /// What it is in.
    pub(crate) within: Option<Uuid>,
    /// Whose it is.
    pub(crate) owner: Option<Uuid>,
    /// Whether only some may see it.
    #[serde(default)]
    #[schema(default = false)]
    pub(crate) restricted: bool,
    /// Who may see it.
    #[serde(default)]
    pub(crate) readers: Vec<Uuid>,
    /// Who may change it.
    #[serde(default)]
    pub(crate) writers: Vec<Uuid>,
}

/// A part of a sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Line {
    /// The sheet.
    pub(crate) sheet: Uuid,
    /// What it says.
    pub(crate) text: String,
}

impl Record for Crate {
    fn record_type() -> RecordType {
        RecordType::new("crate", "crates")
            .tree("within")
            .inherits("within")
            .restrictable()
            .unique_with_missing(&["within", "name"])
    }
}

impl Record for Sheet {
    fn record_type() -> RecordType {
        RecordType::new("sheet", "sheets")
            .reference("within", "crate", OnDelete::Refuse)
            .inherits("within")
            .restrictable()
            .filterable(&["name"])
    }
}

impl Record for Line {
    fn record_type() -> RecordType {
        RecordType::new("line", "lines").reference("sheet", "sheet", OnDelete::Delete).inherits("sheet")
    }
}

const PEOPLE: [Uuid; 4] =
    [Uuid::from_u128(1), Uuid::from_u128(0xB), Uuid::from_u128(0xC), Uuid::from_u128(0xD)];

impl World {
    async fn by(&self, person: Uuid, method: Method, path: &str, body: Option<Value>) -> Answer {
        let token = self.issuer.token(acme(), person);
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.raw(&token, method, path, &[], bytes).await
    }
}

/// A row as the model knows it.
struct Node {
    id: String,
    within: Option<usize>,
    owner: Uuid,
    restricted: bool,
    readers: Vec<Uuid>,
    writers: Vec<Uuid>,
}

fn may(nodes: &[Node], at: usize, person: Uuid, is_write: bool) -> bool {
    let node = &nodes[at];
    let is_own = node.owner == person || node.writers.contains(&person);
    if is_own || (!is_write && node.readers.contains(&person)) {
        return true;
    }
    !node.restricted && node.within.is_none_or(|within| may(nodes, within, person, is_write))
}

/// Small numbers that look drawn, the same in every run (xorshift).
fn draw(state: &mut u32, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state as usize % below
}

async fn everybody_sees_and_changes_what_the_model_says(world: Arc<World>) {
    let mut state = 0x2026;
    let mut crates: Vec<Node> = Vec::new();
    let mut sheets: Vec<Node> = Vec::new();
    for number in 0..36 {
        let is_sheet = number % 3 == 2;
        let within = Some(draw(&mut state, crates.len() + 1)).filter(|within| *within < crates.len());
        let owner = PEOPLE[draw(&mut state, PEOPLE.len())];
        // Made as a service does it that imports: for each, by somebody who may.
        let maker = match within {
            Some(at) => *PEOPLE.iter().find(|person| may(&crates, at, **person, true)).unwrap(),
            None => owner,
        };
        let some =
            |state: &mut u32| -> Vec<Uuid> { PEOPLE.into_iter().filter(|_| draw(state, 4) == 0).collect() };
        let node = Node {
            id: String::new(),
            within,
            owner,
            restricted: draw(&mut state, 3) == 0,
            readers: some(&mut state),
            writers: some(&mut state),
        };
        let body = json!({
            "name": format!("{number}"), "within": within.map(|at| crates[at].id.clone()), "owner": owner,
            "restricted": node.restricted, "readers": node.readers, "writers": node.writers,
        });
        let list = if is_sheet { "/sheets/" } else { "/crates/" };
        let made = world.by(maker, Method::POST, list, Some(body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let node = Node { id: made.id(), ..node };
        if is_sheet {
            let line = json!({"sheet": node.id, "text": "x"});
            let line = world.by(node.owner, Method::POST, "/lines/", Some(line)).await;
            assert_eq!(line.status, StatusCode::CREATED, "{}", line.text);
            sheets.push(node);
        } else {
            crates.push(node);
        }
    }
    let sheet_may = |sheet: &Node, person: Uuid, is_write: bool| {
        let is_own = sheet.owner == person
            || sheet.writers.contains(&person)
            || (!is_write && sheet.readers.contains(&person));
        let inherits = || sheet.within.is_none_or(|within| may(&crates, within, person, is_write));
        is_own || (!sheet.restricted && inherits())
    };
    for person in PEOPLE {
        let each = async |list: &str, member: &str| -> BTreeSet<String> {
            let page = world.by(person, Method::GET, &format!("{list}?limit=1000"), None).await;
            page.results().iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
        };
        let seen = (0..crates.len()).filter(|at| may(&crates, *at, person, false));
        let seen: BTreeSet<String> = seen.map(|at| crates[at].id.clone()).collect();
        assert_eq!(each("/crates/", "id").await, seen, "crates of {person}");
        let seen = sheets.iter().filter(|sheet| sheet_may(sheet, person, false));
        let seen: BTreeSet<String> = seen.map(|sheet| sheet.id.clone()).collect();
        assert_eq!(each("/sheets/", "id").await, seen, "sheets of {person}");
        assert_eq!(each("/lines/", "sheet").await, seen, "lines of {person}");
        for (at, node) in crates.iter().enumerate() {
            let expected = match (may(&crates, at, person, false), may(&crates, at, person, true)) {
                (false, _) => StatusCode::NOT_FOUND,
                (true, false) => StatusCode::FORBIDDEN,
                (true, true) => StatusCode::OK,
            };
            let path = format!("/crates/{}/", node.id);
            let answer = world.by(person, Method::PATCH, &path, Some(json!({}))).await;
            assert_eq!(answer.status, expected, "crate {at} of {person}: {}", answer.text);
        }
        for sheet in &sheets {
            let expected = match (sheet_may(sheet, person, false), sheet_may(sheet, person, true)) {
                (false, _) => StatusCode::BAD_REQUEST,
                (true, false) => StatusCode::FORBIDDEN,
                (true, true) => StatusCode::CREATED,
            };
            let line = json!({"sheet": sheet.id, "text": "x"});
            let answer = world.by(person, Method::POST, "/lines/", Some(line)).await;
            assert_eq!(answer.status, expected, "a line by {person}: {}", answer.text);
        }
    }
}

async fn what_is_hidden_shows_on_no_path(world: Arc<World>) {
    let [ada, ben, ..] = PEOPLE;
    let sheet = json!({"name": "Secret", "restricted": true});
    let sheet = world.by(ada, Method::POST, "/sheets/", Some(sheet)).await;
    assert_eq!(sheet.body["owner"], json!(ada), "it is its maker's");
    let (id, path) = (sheet.id(), sheet.path("/sheets/"));
    let line = world.by(ada, Method::POST, "/lines/", Some(json!({"sheet": id, "text": "x"}))).await;
    for list in [
        "/sheets/",
        &format!("/sheets/?id__in={id}"),
        "/sheets/?name=Secret",
        "/lines/",
        &format!("/lines/?sheet={id}"),
    ] {
        let page = world.by(ben, Method::GET, list, None).await;
        assert_eq!(page.body, json!({"next": null, "previous": null, "results": []}), "{list}");
    }
    let line = line.path("/lines/");
    for (method, path) in [
        (Method::GET, &path),
        (Method::HEAD, &path),
        (Method::PATCH, &path),
        (Method::DELETE, &path),
        (Method::GET, &line),
        (Method::PATCH, &line),
        (Method::DELETE, &line),
    ] {
        let answer = world.by(ben, method.clone(), path, Some(json!({}))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    let taken = world.by(ben, Method::PUT, &path, Some(json!({"name": "Mine"}))).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.text);
    assert_eq!(world.by(ada, Method::GET, &path, None).await.body, sheet.body, "nothing changed");
    let shared = world.by(ada, Method::PATCH, &path, Some(json!({"readers": [ben]}))).await;
    assert_eq!(shared.status, StatusCode::OK, "{}", shared.text);
    assert_eq!(world.by(ben, Method::GET, &path, None).await.body, shared.body);
    for (method, path) in
        [(Method::PATCH, &path), (Method::PUT, &path), (Method::DELETE, &path), (Method::DELETE, &line)]
    {
        let answer = world.by(ben, method.clone(), path, Some(json!({"name": "Mine"}))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}: {}", answer.text);
    }
    let back = world.by(ada, Method::PATCH, &path, Some(json!({"readers": []}))).await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.text);
    assert_eq!(world.by(ben, Method::GET, &path, None).await.status, StatusCode::NOT_FOUND);
}

async fn only_its_owner_shares_a_record(world: Arc<World>) {
    let [ada, ben, cleo, dan] = PEOPLE;
    let made = world.by(ada, Method::POST, "/sheets/", Some(json!({"name": "Plan", "writers": [ben]}))).await;
    let path = made.path("/sheets/");
    for (person, body, status) in [
        (cleo, json!({"name": "Better plan"}), 200),
        (cleo, json!({"restricted": true}), 403),
        (ben, json!({"writers": [ben, dan]}), 403),
        (ben, json!({"owner": ben}), 403),
        (ada, json!({"owner": null}), 400),
        (ada, json!({"readers": vec![ben; 201]}), 400),
        (ada, json!({"restricted": true, "readers": [cleo]}), 200),
        (cleo, json!({"name": "Worse plan"}), 403),
        (dan, json!({"name": "No plan"}), 404),
        (ben, json!({"name": "Best plan"}), 200),
        (ada, json!({"owner": cleo}), 200),
        (ada, json!({"name": "Old plan"}), 404),
        (cleo, json!({"restricted": false}), 200),
        (dan, json!({"name": "No plan"}), 200),
    ] {
        let answer = world.by(person, Method::PATCH, &path, Some(body.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{person} {body}: {}", answer.text);
    }
    // A client that knows nothing of sharing replaces the rest.
    let replaced = world.by(dan, Method::PUT, &path, Some(json!({"name": "New plan"}))).await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.text);
    assert_eq!((&replaced.body["owner"], &replaced.body["writers"]), (&json!(cleo), &json!([ben])));
}

async fn a_place_takes_only_what_its_writers_put_there(world: Arc<World>) {
    let [ada, ben, cleo, _] = PEOPLE;
    let open = world.by(ada, Method::POST, "/crates/", Some(json!({"name": "Open"}))).await.id();
    let closed = json!({"name": "Closed", "restricted": true, "readers": [ben]});
    let closed = world.by(ada, Method::POST, "/crates/", Some(closed)).await.id();
    for (case, person, status) in
        [("a reader", ben, 403), ("a stranger to it", cleo, 400), ("its owner", ada, 201)]
    {
        for list in ["/sheets/", "/crates/"] {
            let body = json!({"name": case, "within": closed});
            let answer = world.by(person, Method::POST, list, Some(body)).await;
            assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text);
        }
        let sheet =
            world.by(person, Method::POST, "/sheets/", Some(json!({"name": case, "within": open}))).await;
        let moved = json!({"within": closed});
        let moved = world.by(person, Method::PATCH, &sheet.path("/sheets/"), Some(moved)).await;
        assert_eq!(moved.status.as_u16(), if status == 201 { 200 } else { status }, "{case}: {}", moved.text);
    }
    // Ben may change one sheet of the closed crate, and needs no right to the crate for it.
    let sheet = json!({"name": "Shared", "within": closed, "writers": [cleo]});
    let sheet = world.by(ada, Method::POST, "/sheets/", Some(sheet)).await.path("/sheets/");
    let changed = world.by(cleo, Method::PATCH, &sheet, Some(json!({"name": "Changed"}))).await;
    assert_eq!(
        (changed.status, &changed.body["within"]),
        (StatusCode::OK, &json!(closed)),
        "{}",
        changed.text
    );
}

on_both_databases!(
    everybody_sees_and_changes_what_the_model_says,
    what_is_hidden_shows_on_no_path,
    only_its_owner_shares_a_record,
    a_place_takes_only_what_its_writers_put_there,
);
