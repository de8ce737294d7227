//! Who may do what.

use buildly_model::{Action, Actions, GroupId, OrganizationId};

use super::{Seen, Standing, Through};

const ACME: OrganizationId = id(1);
const GLOBEX: OrganizationId = id(2);
const READERS: GroupId = GroupId::from_uuid(uuid::Uuid::from_u128(11));
const EDITORS: GroupId = GroupId::from_uuid(uuid::Uuid::from_u128(12));
const STRANGERS: GroupId = GroupId::from_uuid(uuid::Uuid::from_u128(13));

const fn id(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(uuid::Uuid::from_u128(number))
}

fn editing() -> Actions {
    Actions::NONE.with(Action::Create).with(Action::Update)
}

/// In both groups; as a whole, the organization lets read.
fn member() -> Standing {
    Standing {
        organization: Some(ACME),
        user: None,
        is_global_admin: false,
        is_admin: false,
        own: Actions::READ,
        groups: vec![(READERS, Actions::READ), (EDITORS, editing())],
    }
}

#[test]
fn only_attached_groups_count_where_there_are_any() {
    let admin = || Standing { is_admin: true, ..member() };
    let global = || Standing { organization: Some(GLOBEX), is_global_admin: true, ..member() };
    let nowhere = || Standing { organization: None, ..member() };
    for (case, standing, attached, expected) in [
        ("none attached", member(), vec![], Actions::READ),
        ("one of mine", member(), vec![EDITORS], editing()),
        ("both of mine", member(), vec![READERS, EDITORS], editing().with(Action::Read)),
        ("none of mine", member(), vec![STRANGERS], Actions::NONE),
        ("mine among others", member(), vec![STRANGERS, READERS], Actions::READ),
        ("an administrator", admin(), vec![STRANGERS], Actions::ALL),
        (
            "of another organization",
            Standing { organization: Some(GLOBEX), ..admin() },
            vec![],
            Actions::NONE,
        ),
        ("of the deployment", global(), vec![STRANGERS], Actions::ALL),
        ("of no organization", nowhere(), vec![READERS], Actions::NONE),
    ] {
        assert_eq!(standing.actions(ACME, &attached), expected, "{case}");
    }
}

#[test]
fn nobody_attaches_more_than_they_have() {
    let everything = Actions::ALL;
    for (case, is_admin, attached, next, expected) in [
        ("what I have", false, vec![EDITORS], vec![editing()], true),
        ("less", false, vec![READERS, EDITORS], vec![Actions::READ], true),
        ("more", false, vec![EDITORS], vec![everything], false),
        ("more beside less", false, vec![EDITORS], vec![editing(), everything], false),
        ("nothing, so that the organization's count", false, vec![EDITORS], vec![], false),
        ("more, as an administrator", true, vec![EDITORS], vec![everything], true),
        ("nothing, as an administrator", true, vec![EDITORS], vec![], true),
    ] {
        let standing = Standing { is_admin, ..member() };
        assert_eq!(standing.may_attach(ACME, &attached, &next), expected, "{case}");
    }
    let elsewhere = Standing { organization: Some(GLOBEX), is_admin: true, ..member() };
    assert!(!elsewhere.may_attach(ACME, &[], &[]));
}

#[test]
fn lists_show_what_may_be_read() {
    let through = |unattached, groups| Some(Through { unattached, groups });
    let seen = |organization, through| Seen { organization, through };
    for (case, standing, expected) in [
        ("a member", member(), seen(Some(ACME), through(true, vec![READERS]))),
        (
            "who reads by a group only",
            Standing { own: Actions::NONE, ..member() },
            seen(Some(ACME), through(false, vec![READERS])),
        ),
        ("an administrator", Standing { is_admin: true, ..member() }, seen(Some(ACME), None)),
        ("of the deployment", Standing { is_global_admin: true, ..member() }, seen(None, None)),
    ] {
        assert_eq!(standing.seen().expect("belongs somewhere"), expected, "{case}");
    }
    assert!(Standing { organization: None, ..member() }.seen().is_err());
}

#[test]
fn administrators_keep_their_own_types_and_statuses() {
    let admin = Standing { is_admin: true, ..member() };
    let global = Standing { is_global_admin: true, ..member() };
    for (case, standing, owner, expected) in [
        ("a member", member(), Some(ACME), false),
        ("an administrator", admin.clone(), Some(ACME), true),
        ("another's", admin.clone(), Some(GLOBEX), false),
        ("those of all", admin, None, false),
        ("those of all, of the deployment", global.clone(), None, true),
        ("another's, of the deployment", global, Some(GLOBEX), true),
    ] {
        assert_eq!(standing.require_admin(owner).is_ok(), expected, "{case}");
    }
}
