//! Where a page begins: the order's values of the record before it.
//!
//! A cursor is opaque to clients and holds nothing that they have not been shown. It bears
//! its order, so that one of another list is refused, and is bound into the SQL, never put
//! into it. The organization is not in it: that comes from the token of each request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Column, Order};
use crate::shape::Row;
use crate::value::{Cell, Kind};

/// A place between two records.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Position {
    /// The order's values there, missing ones as the least of their kind.
    pub(crate) cells: Vec<Cell>,
    pub(crate) id: Uuid,
    /// Whether the page before the place is wanted, not the one after.
    pub(crate) is_backward: bool,
}

impl Position {
    /// The place of a record.
    pub(crate) fn of(row: &Row, order: &[Order], is_backward: bool) -> Self {
        let cells = order.iter().map(|order| {
            let Column { name, kind, .. } = &order.column;
            let cell = match name.as_str() {
                "id" => Some(Cell::Uuid(row.id)),
                "created_at" => Some(Cell::Integer(row.created_at.as_microseconds())),
                "updated_at" => Some(Cell::Integer(row.updated_at.as_microseconds())),
                name => row.fields.get(name).and_then(|value| kind.read_json(value).ok()),
            };
            cell.filter(|cell| !cell.is_null()).unwrap_or_else(|| kind.least())
        });
        Self { cells: cells.collect(), id: row.id, is_backward }
    }

    /// The text of the cursor.
    pub(crate) fn write(&self, order: &[Order]) -> String {
        let cells: Vec<Value> = self.cells.iter().map(write_cell).collect();
        let text = json!([signature(order), self.is_backward, self.id.to_string(), cells]).to_string();
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads a cursor; `None` if it is none of ours, or of another order.
    pub(crate) fn parse(text: &str, order: &[Order]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (of, is_backward, id, values): (String, bool, Uuid, Vec<Value>) =
            serde_json::from_slice(&bytes).ok()?;
        if of != signature(order) || values.len() != order.len() {
            return None;
        }
        let cells = values.iter().zip(order).map(|(value, order)| read_cell(order.column.kind, value));
        Some(Self { cells: cells.collect::<Option<_>>()?, id, is_backward })
    }
}

fn signature(order: &[Order]) -> String {
    let sign = |order: &Order| if order.is_descending { "-" } else { "+" };
    order.iter().map(|order| format!("{}{}", sign(order), order.column.name)).collect()
}

/// Numbers travel as their bits, since JSON readers may round.
fn write_cell(cell: &Cell) -> Value {
    match cell {
        Cell::Null(_) => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Uuid(uuid) => Value::from(uuid.to_string()),
        Cell::Integer(number) => Value::from(*number),
        Cell::Number(number) => Value::from(number.to_bits()),
        Cell::Boolean(boolean) => Value::from(*boolean),
    }
}

fn read_cell(kind: Kind, value: &Value) -> Option<Cell> {
    match kind {
        Kind::Text | Kind::Json => {
            value.as_str().filter(|text| !text.contains('\0')).map(|text| Cell::Text(text.to_owned()))
        }
        Kind::Uuid => Uuid::parse_str(value.as_str()?).ok().map(Cell::Uuid),
        Kind::Integer | Kind::Instant => value.as_i64().map(Cell::Integer),
        Kind::Number => {
            Some(f64::from_bits(value.as_u64()?)).filter(|number| number.is_finite()).map(Cell::Number)
        }
        Kind::Boolean => value.as_bool().map(Cell::Boolean),
    }
}
