//! Reading rows.

use async_trait::async_trait;
use buildly_model::{GroupId, LevelRowId, OrganizationId, Place, StoreError};
use buildly_workflow::levels::{
    Counted, Key, Kind, Level1, Level1Filter, Level2, Level2Filter, LevelStatus, LevelType, LevelsOfGroups,
    Order, Record, Seen, Shared, Store, TeamPlace, Window,
};
use sqlx::{Postgres as Database, QueryBuilder};
use uuid::Uuid;

use super::select::{LEVEL1, LEVEL2, ORDER, STATUS, Select, Source, TEAM, TYPE};
use super::write::table;
use crate::Postgres;
use crate::engine::{ask, store_error};
use crate::workflow::row::{count, micros};

const BY_NAME: &str = "l.name COLLATE \"C\", l.number";
const BY_NUMBER: &str = "l.number";
const BY_POSITION: &str = "l.position, l.name COLLATE \"C\", l.number";

/// Those of one organization, or of all; each finds its index.
fn of_groups(
    (column, table): (&str, &str),
    organization: Option<OrganizationId>,
    groups: &[GroupId],
    rows_max: u32,
) -> QueryBuilder<Database> {
    let groups: Vec<Uuid> = groups.iter().map(GroupId::as_uuid).collect();
    let mut query = QueryBuilder::new("SELECT a.id AS group_id, l.");
    query.push(column).push(" FROM ").push(table).push(" l, unnest(l.group_ids) AS a (id)");
    query.push(" WHERE cardinality(l.group_ids) > 0 AND a.id = ANY (").push_bind(groups).push(")");
    if let Some(organization) = organization {
        query.push(" AND l.organization_id = ").push_bind(organization.as_uuid());
    }
    query.push(" ORDER BY l.number LIMIT ").push_bind(i64::from(rows_max));
    query
}

#[async_trait]
impl Store for Postgres {
    async fn find_level1(&self, key: Key) -> Result<Option<Record<Level1>>, StoreError> {
        of_key(LEVEL1, key).first(self.engine.pool()).await
    }

