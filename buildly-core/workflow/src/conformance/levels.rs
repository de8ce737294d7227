//! Levels and what belongs to them.

use buildly_journal::Part;
use buildly_model::{GroupId, LevelRowId, OrganizationId, Place, StoreError, UserId};
use serde_json::json;
use uuid::Uuid;

use super::world::{ACME, GLOBEX, Subject, at, run};
use crate::levels::{
    Change, Key, Kind, Level1, Level1Details, Level1Filter, Level2, Level2Details, Level2Filter, LevelStatus,
    LevelType, Order, OrderDetails, Over, Record, Row, Seen, Shared, TeamDetails, TeamPlace, Through, Window,
};

const ALL: Window = Window { offset: 0, rows_max: 100 };

fn id(number: u128) -> LevelRowId {
    LevelRowId::from_uuid(Uuid::from_u128(number))
}

fn group(number: u128) -> GroupId {
    GroupId::from_uuid(Uuid::from_u128(number))
}

fn record<T, O>(number: u128, organization: O, value: T) -> Record<T, O> {
    Record {
        id: id(number),
        number: 0,
        organization,
        version: 1,
        created_at: at(i64::try_from(number).expect("a small number")),
        edited_at: at(1_000),
        value,
    }
}

fn level1(number: u128, name: &str, groups: &[GroupId]) -> Record<Level1> {
    record(
        number,
        ACME,
        Level1 { name: name.to_owned(), groups: groups.to_vec(), details: Level1Details::default() },
    )
}

fn over(number: u128) -> Over {
    Over { id: id(number), number: 0, groups: Vec::new() }
}

fn level2(number: u128, level1: u128, name: &str, groups: &[GroupId]) -> Record<Level2> {
    record(
        number,
        ACME,
        Level2 {
            name: name.to_owned(),
            level1: over(level1),
            groups: groups.to_vec(),
            parent: None,
            kind: None,
            status: None,
            run: None,
            details: Level2Details::default(),
        },
    )
}

fn kind(number: u128, organization: Option<OrganizationId>) -> Shared<LevelType> {
    record(number, organization, LevelType { name: format!("type {number}") })
}

fn status(number: u128, organization: Option<OrganizationId>, short_name: &str) -> Shared<LevelStatus> {
    let name = format!("status {number}");
    record(number, organization, LevelStatus { order: 1, name, short_name: short_name.to_owned() })
}

fn order(number: u128, level1: u128, parent: Option<LevelRowId>) -> Record<Order> {
    let details = OrderDetails { level2: Some(id(99)), sort_array: json!([{"id": "nul \u{0} inside"}]) };
    record(number, ACME, Order { level1: over(level1), parent, details })
}

fn team(number: u128, level1: u128) -> Record<TeamPlace> {
    let user = Some(UserId::from_uuid(Uuid::from_u128(7)));
    let details =
        TeamDetails { user, role: Some(group(8)), status: Some("active".to_owned()), ..Default::default() };
    record(number, ACME, TeamPlace { level1: over(level1), details })
}

fn everything() -> Seen {
    Seen { organization: None, through: None }
}

fn of(organization: OrganizationId) -> Seen {
    Seen { organization: Some(organization), through: None }
}

impl Subject {
    async fn change(&self, organization: OrganizationId, change: Change) -> Result<(), StoreError> {
        self.write(organization, crate::Change::Level(Box::new(change))).await
    }

    async fn add(&self, row: Row) {
        self.change(ACME, Change::Created(row)).await.expect("it is new");
    }

    async fn find1(&self, number: u128) -> Option<Record<Level1>> {
        self.levels.find_level1(Key::Id(id(number))).await.expect("reads")
    }

    async fn find2(&self, number: u128) -> Option<Record<Level2>> {
        self.levels.find_level2(id(number)).await.expect("reads")
    }

    async fn names1(&self, seen: &Seen) -> Vec<String> {
        let rows = self.levels.level1s(seen, &Level1Filter::default(), None, 100).await.expect("reads");
        rows.into_iter().map(|row| row.value.name).collect()
    }

    async fn names2(&self, seen: &Seen, filter: &Level2Filter) -> Vec<String> {
        let list = self.levels.level2s(seen, filter, ALL).await.expect("reads");
        assert_eq!(list.count, list.rows.len() as u64, "the count is that of the rows");
        list.rows.into_iter().map(|row| row.value.name).collect()
    }
}

