use std::collections::{BTreeMap, BTreeSet};

use buildly_model::{
    Action, Actions, GroupId, Identity, OrganizationId, Principal, ServiceId, Timestamp, UserId,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Decision, Reason, Resource};
use crate::identity::{
    Attachment, DeploymentRows, Group, Member, Organization, OrganizationDetails, OrganizationRows, Snapshot,
};

const ORGANIZATIONS: u8 = 2;
const GROUPS: u8 = 70;
const SERVICES: u8 = 3;
const USERS: u8 = 6;

fn id(kind: u8, number: u8) -> Uuid {
    Uuid::from_u128((u128::from(kind) << 96) | (u128::from(number) + 1))
}

fn organization(number: u8) -> OrganizationId {
    OrganizationId::from_uuid(id(1, number))
}

fn group_id(number: u8) -> GroupId {
    GroupId::from_uuid(id(2, number))
}

fn service(number: u8) -> ServiceId {
    ServiceId::from_uuid(id(3, number))
}

fn user_id(number: u8) -> UserId {
    UserId::from_uuid(id(4, number))
}

/// A deployment as plain lists.
#[derive(Debug, Clone)]
struct Plain {
    groups: Vec<Group>,
    attached: BTreeMap<u8, BTreeSet<u8>>,
    users: Vec<Member>,
}

/// The rules, read aloud: no index, no bitmap.
fn naive(plain: &Plain, user: &Member, action: Action, resource: Resource) -> bool {
    let held: Vec<&Group> = plain.groups.iter().filter(|group| user.groups.contains(&group.id)).collect();
    let own_level = |group: &&&Group| {
        group.organization.is_some()
            && group.organization == user.organization
            && group.is_organization_level
            && !group.is_global
    };
    let global = |group: &&&Group| group.organization.is_none() && group.is_global;
    if !user.is_active {
        return false;
    }
    let is_global_admin =
        user.is_superuser || held.iter().any(|group| global(&group) && group.permissions == Actions::ALL);
    match resource {
        Resource::Deployment => user.is_superuser,
        Resource::Organization(organization) => {
            is_global_admin
                || (user.organization == Some(organization)
                    && held.iter().any(|group| {
                        (own_level(&group) || global(&group)) && group.permissions.contains(action)
                    }))
        }
        Resource::Administration(organization) => {
            is_global_admin
                || (user.organization == Some(organization)
                    && held.iter().any(|group| own_level(&group) && group.permissions == Actions::ALL))
        }
        Resource::Service(wanted) => {
            let number = (0..SERVICES).find(|number| service(*number) == wanted).unwrap();
            let attached = plain.attached.get(&number).cloned().unwrap_or_default();
            user.is_superuser
                || attached.is_empty()
                || held.iter().any(|group| {
                    attached.iter().any(|number| group_id(*number) == group.id)
                        && (own_level(&group) || global(&group))
                        && group.permissions.contains(action)
                })
        }
    }
}

fn snapshot(plain: &Plain) -> Snapshot {
    let of = |organization: Option<OrganizationId>| -> Vec<Group> {
        plain.groups.iter().filter(|group| group.organization == organization).cloned().collect()
    };
    let members = |organization: Option<OrganizationId>| -> Vec<Member> {
        plain.users.iter().filter(|user| user.organization == organization).cloned().collect()
    };
    let attachments = plain.attached.iter().flat_map(|(number, groups)| {
        groups.iter().map(|group| Attachment {
            service: service(*number),
            group: group_id(*group),
            organization: plain.groups[usize::from(*group)].organization,
        })
    });
    let rows =
        DeploymentRows { groups: of(None), attachments: attachments.collect(), members: members(None) };
    let mut snapshot = Snapshot::of_deployment(rows);
    for number in 0..ORGANIZATIONS {
        let id = organization(number);
        snapshot.put_organization(OrganizationRows {
            organization: Organization {
                id,
                name: number.to_string(),
                details: OrganizationDetails::default(),
                version: 1,
                created_at: Timestamp::EPOCH,
                edited_at: Timestamp::EPOCH,
            },
            groups: of(Some(id)),
            members: members(Some(id)),
        });
    }
    snapshot
}

