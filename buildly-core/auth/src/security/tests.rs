use std::sync::Arc;

use buildly_model::{Action, Identity, OrganizationId, Principal, ServiceId, UserId};
use uuid::Uuid;

use super::{Guards, Question, Security};
use crate::identity::{DeploymentRows, Member};
use crate::permission::{Decision, Reason, Resource};
use crate::{Snapshot, identity};

const USER: UserId = UserId::from_uuid(Uuid::from_u128(1));
const SERVICE: Resource = Resource::Service(ServiceId::from_uuid(Uuid::from_u128(2)));

/// Refuses to delete; `shout` stands for an extension that has another opinion.
struct NoDeletes(&'static str);

impl Security for NoDeletes {
    fn name(&self) -> &str {
        self.0
    }

    fn refusal(&self, question: &Question<'_>) -> Option<String> {
        (question.action == Action::Delete).then(|| "nothing is deleted here".to_owned())
    }
}

/// Would allow everything, if it could.
struct Generous;

impl Security for Generous {
    fn name(&self) -> &str {
        "generous"
    }
}

/// A superuser of no organization, under these extensions.
fn snapshot(is_active: bool, extensions: Vec<Arc<dyn Security>>) -> Snapshot {
    let member = Member {
        user: USER,
        number: 1,
        organization: None,
        username: "root".to_owned(),
        is_active,
        is_superuser: true,
        credential_version: 1,
        groups: Vec::new(),
    };
    let rows = DeploymentRows { members: vec![member], ..DeploymentRows::default() };
    Snapshot {
        identity: identity::Snapshot::of_deployment(rows),
        guards: Guards::new(extensions),
        ..Snapshot::default()
    }
}

fn root() -> Principal {
    Principal { identity: Identity::User(USER), ..Principal::ANONYMOUS }
}

#[test]
fn a_yes_becomes_a_no_with_the_reason_and_the_name_of_who_refused() {
    let snapshot = snapshot(true, vec![Arc::new(Generous), Arc::new(NoDeletes("keeper"))]);
    let decision = snapshot.check(&root(), Action::Delete, SERVICE);
    let expected = Reason::Refused { by: "keeper".into(), refusal: "nothing is deleted here".into() };
    assert_eq!(decision, Decision::Deny(expected));
    assert_eq!(decision.reason().to_string(), "nothing is deleted here (`keeper`)");
    assert_eq!(snapshot.check(&root(), Action::Read, SERVICE), Decision::Allow(Reason::Superuser));
}

#[test]
fn a_no_stays_a_no_whatever_extensions_are_there() {
    let snapshot = snapshot(false, vec![Arc::new(Generous)]);
    for (case, principal, expected) in [
        ("switched off", root(), Reason::Inactive),
        ("nobody", Principal::ANONYMOUS, Reason::NotSignedIn),
        (
            "somebody unknown",
            Principal {
                identity: Identity::User(UserId::from_uuid(Uuid::from_u128(9))),
                organization: Some(OrganizationId::from_uuid(Uuid::from_u128(3))),
                ..Principal::ANONYMOUS
            },
            Reason::UnknownUser,
        ),
    ] {
        assert_eq!(snapshot.check(&principal, Action::Read, SERVICE), Decision::Deny(expected), "{case}");
    }
}

#[test]
fn who_administers_the_deployment_is_asked_about_too() {
    struct NoAdministrators;
    impl Security for NoAdministrators {
        fn name(&self) -> &str {
            "quiet"
        }

        fn refusal(&self, question: &Question<'_>) -> Option<String> {
            (question.resource == Resource::Deployment).then(|| "not today".to_owned())
        }
    }
    assert!(snapshot(true, Vec::new()).is_global_admin(&root()));
    assert!(!snapshot(true, vec![Arc::new(NoAdministrators)]).is_global_admin(&root()));
}

#[test]
fn overviews_of_rights_agree_with_the_check() {
    let snapshot = snapshot(true, vec![Arc::new(NoDeletes("keeper"))]);
    let what = snapshot.what_can(&root());
    for action in Action::ALL {
        assert_eq!(what.elsewhere.contains(action), action != Action::Delete, "{action}");
    }
    let why = snapshot.explain(&root(), Action::Delete, SERVICE);
    assert!(!why.decision.is_allowed());
}
