//! Orders: how the levels 2 of a level 1 are arranged, as front ends keep it.

use buildly_model::{Action, LevelRowId, Place, Principal};
use serde_json::{Value, json};

use super::{
    Change, Input, Key, Kind, Levels, Listed, Order, OrderDetails, Over, Record, Row, Standing, again,
    listed, set,
};
use crate::Error;

/// What changes of an order, or what a new one is; `None` stays, or is as usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrderUpdate {
    /// Of which level 1; needed for a new one.
    pub level1: Option<Key>,
    /// The level 2 whose parts are arranged.
    pub parent: Option<Option<LevelRowId>>,
    /// A level 2, as the client says it.
    pub level2: Option<Option<LevelRowId>>,
    /// The arrangement, as the client keeps it.
    pub sort_array: Option<Value>,
}

impl Levels {
    /// The orders that the caller sees, after a number.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Forbidden`] if the caller belongs nowhere.
    pub async fn orders(
        &self,
        principal: &Principal,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Listed<Record<Order>>, Error> {
        let seen = self.standing(principal).await?.seen()?;
        let rows = self.store.orders(&seen, after, rows_max.saturating_add(1)).await?;
        Ok(listed(rows, rows_max, |last| Place { name: String::new(), number: last.number }))
    }

    /// An order.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if the caller may not look at its level 1.
    pub async fn order(&self, principal: &Principal, key: Key) -> Result<Record<Order>, Error> {
        let standing = self.standing(principal).await?;
        self.order_for(&standing, Action::Read, key).await
    }

    /// Makes an order.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may create things in its level 1;
    /// [`Error::Invalid`]; [`Error::Conflict`] if there are too many.
    pub async fn create_order(
        &self,
        principal: &Principal,
        update: &OrderUpdate,
    ) -> Result<Record<Order>, Error> {
        let standing = self.standing(principal).await?;
        let key = update.level1.ok_or_else(|| Error::field("workflowlevel1", "This field is required."))?;
        let level1 = self.over(&standing, key).await?;
        standing.require(Action::Create, level1.organization, &level1.value.groups)?;
        let details = OrderDetails { level2: None, sort_array: json!([]) };
        let mut order = Order { level1: Over::from(&level1), parent: None, details };
        apply(&mut order, update);
        self.check_order(&order).await?;
        self.require_room(Kind::Order, Some(level1.organization)).await?;
        let record = self.new_record(level1.organization, order);
        let (organization, id) = (record.organization, record.id);
        self.write(principal, (organization, id), Change::Created(Row::Order(record)), Value::Null).await?;
        self.read_order(Key::Id(id)).await
    }

    /// Changes an order.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_order(
        &self,
        principal: &Principal,
        key: Key,
        update: &OrderUpdate,
    ) -> Result<Record<Order>, Error> {
        again(|| async move {
            let standing = self.standing(principal).await?;
            let before = self.order_for(&standing, Action::Update, key).await?;
            let mut next = before.clone();
            if let Some(over) = update.level1 {
                let from = &before.value.level1;
                let place = (before.organization, from.id, from.groups.as_slice());
                next.value.level1 = self.carried(&standing, place, over).await?;
            }
            apply(&mut next.value, update);
            self.check_order(&next.value).await?;
            next.edited_at = self.now();
            let (organization, id) = (before.organization, before.id);
            self.write(principal, (organization, id), Change::Updated(Row::Order(next)), Value::Null).await?;
            self.read_order(Key::Id(id)).await
        })
        .await
    }

    /// Removes an order.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_order(&self, principal: &Principal, key: Key) -> Result<(), Error> {
        again(|| async move {
            let standing = self.standing(principal).await?;
            let order = self.order_for(&standing, Action::Delete, key).await?;
            let change = Change::Deleted { kind: Kind::Order, id: order.id, version: order.version };
            self.write(principal, (order.organization, order.id), change, Value::Null).await
        })
        .await
    }

    async fn order_for(&self, standing: &Standing, action: Action, key: Key) -> Result<Record<Order>, Error> {
        let order = self.read_order(key).await?;
        if standing.is_stranger(order.organization) {
            return Err(Error::not_found("order", key));
        }
        standing.require(action, order.organization, &order.value.level1.groups)?;
        Ok(order)
    }

    async fn read_order(&self, key: Key) -> Result<Record<Order>, Error> {
        self.store.find_order(key).await?.ok_or_else(|| Error::not_found("order", key))
    }

    async fn check_order(&self, order: &Order) -> Result<(), Error> {
        let mut input = Input::default();
        input.value("sort_array", &order.details.sort_array);
        if let Some(parent) = order.parent {
            let found = self.store.find_level2(parent).await?;
            if found.is_none_or(|found| found.value.level1.id != order.level1.id) {
                let message = format!("Invalid pk \"{parent}\" - there is no such level 2 in this level 1.");
                input.refuse("workflowlevel2_parent", message);
            }
        }
        input.done()
    }
}

fn apply(order: &mut Order, update: &OrderUpdate) {
    set(&mut order.parent, update.parent.as_ref());
    set(&mut order.details.level2, update.level2.as_ref());
    set(&mut order.details.sort_array, update.sort_array.as_ref());
}