fn group(number: u8) -> impl Strategy<Value = Group> {
    let bits = prop_oneof![Just(15_u8), Just(4_u8), 0_u8..16];
    (bits, proptest::option::weighted(0.8, 0..ORGANIZATIONS), any::<bool>(), any::<bool>()).prop_map(
        move |(bits, owner, is_organization_level, is_global)| Group {
            id: group_id(number),
            number: i64::from(number) + 1,
            organization: owner.map(organization),
            name: format!("group {number}"),
            is_global: is_global && owner.is_none(),
            is_organization_level,
            is_default: false,
            permissions: Actions::from_bits(bits),
            version: 1,
            created_at: Timestamp::EPOCH,
            edited_at: Timestamp::EPOCH,
        },
    )
}

fn plain() -> impl Strategy<Value = Plain> {
    let groups: Vec<_> = (0..GROUPS).map(group).collect();
    let attached =
        proptest::collection::btree_map(0..SERVICES, proptest::collection::btree_set(0..GROUPS, 0..8), 0..3);
    let users = proptest::collection::vec(
        (
            proptest::option::weighted(0.9, 0..ORGANIZATIONS),
            proptest::collection::btree_set(0..GROUPS, 0..8),
            proptest::bool::weighted(0.9),
            proptest::bool::weighted(0.1),
        ),
        usize::from(USERS),
    );
    (groups, attached, users).prop_map(|(groups, attached, users)| Plain {
        users: (0..)
            .zip(users)
            .map(|(number, (owner, held, is_active, is_superuser)): (u8, _)| Member {
                user: user_id(number),
                number: number.into(),
                organization: owner.map(organization),
                username: format!("user {number}"),
                is_active,
                is_superuser,
                credential_version: 1,
                groups: held.into_iter().map(group_id).collect(),
            })
            .collect(),
        attached: attached.into_iter().filter(|(_, groups)| !groups.is_empty()).collect(),
        groups,
    })
}

fn principal(user: &Member) -> Principal {
    Principal { identity: Identity::User(user.user), organization: user.organization, ..Principal::ANONYMOUS }
}