pub async fn levels_read_back_as_they_were_written(subject: &Subject) {
    let first = level1(1, "Straße \u{1F6E0}", &[group(1), group(2)]);
    subject.add(Row::Level1(first.clone())).await;
    let found = subject.find1(1).await.expect("it is there");
    assert!(found.number > 0);
    assert_eq!(found, Record { number: found.number, ..first });
    let by_number = subject.levels.find_level1(Key::Number(found.number)).await.expect("reads");
    assert_eq!(by_number.as_ref(), Some(&found));
    let over = Over::from(&found);

    subject.add(Row::Type(kind(2, Some(ACME)))).await;
    subject.add(Row::Status(status(3, Some(ACME), "open"))).await;
    subject.start(run(1, ACME)).await;
    subject.add(Row::Level2(level2(4, 1, "parent", &[]))).await;
    let mut second = level2(5, 1, "child", &[group(3)]);
    second.value.level1 = over.clone();
    (second.value.parent, second.value.kind, second.value.status) = (Some(id(4)), Some(id(2)), Some(id(3)));
    second.value.run = Some((super::world::run_id(1), crate::Status::New));
    second.value.details = Level2Details {
        notes: Some("nul \u{0} inside".to_owned()),
        start_date: Some(at(5)),
        parent_number: 7,
        ..Level2Details::default()
    };
    subject.add(Row::Level2(second.clone())).await;
    let found = subject.find2(5).await.expect("it is there");
    assert_eq!(found, Record { number: found.number, ..second });

    let found = subject.levels.find_level_type(id(2)).await.expect("reads").expect("it is there");
    assert_eq!(found, Record { number: found.number, ..kind(2, Some(ACME)) });
    let found = subject.levels.find_level_status(id(3)).await.expect("reads").expect("it is there");
    assert_eq!(found, Record { number: found.number, ..status(3, Some(ACME), "open") });

    let mut arranged = order(6, 1, Some(id(4)));
    arranged.value.level1 = over.clone();
    subject.add(Row::Order(arranged.clone())).await;
    let found = subject.levels.find_order(Key::Id(id(6))).await.expect("reads").expect("it is there");
    assert_eq!(found, Record { number: found.number, ..arranged });

    let mut place = team(7, 1);
    place.value.level1 = over;
    subject.add(Row::Team(place.clone())).await;
    let found = subject.levels.find_team_place(Key::Id(id(7))).await.expect("reads").expect("it is there");
    let by_number = subject.levels.find_team_place(Key::Number(found.number)).await.expect("reads");
    assert_eq!((by_number, found.clone()), (Some(found.clone()), Record { number: found.number, ..place }));
    for (kind, count) in [
        (Kind::Level1, 1),
        (Kind::Level2, 2),
        (Kind::Type, 1),
        (Kind::Status, 1),
        (Kind::Order, 1),
        (Kind::Team, 1),
    ] {
        assert_eq!(subject.levels.levels_count(kind, Some(ACME)).await.expect("counts"), count, "{kind:?}");
        assert_eq!(subject.levels.levels_count(kind, None).await.expect("counts"), 0, "{kind:?}");
    }
}

pub async fn a_level_is_replaced_and_removed_at_its_version_only(subject: &Subject) {
    subject.add(Row::Level1(level1(1, "first", &[]))).await;
    let renamed = level1(1, "second", &[group(1)]);
    subject.change(ACME, Change::Updated(Row::Level1(renamed.clone()))).await.expect("at its version");
    let found = subject.find1(1).await.expect("it is there");
    assert_eq!((found.version, found.value.name.as_str()), (2, "second"));
    let deleted = |version| Change::Deleted { kind: Kind::Level1, id: id(1), version };
    let absent = Change::Updated(Row::Level1(level1(9, "nobody", &[])));
    for (case, change) in
        [("old", Change::Updated(Row::Level1(renamed))), ("deleted", deleted(1)), ("absent", absent)]
    {
        let refused = subject.change(ACME, change).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{case}: {refused:?}");
    }
    assert_eq!(subject.find1(1).await, Some(found));
    subject.change(ACME, deleted(2)).await.expect("at its version");
    assert_eq!(subject.find1(1).await, None);
}

