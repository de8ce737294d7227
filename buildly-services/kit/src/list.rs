//! What a list is asked: filters, words, an order, a page. Pure: query text in, SQL out.

mod cursor;
mod select;

use buildly_model::{FieldError, PageSize};

use crate::shape::Shape;
use crate::value::{Cell, Kind};

pub(crate) use cursor::Position;
pub(crate) use select::{columns as select_columns, push_condition, select};

/// The most values of one `__in` filter.
const VALUES_MAX: usize = 1000;
/// The most values of all `__in` filters together: SQLite binds 32766 and PostgreSQL 65535.
const ALL_VALUES_MAX: usize = 10_000;
/// The most filters: each is one more level of SQLite's expression tree, which has 1000.
const FILTERS_MAX: usize = 50;
/// The most words of all searches together.
const WORDS_MAX: usize = 10;
/// The most fields of an order.
const ORDER_FIELDS_MAX: usize = 3;

/// A column that lists know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) may_be_null: bool,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    pub(crate) column: Column,
    pub(crate) test: Test,
}

/// What a column's value must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Equal(Cell),
    OneOf(Vec<Cell>),
    AtLeast(Cell),
    AtMost(Cell),
    Missing,
    Present,
}

/// One field of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) column: Column,
    pub(crate) is_descending: bool,
}

/// A list as it is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListQuery {
    pub(crate) filters: Vec<Filter>,
    pub(crate) words: Vec<String>,
    /// The fields of the order; the id always breaks ties.
    pub(crate) order: Vec<Order>,
    pub(crate) size: PageSize,
    pub(crate) position: Option<Position>,
    /// Parameters that stay the same on every page.
    pub(crate) kept: Vec<(String, String)>,
}

/// Reads the query of a list.
///
/// # Errors
/// Every refused parameter with a sentence; an unknown one too, since a filter with a
/// spelling mistake would otherwise show everything.
pub(crate) fn parse(shape: &Shape, query: Option<&str>) -> Result<ListQuery, Vec<FieldError>> {
    let pairs = crate::query::parse(query.unwrap_or_default())
        .ok_or_else(|| vec![FieldError::new("query", "Expected percent-encoded UTF-8.")])?;
    let mut errors = Vec::new();
    let order_text = pairs.iter().rev().find(|(name, _)| name == "ordering").map(|(_, value)| value.as_str());
    let order = match order_text {
        Some(text) => parse_order(shape, text.split(',').filter(|name| !name.is_empty())),
        None => parse_order(shape, shape.record_type.order.iter().copied()),
    };
    let order = order.unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    });
    let mut list = ListQuery {
        filters: Vec::new(),
        words: Vec::new(),
        order,
        size: PageSize::DEFAULT,
        position: None,
        kept: pairs.iter().filter(|(name, _)| name != "cursor").cloned().collect(),
    };
    let mut size = None;
    for (name, value) in &pairs {
        let outcome = match name.as_str() {
            // `join` is for the mesh in front; a service that is asked directly has no joins.
            "ordering" | "join" => Ok(()),
            "limit" => parse_size(value).map(|rows| size = Some(rows)),
            "cursor" => Position::parse(value, &list.order)
                .map(|position| list.position = Some(position))
                .ok_or_else(|| "Expected the cursor of a `next` or `previous` link of this list.".to_owned()),
            "search" => parse_words(shape, value, &mut list.words),
            filter => parse_filter(shape, filter, value).and_then(|filter| add(&mut list.filters, filter)),
        };
        if let Err(message) = outcome {
            let error = FieldError::new(name.as_str(), message);
            // What is sent again and again is refused once.
            if errors.last() != Some(&error) {
                errors.push(error);
            }
        }
    }
    // Who asks for ids gets them in one page, as far as a page goes.
    let asked = list.filters.iter().filter_map(|filter| match &filter.test {
        Test::OneOf(cells) if filter.column.name == "id" => u32::try_from(cells.len()).ok(),
        _ => None,
    });
    list.size = PageSize::clamped(
        size.unwrap_or_else(|| asked.max().unwrap_or_default().max(PageSize::DEFAULT.rows())),
    );
    if errors.is_empty() { Ok(list) } else { Err(errors) }
}

/// Every parameter that filters, with the kind of its values and whether it takes a list of them.
pub(crate) fn filter_names(shape: &Shape) -> Vec<(String, Kind, bool)> {
    let mut names = vec![("id__in".to_owned(), Kind::Uuid, true)];
    let fields = shape.record_type.filterable.iter().filter_map(|name| shape.field(name));
    for field in fields {
        let name = &field.name;
        names.push((name.clone(), field.kind, false));
        names.push((format!("{name}__in"), field.kind, true));
        if field.is_nullable {
            names.push((format!("{name}__isnull"), Kind::Boolean, false));
        }
        if matches!(field.kind, Kind::Integer | Kind::Number | Kind::Instant | Kind::Text) {
            names.push((format!("{name}__gte"), field.kind, false));
            names.push((format!("{name}__lte"), field.kind, false));
        }
    }
    for name in ["created_at", "updated_at"] {
        names.push((format!("{name}__gte"), Kind::Instant, false));
        names.push((format!("{name}__lte"), Kind::Instant, false));
    }
    names
}

