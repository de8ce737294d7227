use std::collections::{BTreeMap, BTreeSet};

use buildly_model::{Actions, GroupId, OrganizationId, Timestamp, UserId};
use proptest::prelude::*;
use uuid::Uuid;

use super::Admins;
use crate::identity::{AdminMembership, Group};

fn group_id(number: u8) -> GroupId {
    GroupId::from_uuid(Uuid::from_u128(u128::from(number) + 1))
}

fn user_id(number: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(u128::from(number) + 1))
}

fn group(number: u8, bits: u8) -> Group {
    Group {
        id: group_id(number),
        number: i64::from(number),
        organization: Some(OrganizationId::from_uuid(Uuid::from_u128(1))),
        name: number.to_string(),
        is_global: false,
        is_organization_level: true,
        is_default: false,
        permissions: Actions::from_bits(bits),
        version: 1,
        created_at: Timestamp::EPOCH,
        edited_at: Timestamp::EPOCH,
    }
}

/// An organization kept naively: who is in which group, and what each group may do.
#[derive(Debug, Clone, Default)]
struct Naive {
    groups: BTreeMap<u8, u8>,
    users: BTreeMap<u8, BTreeSet<u8>>,
}

impl Naive {
    fn admins(&self) -> Admins {
        let groups: Vec<Group> = self.groups.iter().map(|(number, bits)| group(*number, *bits)).collect();
        let memberships: Vec<AdminMembership> = self
            .users
            .iter()
            .flat_map(|(user, held)| held.iter().map(move |group| (*user, *group)))
            .filter(|(_, group)| self.groups.get(group) == Some(&15))
            .map(|(user, group)| AdminMembership { group: group_id(group), user: user_id(user) })
            .collect();
        Admins::new(0, &groups, &memberships)
    }

    fn admin_groups(&self) -> usize {
        self.groups.values().filter(|bits| **bits == 15).count()
    }

    fn administrators(&self) -> usize {
        let is_admin = |held: &&BTreeSet<u8>| held.iter().any(|group| self.groups.get(group) == Some(&15));
        self.users.values().filter(is_admin).count()
    }
}

#[derive(Debug, Clone)]
enum Step {
    DeleteGroup(u8),
    LowerGroup(u8),
    SetGroups(u8, BTreeSet<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..4).prop_map(Step::DeleteGroup),
        (0_u8..4).prop_map(Step::LowerGroup),
        (0_u8..4, proptest::collection::btree_set(0_u8..4, 0..4))
            .prop_map(|(user, groups)| Step::SetGroups(user, groups)),
    ]
}

proptest! {
    #[test]
    fn an_organization_never_loses_its_last_administrator_or_admin_group(
        bits in proptest::collection::vec(prop_oneof![Just(15_u8), 0_u8..16], 4),
        users in proptest::collection::vec(proptest::collection::btree_set(0_u8..4, 0..4), 4),
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        let mut state = Naive {
            groups: (0..4).zip(bits).collect(),
            users: (0..4).zip(users).collect(),
        };
        for step in steps {
            let before = state.admins();
            let mut next = state.clone();
            let after = match &step {
                Step::DeleteGroup(number) => {
                    next.groups.remove(number);
                    next.users.values_mut().for_each(|held| { held.remove(number); });
                    before.without_group(group_id(*number))
                }
                Step::LowerGroup(number) => {
                    if let Some(bits) = next.groups.get_mut(number) { *bits = 4; }
                    before.without_group(group_id(*number))
                }
                Step::SetGroups(user, held) => {
                    let held: BTreeSet<u8> =
                        held.iter().copied().filter(|group| next.groups.contains_key(group)).collect();
                    let ids: Vec<GroupId> = held.iter().map(|group| group_id(*group)).collect();
                    next.users.insert(*user, held);
                    before.with_user(user_id(*user), &ids)
                }
            };
            let loses = (state.admin_groups() > 0 && next.admin_groups() == 0)
                || (state.administrators() > 0 && next.administrators() == 0);
            prop_assert_eq!(before.allow(&after).is_err(), loses, "{:?}", step);
            if !loses {
                prop_assert_eq!(&after, &next.admins());
                state = next;
            }
        }
    }
}