pub async fn with_a_level1_goes_what_belongs_to_it(subject: &Subject) {
    for number in [1, 2] {
        subject.add(Row::Level1(level1(number, "level", &[]))).await;
        subject.add(Row::Level2(level2(10 + number, number, "part", &[]))).await;
        subject.add(Row::Order(order(20 + number, number, Some(id(10 + number))))).await;
        subject.add(Row::Team(team(30 + number, number))).await;
    }
    let delete = Change::Deleted { kind: Kind::Level1, id: id(1), version: 1 };
    subject.change(ACME, delete).await.expect("at its version");
    let numbers = |kind| subject.levels.levels_count(kind, Some(ACME));
    for kind in [Kind::Level1, Kind::Level2, Kind::Order, Kind::Team] {
        assert_eq!(numbers(kind).await.expect("counts"), 1, "{kind:?}");
    }
    assert!(subject.find2(11).await.is_none() && subject.find2(12).await.is_some());
}

pub async fn what_is_removed_is_named_by_nothing(subject: &Subject) {
    subject.add(Row::Level1(level1(1, "level", &[]))).await;
    subject.add(Row::Type(kind(2, Some(ACME)))).await;
    subject.add(Row::Status(status(3, Some(ACME), "open"))).await;
    subject.add(Row::Level2(level2(4, 1, "parent", &[]))).await;
    let mut child = level2(5, 1, "child", &[]);
    (child.value.parent, child.value.kind, child.value.status) = (Some(id(4)), Some(id(2)), Some(id(3)));
    subject.add(Row::Level2(child)).await;
    subject.add(Row::Order(order(6, 1, Some(id(4))))).await;
    for (kind, number) in [(Kind::Type, 2), (Kind::Status, 3), (Kind::Level2, 4)] {
        let delete = Change::Deleted { kind, id: id(number), version: 1 };
        subject.change(ACME, delete).await.expect("at its version");
    }
    let child = subject.find2(5).await.expect("it stays").value;
    assert_eq!((child.parent, child.kind, child.status), (None, None, None));
    let order = subject.levels.find_order(Key::Id(id(6))).await.expect("reads").expect("it stays");
    assert_eq!(order.value.parent, None);
    let mut named = level2(7, 1, "late", &[]);
    named.value.status = Some(id(3));
    let refused = subject.change(ACME, Change::Created(Row::Level2(named))).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
}

pub async fn a_short_name_stands_once_in_an_organization(subject: &Subject) {
    subject.add(Row::Status(status(1, Some(ACME), "open"))).await;
    subject.add(Row::Status(status(2, Some(ACME), "done"))).await;
    let add = |number, organization| Change::Created(Row::Status(status(number, organization, "open")));
    let taken = subject.change(ACME, add(3, Some(ACME))).await;
    assert!(matches!(taken, Err(StoreError::Taken { field: "short_name" })), "got {taken:?}");
    let renamed = Change::Updated(Row::Status(status(2, Some(ACME), "open")));
    let taken = subject.change(ACME, renamed).await;
    assert!(matches!(taken, Err(StoreError::Taken { field: "short_name" })), "got {taken:?}");
    subject.change(GLOBEX, add(4, Some(GLOBEX))).await.expect("another organization");
    let of_all =
        |number| Part::of_all(None, vec![crate::Change::Level(Box::new(add(number, None)))], Vec::new());
    subject.commits.commit(of_all(5)).await.expect("that of the deployment");
    let taken = subject.commits.commit(of_all(6)).await;
    assert!(matches!(taken, Err(StoreError::Taken { field: "short_name" })), "got {taken:?}");
}

pub async fn types_and_statuses_of_all_may_be_used_by_each(subject: &Subject) {
    subject.add(Row::Type(kind(1, Some(ACME)))).await;
    let theirs = Change::Created(Row::Type(kind(2, Some(GLOBEX))));
    subject.change(GLOBEX, theirs).await.expect("it is new");
    let of_all = vec![
        crate::Change::Level(Box::new(Change::Created(Row::Type(kind(3, None))))),
        crate::Change::Level(Box::new(Change::Created(Row::Status(status(4, None, "open"))))),
    ];
    subject.commits.commit(Part::of_all(None, of_all, Vec::new())).await.expect("they are new");
    for (organization, expected) in
        [(Some(ACME), vec![1, 3]), (Some(GLOBEX), vec![2, 3]), (None, vec![1, 2, 3])]
    {
        let found = subject.levels.level_types(organization, None, 10).await.expect("reads");
        let found: Vec<_> = found.into_iter().map(|row| row.id).collect();
        assert_eq!(found, expected.into_iter().map(id).collect::<Vec<_>>(), "{organization:?}");
        let statuses = subject.levels.level_statuses(organization, None, ALL).await.expect("reads");
        assert_eq!((statuses.count, statuses.rows[0].organization), (1, None));
    }
    let after = Place { name: "type 1".to_owned(), number: i64::MAX };
    let found = subject.levels.level_types(None, Some(&after), 10).await.expect("reads");
    assert_eq!(found.len(), 2);
}

