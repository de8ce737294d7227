//! The gate of one service: a door for all, and before it a door for each caller.
//!
//! A caller has a part of the places only, so that one who is slow, or asks for very much, takes
//! the service from nobody else. Whoever waits at a door of its own is not before the common one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use buildly_gateway::traffic::concurrency::Policy;
use buildly_model::Identity;

use crate::door::{Busy, Door, DoorPermit, DoorStream};

/// The doors of one service.
pub(crate) struct Gate {
    all: Door,
    callers: Arc<Callers>,
}

/// The doors of the callers who are inside or wait, and how many hold each.
#[derive(Default)]
struct Callers(Mutex<HashMap<Identity, (Arc<Door>, usize)>>);

/// One call's place inside: only ever dropped, in this order.
pub(crate) struct Permit {
    _all: DoorPermit,
    _own: DoorPermit,
    _door: CallerDoor,
}

/// One long stream's place: only ever dropped, in this order.
pub(crate) struct StreamPlace {
    _all: DoorStream,
    _own: DoorStream,
    _door: CallerDoor,
}

/// A caller's door while somebody needs it.
struct CallerDoor {
    door: Arc<Door>,
    caller: Identity,
    callers: Arc<Callers>,
}

impl Gate {
    pub(crate) fn new(in_flight_max: u32) -> Self {
        Self { all: Door::new(in_flight_max), callers: Arc::default() }
    }

    /// Makes it larger at once, or smaller as calls end.
    pub(crate) fn resize(&self, to: u32) {
        self.all.resize(to);
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Busy`] at once if too many wait already, of this caller or of all, or after the longest
    /// wait.
    pub(crate) async fn enter(&self, caller: Identity, policy: &Policy) -> Result<Permit, Busy> {
        let (door, own_policy) = self.door_of(caller, policy);
        let own = door.door.enter(&own_policy).await?;
        let all = self.all.enter(policy).await?;
        Ok(Permit { _all: all, _own: own, _door: door })
    }

    /// A place for a long stream, beside the calls.
    pub(crate) fn enter_stream(&self, caller: Identity, policy: &Policy) -> Result<StreamPlace, Busy> {
        let (door, own_policy) = self.door_of(caller, policy);
        let own = door.door.enter_stream(&own_policy)?;
        let all = self.all.enter_stream(policy)?;
        Ok(StreamPlace { _all: all, _own: own, _door: door })
    }

    /// Calls under way, and waiting ones.
    pub(crate) fn load(&self) -> (u32, u32) {
        let (in_flight, waiting) = self.all.load();
        let at_own_doors: u32 = lock(&self.callers.0).values().map(|(door, _)| door.load().1).sum();
        (in_flight, waiting + at_own_doors)
    }

    fn door_of(&self, caller: Identity, policy: &Policy) -> (CallerDoor, Policy) {
        let own_policy = policy.of_one_caller();
        let mut doors = lock(&self.callers.0);
        let (door, holders) =
            doors.entry(caller).or_insert_with(|| (Arc::new(Door::new(own_policy.in_flight_max)), 0));
        *holders += 1;
        let door = Arc::clone(door);
        drop(doors);
        door.resize(own_policy.in_flight_max);
        (CallerDoor { door, caller, callers: Arc::clone(&self.callers) }, own_policy)
    }
}

impl Drop for CallerDoor {
    fn drop(&mut self) {
        let mut doors = lock(&self.callers.0);
        if let Some((_, holders)) = doors.get_mut(&self.caller) {
            *holders -= 1;
            if *holders == 0 {
                doors.remove(&self.caller);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use buildly_model::UserId;
    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> Identity {
        Identity::User(UserId::from_uuid(Uuid::from_u128(number)))
    }

    fn policy(in_flight_max: u32, queue_length_max: u32) -> Policy {
        let policy = buildly_gateway::Policy { in_flight_max, queue_length_max, ..Default::default() };
        (&policy).into()
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_takes_a_quarter_and_leaves_the_rest_to_others() {
        let (gate, policy) = (Gate::new(8), policy(8, 4));
        let mut inside = Vec::new();
        for _ in 0..2 {
            inside.push(gate.enter(user(1), &policy).await.unwrap_or_else(|_| panic!("a quarter of 8")));
        }
        let third = gate.enter(user(1), &policy);
        let others = async {
            assert_eq!(gate.load(), (2, 1), "the third waits at its own door");
            assert!(gate.enter(user(1), &policy).await.is_err(), "a quarter of the queue is one");
            for number in 2..5 {
                for _ in 0..2 {
                    inside.push(gate.enter(user(number), &policy).await.unwrap_or_else(|_| panic!("free")));
                }
            }
            assert_eq!(gate.load(), (8, 1));
        };
        let (third, ()) = tokio::join!(third, others);
        assert!(third.is_err(), "its own places stayed taken");
        drop(inside);
        assert_eq!(gate.load(), (0, 0));
        assert!(lock(&gate.callers.0).is_empty(), "nobody is remembered who is not there");
    }

    #[test]
    fn one_caller_has_a_quarter_of_the_streams() {
        let gate = Gate::new(1);
        let policy = Policy { streams_max: 8, ..policy(1, 0) };
        let own: Vec<_> = (0..3).map(|_| gate.enter_stream(user(1), &policy)).collect();
        assert_eq!(own.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
        assert!(gate.enter_stream(user(2), &policy).is_ok());
    }
}
