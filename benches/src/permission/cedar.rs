//! The package `cedar-policy`: entities and requests are made beforehand, so that only the
//! decision is measured.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
};

use super::Judge;
use crate::Failure;
use crate::seed::{Question, Shape};

/// As casbin's policy: one line a role, `permit(principal in Role::"role7", …)`.
pub struct PolicyARoleCedar(Cedar);

/// As Cedar's guide has roles: one policy for all, and each resource says who reads it.
pub struct OnePolicyCedar(Cedar);

struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    asked: Vec<(Request, Decision)>,
}

impl PolicyARoleCedar {
    /// What is measured.
    pub const NAME: &str = "cedar-policy 4.14, a policy a role";

    /// Ready for questions.
    ///
    /// # Errors
    /// If Cedar refuses the policies, entities or requests.
    pub fn new(shape: Shape, questions: &[Question]) -> Result<Self, Failure> {
        use std::fmt::Write as _;
        let mut text = String::new();
        for role in 0..shape.roles() {
            let resource = shape.resource_of(role);
            // A text takes whatever is written to it.
            let _ = writeln!(
                text,
                "permit(principal in Role::\"{role}\", action == Action::\"read\", \
                 resource == Resource::\"{resource}\");"
            );
        }
        Cedar::new(&text, shape, questions).map(Self)
    }
}

impl OnePolicyCedar {
    /// What is measured.
    pub const NAME: &str = "cedar-policy 4.14, one policy, readers in the resource";

    /// Ready for questions.
    ///
    /// # Errors
    /// If Cedar refuses the policy, entities or requests.
    pub fn new(shape: Shape, questions: &[Question]) -> Result<Self, Failure> {
        let text = "permit(principal, action == Action::\"read\", resource) \
                    when { principal in resource.readers };";
        Cedar::new(text, shape, questions).map(Self)
    }
}

impl Judge for PolicyARoleCedar {
    fn is_right(&self, question: usize) -> bool {
        self.0.is_right(question)
    }
}

impl Judge for OnePolicyCedar {
    fn is_right(&self, question: usize) -> bool {
        self.0.is_right(question)
    }
}

impl Cedar {
    fn new(policies: &str, shape: Shape, questions: &[Question]) -> Result<Self, Failure> {
        let mut entities = Vec::new();
        for role in 0..shape.roles() {
            entities.push(Entity::new_no_attrs(uid("Role", role)?, HashSet::new()));
        }
        for user in 0..shape.users {
            let parents = HashSet::from([uid("Role", shape.role_of(user))?]);
            entities.push(Entity::new_no_attrs(uid("User", user)?, parents));
        }
        let mut readers: HashMap<u32, Vec<RestrictedExpression>> = HashMap::new();
        for role in 0..shape.roles() {
            let role_uid = RestrictedExpression::new_entity_uid(uid("Role", role)?);
            readers.entry(shape.resource_of(role)).or_default().push(role_uid);
        }
        for (resource, readers) in readers {
            let attributes = HashMap::from([("readers".to_owned(), RestrictedExpression::new_set(readers))]);
            let entity = Entity::new(uid("Resource", resource)?, attributes, HashSet::new());
            entities.push(entity.map_err(Failure::http)?);
        }
        let mut asked = Vec::new();
        for question in questions {
            let request = Request::new(
                uid("User", question.user)?,
                EntityUid::from_str("Action::\"read\"").map_err(Failure::http)?,
                uid("Resource", question.resource)?,
                Context::empty(),
                None,
            );
            let expected = if question.is_allowed { Decision::Allow } else { Decision::Deny };
            asked.push((request.map_err(Failure::http)?, expected));
        }
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(policies).map_err(Failure::http)?,
            entities: Entities::from_entities(entities, None).map_err(Failure::http)?,
            asked,
        })
    }

    fn is_right(&self, question: usize) -> bool {
        self.asked.get(question).is_some_and(|(request, expected)| {
            self.authorizer.is_authorized(request, &self.policies, &self.entities).decision() == *expected
        })
    }
}

fn uid(kind: &str, number: u32) -> Result<EntityUid, Failure> {
    EntityUid::from_str(&format!("{kind}::\"{number}\"")).map_err(Failure::http)
}
