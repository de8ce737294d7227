//! Reading rows.

use async_trait::async_trait;
use buildly_model::{GroupId, LevelRowId, OrganizationId, Place, StoreError};
use buildly_workflow::levels::{
    Counted, Key, Kind, Level1, Level1Filter, Level2, Level2Filter, LevelStatus, LevelType, LevelsOfGroups,
    Order, Record, Seen, Shared, Store, TeamPlace, Window,
};
use rusqlite::params;
use rusqlite::types::Value;

use super::select::{LEVEL1, LEVEL2, ORDER, STATUS, Select, Source, TEAM, TYPE};
use super::write::table;
use crate::Sqlite;
use crate::workflow::row::{all, micros, parsed, to_json};

const BY_NAME: &str = "l.name, l.number";
const BY_NUMBER: &str = "l.number";

const OF_SHORT_NAME: &str = "l.status_id IN (SELECT id FROM workflow_level_status WHERE short_name = ?)";

/// Those of one organization, or of all; each finds its index.
fn of_groups(column: &str, table: &str, is_of_one: bool) -> String {
    let one = if is_of_one { "l.organization_id = ?2" } else { "?2 IS NULL" };
    format!(
        "SELECT a.value, l.{column} FROM {table} l, json_each(l.group_ids) a
         WHERE l.group_ids <> '[]' AND {one} AND a.value IN (SELECT value FROM json_each(?1))
         ORDER BY l.number LIMIT ?3"
    )
}

#[async_trait]
impl Store for Sqlite {
    async fn find_level1(&self, key: Key) -> Result<Option<Record<Level1>>, StoreError> {
        self.engine.read(move |tx| of_key(LEVEL1, key).first(tx)).await
    }