    async fn level1s(
        &self,
        seen: &Seen,
        filter: &Level1Filter,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Record<Level1>>, StoreError> {
        let select = Select::of(LEVEL1)
            .seen(seen)
            .and("l.name = ", filter.name.clone())
            .and("l.id = ", filter.id.map(|id| id.as_uuid()));
        after_place(select, after).read(self.engine.pool(), BY_NAME, first(rows_max)).await
    }

    async fn find_level2(&self, id: LevelRowId) -> Result<Option<Record<Level2>>, StoreError> {
        of_key(LEVEL2, Key::Id(id)).first(self.engine.pool()).await
    }

    async fn level2s(
        &self,
        seen: &Seen,
        filter: &Level2Filter,
        window: Window,
    ) -> Result<Counted<Record<Level2>>, StoreError> {
        let select = Select::of(LEVEL2)
            .seen(seen)
            .and("o.name = ", filter.level1_name.clone())
            .and("o.number = ", filter.level1_number)
            .and("l.created_at >= ", micros(filter.created_from))
            .and("l.created_at <= ", micros(filter.created_to))
            .and("l.status_id = ", filter.status.map(|id| id.as_uuid()));
        let select = match filter.status_short_name.clone() {
            Some(short_name) => select.with(move |query| {
                query.push("l.status_id IN (SELECT id FROM workflow_level_status WHERE short_name = ");
                query.push_bind(short_name.clone()).push(")");
            }),
            None => select,
        };
        self.counted(&select, BY_NAME, window).await
    }

    async fn find_level_type(&self, id: LevelRowId) -> Result<Option<Shared<LevelType>>, StoreError> {
        of_key(TYPE, Key::Id(id)).first(self.engine.pool()).await
    }

    async fn level_types(
        &self,
        organization: Option<OrganizationId>,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Shared<LevelType>>, StoreError> {
        let select = after_place(usable(TYPE, organization), after);
        select.read(self.engine.pool(), BY_NAME, first(rows_max)).await
    }

    async fn find_level_status(&self, id: LevelRowId) -> Result<Option<Shared<LevelStatus>>, StoreError> {
        of_key(STATUS, Key::Id(id)).first(self.engine.pool()).await
    }

    async fn level_statuses(
        &self,
        organization: Option<OrganizationId>,
        short_name: Option<&str>,
        window: Window,
    ) -> Result<Counted<Shared<LevelStatus>>, StoreError> {
        let select = usable(STATUS, organization).and("l.short_name = ", short_name.map(str::to_owned));
        self.counted(&select, BY_POSITION, window).await
    }

    async fn find_order(&self, key: Key) -> Result<Option<Record<Order>>, StoreError> {
        of_key(ORDER, key).first(self.engine.pool()).await
    }

    async fn orders(
        &self,
        seen: &Seen,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Vec<Record<Order>>, StoreError> {
        let select = Select::of(ORDER).seen(seen).and("l.number > ", after);
        select.read(self.engine.pool(), BY_NUMBER, first(rows_max)).await
    }

    async fn find_team_place(&self, key: Key) -> Result<Option<Record<TeamPlace>>, StoreError> {
        of_key(TEAM, key).first(self.engine.pool()).await
    }

    async fn team_places(
        &self,
        seen: &Seen,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Vec<Record<TeamPlace>>, StoreError> {
        let select = Select::of(TEAM).seen(seen).and("l.number > ", after);
        select.read(self.engine.pool(), BY_NUMBER, first(rows_max)).await
    }

    async fn levels_count(
        &self,
        kind: Kind,
        organization: Option<OrganizationId>,
    ) -> Result<u64, StoreError> {
        let mut query = QueryBuilder::new("SELECT count(*) AS count FROM ");
        query.push(table(kind)).push(" WHERE organization_id IS NOT DISTINCT FROM ");
        query.push_bind(organization.map(|id| id.as_uuid()));
        let row = ask(query.build().fetch_one(self.engine.pool())).await?;
        count(&row, "count").map_err(store_error)
    }

    async fn levels_of_groups(
        &self,
        organization: Option<OrganizationId>,
        groups: &[GroupId],
        rows_max: u32,
    ) -> Result<LevelsOfGroups, StoreError> {
        let mut level1s = of_groups(("number", "workflow_level1"), organization, groups, rows_max);
        let level1s: Vec<(Uuid, i64)> = ask(level1s.build_query_as().fetch_all(self.engine.pool())).await?;
        let mut level2s = of_groups(("id", "workflow_level2"), organization, groups, rows_max);
        let level2s: Vec<(Uuid, Uuid)> = ask(level2s.build_query_as().fetch_all(self.engine.pool())).await?;
        let of_group = GroupId::from_uuid;
        Ok(LevelsOfGroups {
            level1s: level1s.into_iter().map(|(group, number)| (of_group(group), number)).collect(),
            level2s: level2s
                .into_iter()
                .map(|(group, id)| (of_group(group), LevelRowId::from_uuid(id)))
                .collect(),
        })
    }
}

impl Postgres {
    async fn counted<T>(
        &self,
        select: &Select<T>,
        order: &str,
        window: Window,
    ) -> Result<Counted<T>, StoreError> {
        let count = select.count(self.engine.pool()).await?;
        Ok(Counted { rows: select.read(self.engine.pool(), order, window).await?, count })
    }
}

const fn first(rows_max: u32) -> Window {
    Window { offset: 0, rows_max }
}

fn of_key<T>(source: Source<T>, key: Key) -> Select<T> {
    match key {
        Key::Id(id) => Select::of(source).and("l.id = ", Some(id.as_uuid())),
        Key::Number(number) => Select::of(source).and("l.number = ", Some(number)),
    }
}

/// Those of an organization, and those that all may use.
fn usable<T>(source: Source<T>, organization: Option<OrganizationId>) -> Select<T> {
    match organization {
        Some(organization) => Select::of(source).with(move |query| {
            query.push("(l.organization_id IS NULL OR l.organization_id = ");
            query.push_bind(organization.as_uuid()).push(")");
        }),
        None => Select::of(source),
    }
}

fn after_place<T>(select: Select<T>, after: Option<&Place>) -> Select<T> {
    let Some(Place { name, number }) = after.cloned() else { return select };
    select.with(move |query| {
        query.push("(l.name COLLATE \"C\", l.number) > (").push_bind(name.clone());
        query.push(", ").push_bind(number).push(")");
    })
}
