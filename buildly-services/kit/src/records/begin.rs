//! What every organization begins with, made once.
//!
//! A row of the table `beginning` says that an organization has been given it. The row and
//! the records are written together, so two first requests at the same moment make one set.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use buildly_model::{OrganizationId, StoreError};

use super::Records;
use crate::Error;
use crate::shape::Shape;
use crate::statement::{Dialect, Statement};
use crate::value::{Cell, Kind};

/// How a beginning that has been made shows in an error of the store.
pub(crate) const BEGUN: &str = "beginning";
/// How many are remembered before all are forgotten and looked up again.
const REMEMBERED_MAX: usize = 10_000;

/// Who is known to have begun; a memory of the table, which has the last word.
#[derive(Clone, Default)]
pub(crate) struct Begun(Arc<Mutex<HashSet<(OrganizationId, &'static str)>>>);

impl Begun {
    fn has(&self, organization: OrganizationId, record_type: &'static str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(organization, record_type))
    }

    fn remember(&self, organization: OrganizationId, record_type: &'static str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert((organization, record_type));
    }
}

impl Records {
    /// Gives an organization what records of this type begin with, if it has not been given it.
    /// One that has such records of its own already keeps to those.
    pub(super) async fn begin(&self, shape: &Shape, organization: OrganizationId) -> Result<(), Error> {
        if shape.beginning.is_empty() || self.begun.has(organization, shape.name()) {
            return Ok(());
        }
        let dialect = self.database.dialect();
        if self.database.rows(find_marker(dialect, shape, organization)).await?.is_empty() {
            let mut statements = vec![self.marker(shape, organization)];
            if self.database.rows(find_any(dialect, shape, organization)).await?.is_empty() {
                for fields in &shape.beginning {
                    let row = self.new_row(self.new_id(), fields.clone());
                    statements.extend(self.inserting(shape, organization.into(), &row));
                }
            }
            match self.database.write(statements).await {
                Ok(()) | Err(StoreError::Taken { field: BEGUN }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.begun.remember(organization, shape.name());
        Ok(())
    }

    fn marker(&self, shape: &Shape, organization: OrganizationId) -> Statement {
        let mut statement = Statement::new(self.database.dialect());
        statement.push("INSERT INTO beginning (organization_id, record_type, created_at) VALUES (");
        statement.bind_all([
            Cell::Uuid(organization.as_uuid()),
            Cell::Text(shape.name().to_owned()),
            Cell::Integer(self.clock.now().as_microseconds()),
        ]);
        statement.push(")");
        statement
    }
}

fn find_marker(dialect: Dialect, shape: &Shape, organization: OrganizationId) -> Statement {
    let mut statement = Statement::new(dialect).answering(vec![Kind::Text]);
    statement.push("SELECT record_type FROM beginning WHERE organization_id = ");
    statement.bind(Cell::Uuid(organization.as_uuid()));
    statement.push(" AND record_type = ").bind(Cell::Text(shape.name().to_owned()));
    statement
}

fn find_any(dialect: Dialect, shape: &Shape, organization: OrganizationId) -> Statement {
    let mut statement = Statement::new(dialect).answering(vec![Kind::Uuid]);
    statement.push("SELECT id FROM ").name(shape.name()).push(" WHERE organization_id = ");
    statement.bind(Cell::Uuid(organization.as_uuid()));
    statement.push(" LIMIT 1");
    statement
}
