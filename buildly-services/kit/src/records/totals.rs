//! Counts and sums over the records of a list.

use buildly_model::StoreError;
use serde_json::Value;

use super::Records;
use crate::record::Record;
use crate::statement::Statement;
use crate::value::{Cell, Kind};
use crate::{Error, Scope, list};

/// The most groups that are counted at once.
const GROUPS_MAX: usize = 10_000;

/// What one group of records comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The values that the records of the group share, in the order asked; null where missing.
    pub by: Vec<Value>,
    /// How many records there are.
    pub count: u64,
    /// How many of them have a value in the field that is summed.
    pub count_of_sum: u64,
    /// The sum of those values; `None` if there are none.
    pub sum: Option<i64>,
}

impl Records {
    /// Counts the records that a list with this query shows on all its pages, in groups by the
    /// fields `by`, and sums up the whole numbers in `sum_of`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the query is none of the list, [`Error::Malformed`] if there are
    /// more than 10 000 groups.
    pub async fn totals<T: Record>(
        &self,
        scope: impl Into<Scope>,
        query: &str,
        by: &[&str],
        sum_of: &str,
    ) -> Result<Vec<Total>, Error> {
        let shape = self.shape::<T>()?;
        let field = |name: &str| {
            let unknown = || StoreError::corrupt(format!("a {} has no field `{name}`", shape.name()));
            shape.field(name).ok_or_else(unknown)
        };
        let list = list::parse(shape, Some(query)).map_err(Error::Invalid)?;
        let kinds = by.iter().map(|name| Ok(field(name)?.kind)).collect::<Result<Vec<_>, StoreError>>()?;
        field(sum_of)?;
        let columns = kinds.iter().copied().chain([Kind::Integer; 3]).collect();
        let mut statement = Statement::new(self.database.dialect()).answering(columns);
        statement.push("SELECT ");
        for name in by {
            statement.name(name).push(", ");
        }
        statement.push("COUNT(*), COUNT(").name(sum_of).push("), CAST(SUM(").name(sum_of);
        statement.push(") AS bigint)");
        list::push_condition(&mut statement, (&self.shapes, shape), scope.into(), &list);
        for (position, name) in by.iter().enumerate() {
            statement.push(if position > 0 { ", " } else { " GROUP BY " }).name(name);
        }
        statement.push(&format!(" LIMIT {}", GROUPS_MAX + 1));
        let rows = self.database.rows(statement).await?;
        if rows.len() > GROUPS_MAX {
            let message = format!("There are more than {GROUPS_MAX} groups; ask for less at once.");
            return Err(Error::Malformed(message));
        }
        rows.iter().map(|cells| read(&kinds, cells)).collect()
    }
}

fn read(kinds: &[Kind], cells: &[Cell]) -> Result<Total, Error> {
    let by = kinds.iter().zip(cells).map(|(kind, cell)| kind.show(cell)).collect();
    let counts: Vec<Option<i64>> = cells
        .iter()
        .skip(kinds.len())
        .map(|cell| if let Cell::Integer(number) = cell { Some(*number) } else { None })
        .collect();
    let [Some(count), Some(count_of_sum), sum] = counts.as_slice() else {
        return Err(StoreError::corrupt("a count is no number").into());
    };
    let whole = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Total { by, count: whole(*count), count_of_sum: whole(*count_of_sum), sum: *sum })
}
