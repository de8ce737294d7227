//! Keeps plans: the same question by callers with the same rights has the same plan.

use std::sync::Arc;

use buildly_model::Principal;
use moka::sync::Cache;

use crate::plan::{Grants, Plan, plan};
use crate::{Shape, View};

/// How many plans are kept.
const PLANS_MAX: u64 = 10_000;

/// A bounded cache of plans.
#[derive(Clone)]
pub(crate) struct PlanCache {
    plans: Cache<Question, Arc<Plan>>,
}

/// Everything that a plan depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    shape: Shape,
    catalog: u64,
    services: u64,
    grants: Grants,
}

impl PlanCache {
    pub(crate) fn new() -> Self {
        Self { plans: Cache::new(PLANS_MAX) }
    }

    /// The plan for this caller.
    pub(crate) fn plan(&self, shape: &Shape, view: &View, principal: &Principal) -> Arc<Plan> {
        let grants = Grants::of(shape, view, principal);
        let (catalog, services) = (view.catalog.generation(), view.services.generation());
        let question = Question { shape: shape.clone(), catalog, services, grants };
        self.plans.get_with_by_ref(&question, || {
            Arc::new(plan(shape, &view.catalog, &*view.services, &question.grants))
        })
    }
}