fn resources() -> Vec<Resource> {
    let services = (0..SERVICES).map(|number| Resource::Service(service(number)));
    let organizations = (0..ORGANIZATIONS).flat_map(|number| {
        [Resource::Organization(organization(number)), Resource::Administration(organization(number))]
    });
    services.chain(organizations).chain([Resource::Deployment]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_check_agrees_with_the_rules_read_aloud(plain in plain()) {
        let snapshot = snapshot(&plain);
        for user in &plain.users {
            let principal = principal(user);
            for resource in resources() {
                for action in Action::ALL {
                    let decision = snapshot.check(&principal, action, resource);
                    let expected = naive(&plain, user, action, resource);
                    prop_assert_eq!(decision.is_allowed(), expected, "{:?} {} {:?}", user, action, resource);
                    prop_assert_eq!(snapshot.explain(&principal, action, resource).decision, decision);
                }
            }
        }
    }

    #[test]
    fn who_can_and_what_can_say_what_the_check_says(plain in plain()) {
        let snapshot = snapshot(&plain);
        for number in 0..SERVICES {
            for action in Action::ALL {
                let resource = Resource::Service(service(number));
                for owner in 0..ORGANIZATIONS {
                    let may: Vec<UserId> = plain
                        .users
                        .iter()
                        .filter(|user| user.organization == Some(organization(owner)))
                        .filter(|user| snapshot.check(&principal(user), action, resource).is_allowed())
                        .map(|user| user.user)
                        .collect();
                    prop_assert_eq!(snapshot.who_can(organization(owner), service(number), action).users, may);
                }
            }
        }
        let whole = crate::Snapshot { identity: snapshot.clone(), ..crate::Snapshot::default() };
        for user in &plain.users {
            let what = whole.what_can(&principal(user));
            for number in 0..SERVICES {
                let listed = what.services.iter().find(|(listed, _)| *listed == service(number));
                let actions = listed.map_or(what.elsewhere, |(_, actions)| *actions);
                for action in Action::ALL {
                    let resource = Resource::Service(service(number));
                    let decision = snapshot.check(&principal(user), action, resource);
                    prop_assert_eq!(actions.contains(action), decision.is_allowed());
                }
            }
        }
    }

    #[test]
    fn a_script_with_the_same_groups_may_what_a_user_may(plain in plain()) {
        let snapshot = snapshot(&plain);
        for user in plain.users.iter().filter(|user| user.is_active && !user.is_superuser) {
            for resource in resources() {
                for action in Action::ALL {
                    let as_script =
                        snapshot.check_groups(user.organization, &user.groups, action, resource);
                    prop_assert_eq!(as_script, snapshot.check(&principal(user), action, resource));
                }
            }
        }
    }
}

#[test]
fn a_decision_names_its_group_or_rule() {
    let mut groups = Vec::new();
    for (number, bits, name) in [(0, 4, "Users"), (1, 14, "Editors"), (2, 15, "Admins")] {
        groups.push(Group {
            id: group_id(number),
            number: i64::from(number) + 1,
            organization: Some(organization(0)),
            name: name.to_owned(),
            is_global: false,
            is_organization_level: true,
            is_default: false,
            permissions: Actions::from_bits(bits),
            version: 1,
            created_at: Timestamp::EPOCH,
            edited_at: Timestamp::EPOCH,
        });
    }
    let member = |number: u8, held: &[u8]| Member {
        user: user_id(number),
        number: number.into(),
        organization: Some(organization(0)),
        username: number.to_string(),
        is_active: number != 3,
        is_superuser: number == 4,
        credential_version: 1,
        groups: held.iter().map(|group| group_id(*group)).collect(),
    };
    let users = vec![member(0, &[0]), member(1, &[1]), member(2, &[]), member(3, &[2]), member(4, &[])];
    let plain = Plain { groups, attached: [(0, [0, 1].into())].into(), users };
    let snapshot = snapshot(&plain);
    let crm = Resource::Service(service(0));
    for (user, action, resource, allowed, sentence) in [
        (0, Action::Read, crm, true, "group `Users` allows to read"),
        (
            0,
            Action::Create,
            crm,
            false,
            "group `Users` allows read only, and no other group of yours that is attached to the service \
             allows to create",
        ),
        (1, Action::Create, crm, true, "group `Editors` allows to create"),
        (
            2,
            Action::Read,
            crm,
            false,
            "you are in none of the groups that are attached to the service, so none allows to read",
        ),
        (
            2,
            Action::Delete,
            Resource::Service(service(1)),
            true,
            "no group is attached to the service, so every signed-in user may use it",
        ),
        (3, Action::Read, crm, false, "the account is not active: an administrator has to approve it"),
        (4, Action::Delete, crm, true, "superusers may do everything"),
        (
            1,
            Action::Delete,
            Resource::Organization(organization(0)),
            false,
            "none of your groups allows to delete",
        ),
        (
            1,
            Action::Update,
            Resource::Organization(organization(1)),
            false,
            "it belongs to another organization",
        ),
        (
            1,
            Action::Update,
            Resource::Administration(organization(0)),
            false,
            "only administrators of the organization may",
        ),
        (1, Action::Update, Resource::Deployment, false, "only superusers may"),
    ] {
        let decision = snapshot.check(&principal(&plain.users[user]), action, resource);
        assert_eq!((decision.is_allowed(), decision.reason().to_string().as_str()), (allowed, sentence));
    }
    let nobody = snapshot.check(&Principal::ANONYMOUS, Action::Read, crm);
    assert_eq!(nobody, Decision::Deny(Reason::NotSignedIn));
    let moved = Principal { organization: Some(organization(1)), ..principal(&plain.users[0]) };
    assert_eq!(snapshot.check(&moved, Action::Read, crm), Decision::Deny(Reason::MovedAway));
    let considered = snapshot.explain(&principal(&plain.users[0]), Action::Create, crm).considered;
    let facts: Vec<(&str, bool, bool)> = considered
        .iter()
        .map(|considered| (considered.group.name.as_str(), considered.is_member, considered.allows))
        .collect();
    assert_eq!(facts, [("Users", true, false), ("Editors", false, true)]);
}