pub async fn a_list_shows_what_groups_let_see(subject: &Subject) {
    subject.add(Row::Level1(level1(1, "open", &[]))).await;
    subject.add(Row::Level1(level1(2, "closed", &[group(1), group(2)]))).await;
    subject.add(Row::Level2(level2(11, 1, "open in open", &[]))).await;
    subject.add(Row::Level2(level2(12, 1, "closed in open", &[group(3)]))).await;
    subject.add(Row::Level2(level2(13, 2, "open in closed", &[]))).await;
    subject.add(Row::Level2(level2(14, 2, "closed in closed", &[group(3)]))).await;
    for level1 in [1, 2] {
        subject.add(Row::Order(order(20 + level1, level1, None))).await;
        subject.add(Row::Team(team(30 + level1, level1))).await;
    }
    let through = |unattached, groups: &[GroupId]| Seen {
        organization: Some(ACME),
        through: Some(Through { unattached, groups: groups.to_vec() }),
    };
    let all2 = vec!["closed in closed", "closed in open", "open in closed", "open in open"];
    for (case, seen, ones, twos) in [
        ("everything", everything(), vec!["closed", "open"], all2.clone()),
        ("an organization", of(ACME), vec!["closed", "open"], all2),
        ("another", of(GLOBEX), vec![], vec![]),
        ("nothing", through(false, &[]), vec![], vec![]),
        ("what is open", through(true, &[]), vec!["open"], vec!["open in open"]),
        ("a group", through(false, &[group(2)]), vec!["closed"], vec!["open in closed"]),
        ("a strange group", through(false, &[group(9)]), vec![], vec![]),
        (
            "of a level 2",
            through(true, &[group(3)]),
            vec!["open"],
            vec!["closed in closed", "closed in open", "open in open"],
        ),
    ] {
        assert_eq!(subject.names1(&seen).await, ones, "{case}");
        assert_eq!(subject.names2(&seen, &Level2Filter::default()).await, twos, "{case}");
        let orders = subject.levels.orders(&seen, None, 10).await.expect("reads");
        let teams = subject.levels.team_places(&seen, None, 10).await.expect("reads");
        assert_eq!((orders.len(), teams.len()), (ones.len(), ones.len()), "{case}");
    }
}

pub async fn levels_are_found_by_each_condition(subject: &Subject) {
    subject.add(Row::Level1(level1(1, "one", &[]))).await;
    subject.add(Row::Level1(level1(2, "two", &[]))).await;
    subject.add(Row::Status(status(3, Some(ACME), "open"))).await;
    subject.add(Row::Level2(level2(4, 1, "a", &[]))).await;
    let mut open = level2(5, 1, "b", &[]);
    open.value.status = Some(id(3));
    subject.add(Row::Level2(open)).await;
    subject.add(Row::Level2(level2(6, 2, "c", &[]))).await;
    let two = subject.find1(2).await.expect("it is there").number;
    let none = Level2Filter::default;
    for (case, filter, expected) in [
        ("nothing said", none(), vec!["a", "b", "c"]),
        ("name", Level2Filter { level1_name: Some("one".to_owned()), ..none() }, vec!["a", "b"]),
        ("number", Level2Filter { level1_number: Some(two), ..none() }, vec!["c"]),
        ("from", Level2Filter { created_from: Some(at(5)), ..none() }, vec!["b", "c"]),
        ("to", Level2Filter { created_to: Some(at(5)), ..none() }, vec!["a", "b"]),
        ("status", Level2Filter { status: Some(id(3)), ..none() }, vec!["b"]),
        ("short name", Level2Filter { status_short_name: Some("open".to_owned()), ..none() }, vec!["b"]),
        ("no such", Level2Filter { status_short_name: Some("shut".to_owned()), ..none() }, vec![]),
    ] {
        assert_eq!(subject.names2(&of(ACME), &filter).await, expected, "{case}");
    }
    let part = Window { offset: 1, rows_max: 1 };
    let part = subject.levels.level2s(&of(ACME), &none(), part).await.expect("reads");
    assert_eq!((part.count, part.rows.len(), part.rows[0].value.name.as_str()), (3, 1, "b"));
    for (filter, expected) in [
        (Level1Filter { name: Some("two".to_owned()), id: None }, 1),
        (Level1Filter { name: None, id: Some(id(1)) }, 1),
        (Level1Filter { name: Some("two".to_owned()), id: Some(id(1)) }, 0),
    ] {
        let found = subject.levels.level1s(&of(ACME), &filter, None, 10).await.expect("reads");
        assert_eq!(found.len(), expected, "{filter:?}");
    }
}