    async fn level1s(
        &self,
        seen: &Seen,
        filter: &Level1Filter,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Record<Level1>>, StoreError> {
        let select = Select::of(LEVEL1)
            .seen(seen)?
            .and("l.name = ?", filter.name.clone())
            .and("l.id = ?", filter.id.map(|id| id.to_string()));
        let select = after_place(select, after);
        self.engine.read(move |tx| select.read(tx, BY_NAME, first(rows_max))).await
    }

    async fn find_level2(&self, id: LevelRowId) -> Result<Option<Record<Level2>>, StoreError> {
        self.engine.read(move |tx| of_key(LEVEL2, Key::Id(id)).first(tx)).await
    }

    async fn level2s(
        &self,
        seen: &Seen,
        filter: &Level2Filter,
        window: Window,
    ) -> Result<Counted<Record<Level2>>, StoreError> {
        let select = Select::of(LEVEL2)
            .seen(seen)?
            .and("o.name = ?", filter.level1_name.clone())
            .and("o.number = ?", filter.level1_number)
            .and("l.created_at >= ?", micros(filter.created_from))
            .and("l.created_at <= ?", micros(filter.created_to))
            .and(OF_SHORT_NAME, filter.status_short_name.clone())
            .and("l.status_id = ?", filter.status.map(|id| id.to_string()));
        let read = move |tx: &_| {
            let count = select.count(tx)?;
            Ok(Counted { rows: select.read(tx, BY_NAME, window)?, count })
        };
        self.engine.read(read).await
    }

    async fn find_level_type(&self, id: LevelRowId) -> Result<Option<Shared<LevelType>>, StoreError> {
        self.engine.read(move |tx| of_key(TYPE, Key::Id(id)).first(tx)).await
    }

    async fn level_types(
        &self,
        organization: Option<OrganizationId>,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Shared<LevelType>>, StoreError> {
        let select = after_place(usable(TYPE, organization), after);
        self.engine.read(move |tx| select.read(tx, BY_NAME, first(rows_max))).await
    }

    async fn find_level_status(&self, id: LevelRowId) -> Result<Option<Shared<LevelStatus>>, StoreError> {
        self.engine.read(move |tx| of_key(STATUS, Key::Id(id)).first(tx)).await
    }

    async fn level_statuses(
        &self,
        organization: Option<OrganizationId>,
        short_name: Option<&str>,
        window: Window,
    ) -> Result<Counted<Shared<LevelStatus>>, StoreError> {
        let select = usable(STATUS, organization).and("l.short_name = ?", short_name.map(str::to_owned));
        let read = move |tx: &_| {
            let count = select.count(tx)?;
            Ok(Counted { rows: select.read(tx, "l.position, l.name, l.number", window)?, count })
        };
        self.engine.read(read).await
    }

    async fn find_order(&self, key: Key) -> Result<Option<Record<Order>>, StoreError> {
        self.engine.read(move |tx| of_key(ORDER, key).first(tx)).await
    }

    async fn orders(
        &self,
        seen: &Seen,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Vec<Record<Order>>, StoreError> {
        let select = Select::of(ORDER).seen(seen)?.and("l.number > ?", after);
        self.engine.read(move |tx| select.read(tx, BY_NUMBER, first(rows_max))).await
    }

    async fn find_team_place(&self, key: Key) -> Result<Option<Record<TeamPlace>>, StoreError> {
        self.engine.read(move |tx| of_key(TEAM, key).first(tx)).await
    }

    async fn team_places(
        &self,
        seen: &Seen,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Vec<Record<TeamPlace>>, StoreError> {
        let select = Select::of(TEAM).seen(seen)?.and("l.number > ?", after);
        self.engine.read(move |tx| select.read(tx, BY_NUMBER, first(rows_max))).await
    }

    async fn levels_count(
        &self,
        kind: Kind,
        organization: Option<OrganizationId>,
    ) -> Result<u64, StoreError> {
        let organization = organization.map(|id| id.to_string());
        let sql = format!("SELECT count(*) FROM {} WHERE organization_id IS ?1", table(kind));
        let read = move |tx: &_| {
            Ok(all(tx, &sql, params![organization], |row| row.get::<_, u64>(0))?.into_iter().sum())
        };
        self.engine.read(read).await
    }

    async fn levels_of_groups(
        &self,
        organization: Option<OrganizationId>,
        groups: &[GroupId],
        rows_max: u32,
    ) -> Result<LevelsOfGroups, StoreError> {
        let (groups, organization) = (to_json(groups)?, organization.map(|id| id.to_string()));
        let read = move |tx: &_| {
            let values = params![groups, organization, rows_max];
            let sql = |column, table| of_groups(column, table, organization.is_some());
            let (level1s, level2s) = (sql("number", "workflow_level1"), sql("id", "workflow_level2"));
            Ok(LevelsOfGroups {
                level1s: all(tx, &level1s, values, |row| Ok((parsed(row, 0)?, row.get(1)?)))?,
                level2s: all(tx, &level2s, values, |row| Ok((parsed(row, 0)?, parsed(row, 1)?)))?,
            })
        };
        self.engine.read(read).await
    }
}

const fn first(rows_max: u32) -> Window {
    Window { offset: 0, rows_max }
}

fn of_key<T>(source: Source<T>, key: Key) -> Select<T> {
    match key {
        Key::Id(id) => Select::of(source).and("l.id = ?", Some(id.to_string())),
        Key::Number(number) => Select::of(source).and("l.number = ?", Some(number)),
    }
}

/// Those of an organization, and those that all may use.
fn usable<T>(source: Source<T>, organization: Option<OrganizationId>) -> Select<T> {
    let organization = organization.map(|id| id.to_string());
    Select::of(source).and("(l.organization_id IS NULL OR l.organization_id = ?)", organization)
}

fn after_place<T>(select: Select<T>, after: Option<&Place>) -> Select<T> {
    match after {
        Some(Place { name, number }) => {
            select.and_all("(l.name, l.number) > (?, ?)", [Value::from(name.clone()), Value::from(*number)])
        }
        None => select,
    }
}
