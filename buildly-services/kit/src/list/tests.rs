use super::*;
use crate::fixture::{Thing, acme};
use crate::statement::Dialect;

fn parse_thing(query: &str) -> Result<ListQuery, Vec<FieldError>> {
    parse(&Shape::of::<Thing>().unwrap(), Some(query))
}

#[test]
fn a_parameter_that_is_not_understood_is_refused_by_name() {
    for query in [
        "nmae=x",
        "name__like=x",
        "note=x",
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "ordering=note",
        "count=1.5",
        "id__in=x",
        "name__isnull=true",
        "count__isnull=maybe",
        "organization_id=x",
        "name=%ff",
        "ordering=-count,-count,name,id,created_at",
    ] {
        let errors = parse_thing(query).unwrap_err();
        assert_eq!(errors.len(), 1, "{query}: {errors:?}");
    }
}

#[test]
fn asking_for_ids_gives_them_in_one_page() {
    let ids = vec!["01890a5d-ac96-774b-bcce-b302099a8057"; 300].join(",");
    assert_eq!(parse_thing(&format!("id__in={ids}")).unwrap().size.rows(), 300);
    assert_eq!(parse_thing(&format!("id__in={ids}&limit=7")).unwrap().size.rows(), 7);
}

#[test]
fn a_cursor_belongs_to_its_order() {
    let list = parse_thing("ordering=-count").unwrap();
    let position = Position { cells: vec![Cell::Integer(7)], id: acme().as_uuid(), is_backward: false };
    let text = position.write(&list.order);
    assert_eq!(Position::parse(&text, &list.order), Some(position));
    assert!(parse_thing(&format!("ordering=count&cursor={text}")).is_err());
    assert!(parse_thing(&format!("ordering=-count&cursor={text}")).is_ok());
}

#[test]
fn values_are_bound_and_never_part_of_the_statement() {
    let shape = Shape::of::<Thing>().unwrap();
    let list = parse(&shape, Some("name=x'%22);DROP&search=y'%22);DROP&ordering=name")).unwrap();
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let statement = select(dialect, (&[], &shape), acme().into(), &list);
        assert!(!statement.sql.contains("DROP"), "{}", statement.sql);
        assert!(statement.sql.contains("organization_id = "), "{}", statement.sql);
    }
}

#[test]
fn what_the_database_cannot_take_is_refused_by_name() {
    let ids = ["01890a5d-ac96-774b-bcce-b302099a8057"; 1000].join(",");
    for (case, query, parameter) in [
        ("many filters", ["name=x"; 2000].join("&"), "name"),
        ("many words at once", format!("search={}", ["x"; 2000].join("+")), "search"),
        ("many words one by one", ["search=x"; 2000].join("&"), "search"),
        ("many values", std::array::from_fn::<_, 11, _>(|_| format!("id__in={ids}")).join("&"), "id__in"),
    ] {
        let errors = parse_thing(&query).unwrap_err();
        assert_eq!(errors.len(), 1, "{case}");
        assert_eq!(errors[0].field, parameter, "{case}");
    }
    let most = format!("{}&{}", ["name=x"; 50].join("&"), ["search=x"; 10].join("&"));
    let list = parse_thing(&most).unwrap();
    assert_eq!((list.filters.len(), list.words.len()), (50, 10));
}