pub async fn pages_of_levels_are_complete_and_ordered_alike(subject: &Subject) {
    for (number, name) in (1..).zip(["b", "B", "a", "ä", "a", "Z"]) {
        subject.add(Row::Level1(level1(number, name, &[]))).await;
    }
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let filter = Level1Filter::default();
        let page = subject.levels.level1s(&of(ACME), &filter, after.as_ref(), 2).await.expect("reads");
        let Some(last) = page.last() else { break };
        after = Some(Place { name: last.value.name.clone(), number: last.number });
        read.extend(page.into_iter().map(|row| row.value.name));
    }
    assert_eq!(read, ["B", "Z", "a", "a", "b", "ä"], "by code points, on each storage");
}

pub async fn the_levels_of_a_group_are_found(subject: &Subject) {
    subject.add(Row::Level1(level1(1, "one", &[group(1), group(2)]))).await;
    subject.add(Row::Level1(level1(2, "two", &[group(2)]))).await;
    subject.add(Row::Level2(level2(3, 1, "three", &[group(1)]))).await;
    let number = |found: Option<Record<Level1>>| found.expect("it is there").number;
    let (one, two) = (number(subject.find1(1).await), number(subject.find1(2).await));
    let levels = &subject.levels;
    let found = levels.levels_of_groups(Some(ACME), &[group(1)], 10).await.expect("reads");
    assert_eq!((found.level1s, found.level2s), (vec![(group(1), one)], vec![(group(1), id(3))]));
    let found = levels.levels_of_groups(None, &[group(2), group(9)], 10).await.expect("reads");
    assert_eq!((found.level1s, found.level2s), (vec![(group(2), one), (group(2), two)], vec![]));
    let bounded = levels.levels_of_groups(None, &[group(2)], 1).await.expect("reads");
    assert_eq!(bounded.level1s.len(), 1);
    let theirs = levels.levels_of_groups(Some(GLOBEX), &[group(1)], 10).await.expect("reads");
    assert_eq!(theirs, Default::default());
}

/// Whoever knows ids of another organization gets nothing by it.
pub async fn no_level_of_another_organization_is_changed(subject: &Subject) {
    subject.add(Row::Level1(level1(1, "theirs", &[]))).await;
    subject.add(Row::Level2(level2(2, 1, "theirs", &[]))).await;
    subject.add(Row::Type(kind(3, Some(ACME)))).await;
    subject.add(Row::Order(order(4, 1, None))).await;
    subject.add(Row::Team(team(5, 1))).await;
    let before = (subject.find1(1).await, subject.find2(2).await);
    for (case, change) in [
        ("level 1", Change::Updated(Row::Level1(level1(1, "ours", &[])))),
        ("level 2", Change::Updated(Row::Level2(level2(2, 1, "ours", &[])))),
        ("type", Change::Updated(Row::Type(kind(3, Some(ACME))))),
        ("order", Change::Updated(Row::Order(order(4, 1, None)))),
        ("team", Change::Updated(Row::Team(team(5, 1)))),
        ("no level 1", Change::Deleted { kind: Kind::Level1, id: id(1), version: 1 }),
        ("no level 2", Change::Deleted { kind: Kind::Level2, id: id(2), version: 1 }),
        ("a level 2 in theirs", Change::Created(Row::Level2(level2(6, 1, "ours", &[])))),
        ("an order in theirs", Change::Created(Row::Order(order(7, 1, None)))),
        ("a team in theirs", Change::Created(Row::Team(team(8, 1)))),
    ] {
        let refused = subject.change(GLOBEX, change).await;
        let is_refused = matches!(refused, Err(StoreError::Stale | StoreError::Missing { .. }));
        assert!(is_refused, "{case}: {refused:?}");
    }
    assert_eq!((subject.find1(1).await, subject.find2(2).await), before);
    // What says in itself that it is theirs becomes ours all the same.
    subject.change(GLOBEX, Change::Created(Row::Level1(level1(9, "named", &[])))).await.expect("it is new");
    assert_eq!(subject.find1(9).await.map(|level| level.organization), Some(GLOBEX));
    let nobody = crate::Change::Level(Box::new(Change::Created(Row::Level1(level1(10, "nobody's", &[])))));
    let refused = subject.commits.commit(Part::of_all(None, vec![nobody], Vec::new())).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
}