/// The names that a list can be ordered by.
pub(crate) fn order_names(shape: &Shape) -> Vec<&str> {
    let mut names = vec!["id", "created_at", "updated_at"];
    names.extend(shape.record_type.sortable.iter().copied());
    for name in &shape.record_type.order {
        let name = name.trim_start_matches('-');
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn parse_size(text: &str) -> Result<u32, String> {
    text.parse::<u32>()
        .ok()
        .filter(|rows| (1..=PageSize::MAX).contains(rows))
        .ok_or_else(|| format!("Expected a number from 1 to {}.", PageSize::MAX))
}

/// Adds the words of one `search` to those of the others.
fn parse_words(shape: &Shape, text: &str, words: &mut Vec<String>) -> Result<(), String> {
    if shape.record_type.searchable.is_empty() {
        return Err(format!("A {} has no text to search.", shape.name()));
    }
    let found = text.split_whitespace().map(|word| word.replace('\0', "").to_lowercase());
    // One more than there may be says that there are too many.
    words.extend(found.take(WORDS_MAX + 1));
    if words.len() > WORDS_MAX {
        words.truncate(WORDS_MAX);
        return Err(format!("Expected at most {WORDS_MAX} words in all; leave some out."));
    }
    Ok(())
}

/// Adds a filter to the others, if the database takes that many.
fn add(filters: &mut Vec<Filter>, filter: Filter) -> Result<(), String> {
    if filters.len() >= FILTERS_MAX {
        return Err(format!(
            "Expected at most {FILTERS_MAX} filters; leave some out, or ask for several values with `__in`."
        ));
    }
    let values = |filter: &Filter| match &filter.test {
        Test::OneOf(cells) => cells.len(),
        _ => 0,
    };
    if filters.iter().map(values).sum::<usize>() + values(&filter) > ALL_VALUES_MAX {
        return Err(format!(
            "Expected at most {ALL_VALUES_MAX} values in all `__in` filters; leave some out."
        ));
    }
    filters.push(filter);
    Ok(())
}

fn parse_order<'a>(shape: &Shape, names: impl Iterator<Item = &'a str>) -> Result<Vec<Order>, FieldError> {
    let known = order_names(shape);
    let mut order: Vec<Order> = Vec::new();
    for text in names {
        let (name, is_descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        if !known.contains(&name) {
            let message =
                format!("Expected some of {}, each with `-` before it to turn it round.", known.join(", "));
            return Err(FieldError::new("ordering", message));
        }
        let is_new = order.iter().all(|order| order.column.name != name);
        if let Some(column) = column(shape, name).filter(|_| is_new) {
            order.push(Order { column, is_descending });
        }
    }
    if order.len() > ORDER_FIELDS_MAX {
        return Err(FieldError::new("ordering", format!("Expected at most {ORDER_FIELDS_MAX} fields.")));
    }
    Ok(order)
}

fn parse_filter(shape: &Shape, parameter: &str, value: &str) -> Result<Filter, String> {
    let known = filter_names(shape);
    let Some((_, kind, is_list)) = known.iter().find(|(name, _, _)| name == parameter) else {
        return Err(format!(
            "This parameter is unknown; the list of {} says which there are in its OpenAPI document.",
            shape.record_type.plural
        ));
    };
    let (name, operator) = parameter.rsplit_once("__").unwrap_or((parameter, ""));
    let column = column(shape, name).ok_or_else(|| "This field cannot be filtered.".to_owned())?;
    let test = if *is_list {
        let texts: Vec<&str> = value.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
        if texts.len() > VALUES_MAX {
            return Err(format!("Expected at most {VALUES_MAX} values; these are {}.", texts.len()));
        }
        Test::OneOf(texts.into_iter().map(|text| kind.read_text(text)).collect::<Result<_, _>>()?)
    } else {
        match (operator, kind.read_text(value)?) {
            ("gte", cell) => Test::AtLeast(cell),
            ("lte", cell) => Test::AtMost(cell),
            ("isnull", Cell::Boolean(true)) => Test::Missing,
            ("isnull", _) => Test::Present,
            (_, cell) => Test::Equal(cell),
        }
    };
    Ok(Filter { column, test })
}

fn column(shape: &Shape, name: &str) -> Option<Column> {
    let (kind, may_be_null) = match name {
        "id" => (Kind::Uuid, false),
        "created_at" | "updated_at" => (Kind::Instant, false),
        name => {
            let field = shape.field(name)?;
            (field.kind, field.is_nullable || !field.is_required)
        }
    };
    Some(Column { name: name.to_owned(), kind, may_be_null })
}

#[cfg(test)]
mod tests;
