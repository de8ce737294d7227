//! Services, their instances and policies, and the deployment's limits: `/gateway/`.

mod instance;
mod rate_limits;
mod service;
mod shape;
mod strict;

use serde_json::Value;

use crate::Routes;
use crate::route::{delete, get, patch, post, put};
use shape::{InstanceBody, InstanceChange, NewInstance, NewService, ServiceBody, ServiceChange};

/// The resources of the gateway.
#[must_use]
pub fn routes() -> Routes {
    with_policies(with_instances(with_services(Routes::of(
        "gateway",
        "Services behind the gateway, their instances, how they are called and how often; for superusers.",
    ))))
}

fn with_services(routes: Routes) -> Routes {
    routes
        .add(
            get("/gateway/services/", service::list)
                .summary("The registered services")
                .query_integer("limit", "How many on a page")
                .query("cursor", "Where the page begins, as `next` says it")
                .answers_page::<ServiceBody>(200),
        )
        .add(
            post("/gateway/services/", service::create)
                .summary("Registers a service")
                .description("Its document is fetched when it is first needed.")
                .takes::<NewService>()
                .answers::<ServiceBody>(201),
        )
        .add(
            get("/gateway/services/{service}/", service::read)
                .summary("One service, by UUID, number or name")
                .answers::<ServiceBody>(200),
        )
        .add(
            patch("/gateway/services/{service}/", service::change)
                .summary("Changes what is named of a service")
                .description("With `If-Match` only if it is still the version that was read.")
                .takes::<ServiceChange>()
                .answers::<ServiceBody>(200),
        )
        .add(
            delete("/gateway/services/{service}/", service::remove)
                .summary("Deletes a service")
                .answers_nothing(204),
        )
        .add(
            get("/gateway/services/{service}/specification/", service::specification)
                .summary("The service's API document as it was fetched")
                .query("version", "Of which version of the service, such as `v2`")
                .answers_object(200),
        )
        .add(
            post("/gateway/services/{service}/specification/", service::refresh)
                .summary("Fetches the service's API document again")
                .query("version", "Of which version of the service, such as `v2`")
                .answers::<ServiceBody>(200),
        )
}

fn with_instances(routes: Routes) -> Routes {
    routes
        .add(
            get("/gateway/services/{service}/instances/", instance::list)
                .summary("The running copies of a service")
                .answers_page::<InstanceBody>(200),
        )
        .add(
            post("/gateway/services/{service}/instances/", instance::create)
                .summary("Adds an instance")
                .takes::<NewInstance>()
                .answers::<InstanceBody>(201),
        )
        .add(
            get("/gateway/services/{service}/instances/{instance}/", instance::read)
                .summary("One instance")
                .answers::<InstanceBody>(200),
        )
        .add(
            patch("/gateway/services/{service}/instances/{instance}/", instance::change)
                .summary("Changes an instance, or drains it")
                .description("With `state: draining` it finishes what it has and takes nothing new.")
                .takes::<InstanceChange>()
                .answers::<InstanceBody>(200),
        )
        .add(
            delete("/gateway/services/{service}/instances/{instance}/", instance::remove)
                .summary("Removes an instance")
                .description("The last one stays: delete the service instead.")
                .answers_nothing(204),
        )
}

fn with_policies(routes: Routes) -> Routes {
    routes
        .add(
            get("/gateway/services/{service}/policy/", service::policy)
                .summary("How a service is called: timeouts, concurrency, retries, ejection, limits")
                .answers_object(200),
        )
        .add(
            put("/gateway/services/{service}/policy/", service::set_policy)
                .summary("Sets how a service is called")
                .description("What is left out is at its default. It counts for the next call.")
                .takes::<Value>()
                .answers_object(200),
        )
        .add(
            get("/gateway/rate-limits/", rate_limits::read)
                .summary("How often callers may call in all")
                .answers_object(200),
        )
        .add(
            put("/gateway/rate-limits/", rate_limits::set)
                .summary("Sets how often callers may call in all")
                .description(
                    "`principal`, `organization` and `address`, each `{requests, window_seconds, burst}` or null.",
                )
                .takes::<Value>()
                .answers_object(200),
        )
}
