//! The package `casbin`, with the model and policy of its public benchmarks (`rbac_model.conf`),
//! in three forms.

use casbin::{
    CachedApi as _, CachedEnforcer, CoreApi as _, DefaultCache, DefaultModel, Enforcer, MgmtApi as _,
    StringAdapter,
};

use super::Judge;
use crate::Failure;
use crate::seed::{Question, Shape};

const MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
";

/// `enforce` as it comes: every line of the policy is evaluated until one allows.
pub struct PlainCasbin {
    enforcer: Enforcer,
    asked: Vec<Asked>,
}

/// `CachedEnforcer`, all of whose answers are in its cache: it gives what it said before.
pub struct CachedCasbin {
    enforcer: CachedEnforcer,
    asked: Vec<Asked>,
}

/// By casbin's own indexes, without its evaluator: the roles of the user from its role manager,
/// then `has_policy` for each. It can say nothing but what is written as (role, resource, action).
pub struct IndexedCasbin {
    enforcer: Enforcer,
    asked: Vec<Asked>,
}

struct Asked {
    user: String,
    resource: String,
    expected: bool,
}

const ACTION: &str = "read";

impl PlainCasbin {
    /// What is measured.
    pub const NAME: &str = "casbin 2.20, enforce";

    /// Ready for questions.
    ///
    /// # Errors
    /// If casbin refuses model or policy.
    pub async fn new(shape: Shape, questions: &[Question]) -> Result<Self, Failure> {
        Ok(Self { enforcer: enforcer(shape).await?, asked: asked(questions) })
    }
}

impl Judge for PlainCasbin {
    fn is_right(&self, question: usize) -> bool {
        self.asked.get(question).is_some_and(|asked| {
            let answer = self.enforcer.enforce((asked.user.as_str(), asked.resource.as_str(), ACTION));
            answer.is_ok_and(|answer| answer == asked.expected)
        })
    }
}

impl CachedCasbin {
    /// What is measured.
    pub const NAME: &str = "casbin 2.20, CachedEnforcer, 200 questions, all cached";

    /// Ready for questions.
    ///
    /// # Errors
    /// If casbin refuses model or policy.
    pub async fn new(shape: Shape, questions: &[Question]) -> Result<Self, Failure> {
        let model = DefaultModel::from_str(MODEL).await.map_err(Failure::http)?;
        let mut enforcer =
            CachedEnforcer::new(model, StringAdapter::new(policy(shape))).await.map_err(Failure::http)?;
        // It begins with room for 200.
        enforcer.set_cache(Box::new(DefaultCache::new(questions.len() * 2)));
        Ok(Self { enforcer, asked: asked(questions) })
    }
}

impl Judge for CachedCasbin {
    fn is_right(&self, question: usize) -> bool {
        self.asked.get(question).is_some_and(|asked| {
            let answer = self.enforcer.enforce((asked.user.as_str(), asked.resource.as_str(), ACTION));
            answer.is_ok_and(|answer| answer == asked.expected)
        })
    }
}

impl IndexedCasbin {
    /// What is measured.
    pub const NAME: &str = "casbin 2.20, its role manager and has_policy";

    /// Ready for questions.
    ///
    /// # Errors
    /// If casbin refuses model or policy.
    pub async fn new(shape: Shape, questions: &[Question]) -> Result<Self, Failure> {
        Ok(Self { enforcer: enforcer(shape).await?, asked: asked(questions) })
    }
}

impl Judge for IndexedCasbin {
    fn is_right(&self, question: usize) -> bool {
        self.asked.get(question).is_some_and(|asked| {
            let roles = self.enforcer.get_role_manager().read().get_roles(&asked.user, None);
            let is_allowed = roles
                .into_iter()
                .any(|role| self.enforcer.has_policy(vec![role, asked.resource.clone(), ACTION.to_owned()]));
            is_allowed == asked.expected
        })
    }
}

async fn enforcer(shape: Shape) -> Result<Enforcer, Failure> {
    let model = DefaultModel::from_str(MODEL).await.map_err(Failure::http)?;
    Enforcer::new(model, StringAdapter::new(policy(shape))).await.map_err(Failure::http)
}

fn policy(shape: Shape) -> String {
    let lines = (0..shape.roles())
        .map(|role| format!("p, role{role}, data{}, {ACTION}\n", shape.resource_of(role)))
        .chain((0..shape.users).map(|user| format!("g, user{user}, role{}\n", shape.role_of(user))));
    lines.collect()
}

fn asked(questions: &[Question]) -> Vec<Asked> {
    let asked = |question: &Question| Asked {
        user: format!("user{}", question.user),
        resource: format!("data{}", question.resource),
        expected: question.is_allowed,
    };
    questions.iter().map(asked).collect()
}
