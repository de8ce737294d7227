//! Services, as existing clients know them: `/logicmodule/`.

mod shape;

use buildly_core::auth::identity::{GroupKey, Made};
use buildly_core::gateway::{Registration, Service, ServiceKey, Update};
use buildly_core::journal::Part;
use buildly_core::unit::Change;
use buildly_core::{Buildly, Together};
use buildly_model::system::System;
use buildly_model::{Clock as _, Principal, ServiceId};
use serde_json::json;

use super::list;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};
use shape::{Input, LogicModule};

/// How many services are on a page, where `?page=` asks for pages.
const PAGE_ROWS: usize = 100;

/// The resource.
#[must_use]
pub fn routes() -> Routes {
    Routes::compat("logicmodule", "The services behind the gateway; for superusers.")
        .add(
            get("/logicmodule/", list)
                .summary("The registered services")
                .description(
                    "A plain array, which says in `Link` where it goes on; with `page`, an object with \
                     `count`, `next`, `previous`, `results`.",
                )
                .query("name", "Only services of this name")
                .query_integer("page", "Which page, from 1")
                .query_integer("after", "Where to go on, from `Link`")
                .answers_list::<LogicModule>(200),
        )
        .add(
            post("/logicmodule/", create)
                .summary("Registers a service")
                .description("Its document is fetched when it is first needed.")
                .takes_fields::<Input>()
                .answers::<LogicModule>(201),
        )
        .add(get("/logicmodule/{id}/", read).summary("One service").answers::<LogicModule>(200))
        .add(
            put("/logicmodule/{id}/", replace)
                .summary("Changes a service")
                .takes_fields::<Input>()
                .answers::<LogicModule>(200),
        )
        .add(
            patch("/logicmodule/{id}/", change)
                .summary("Changes what is named of a service")
                .takes_fields::<Input>()
                .answers::<LogicModule>(200),
        )
        .add(delete("/logicmodule/{id}/", remove).summary("Deletes a service").answers_nothing(204))
        .add(
            put("/logicmodule/{id}/specification/", refresh)
                .summary("Fetches the service's document again")
                .answers::<LogicModule>(200),
        )
}

/// `GET /logicmodule/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let name = request.query().first("name").filter(|name| !name.is_empty());
    let page: Option<usize> = request.query_value("page")?;
    let services = buildly.gateway().services(&principal).await?;
    let services: Vec<Service> =
        services.into_iter().filter(|service| name.is_none_or(|name| service.title == name)).collect();
    let Some(number) = page else {
        let part = list::Part::of(&request, services, |service| service.number)?;
        let mut bodies = Vec::with_capacity(part.rows.len());
        for service in &part.rows {
            bodies.push(LogicModule::of(buildly, &principal, service).await?);
        }
        return Ok(part.answer(&bodies));
    };
    let before = number.saturating_sub(1).saturating_mul(PAGE_ROWS);
    if number == 0 || (before > 0 && before >= services.len()) {
        return Err(Problem::not_found("Invalid page."));
    }
    let url = |number: usize| request.url_from("page", &number.to_string());
    let has_more = services.len() > before.saturating_add(PAGE_ROWS);
    let mut results = Vec::new();
    for service in services.iter().skip(before).take(PAGE_ROWS) {
        results.push(LogicModule::of(buildly, &principal, service).await?);
    }
    Ok(Response::ok(&json!({
        "count": services.len(),
        "next": has_more.then(|| url(number + 1)),
        "previous": (number > 1).then(|| url(number - 1)),
        "results": results,
    })))
}

/// `POST /logicmodule/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let input = Input::read(&mut request).await?;
    let id = ServiceId::generate(System.now(), &System);
    // The groups stand before the service does, so that it is never open to all in between.
    let groups = input.groups.as_deref().filter(|groups| !groups.is_empty());
    let before = attached(buildly, &principal, id, groups).await?;
    let gateway = buildly.gateway_with(Together { before, ..Together::default() });
    let registration = Registration {
        id: Some(id),
        name: input.endpoint_name,
        title: input.name,
        description: input.description.flatten(),
        endpoint: input.endpoint,
        docs_endpoint: input.docs_endpoint.flatten(),
        credential: input.credential,
        ..Registration::default()
    };
    let service = gateway.register(&principal, registration).await?;
    Ok(Response::created(&LogicModule::of(buildly, &principal, &service).await?))
}

/// `GET /logicmodule/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let service = find(buildly, &principal, &request).await?;
    Ok(Response::ok(&LogicModule::of(buildly, &principal, &service).await?))
}

/// `PUT /logicmodule/{id}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let service = find(buildly, &principal, &request).await?;
    let input = Input::read(&mut request).await?.with_all_required()?;
    update(buildly, &principal, &service, input).await
}

/// `PATCH /logicmodule/{id}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let service = find(buildly, &principal, &request).await?;
    let input = Input::read(&mut request).await?;
    update(buildly, &principal, &service, input).await
}

async fn update(
    buildly: &Buildly,
    principal: &Principal,
    service: &Service,
    input: Input,
) -> Result<Response, Problem> {
    let before = attached(buildly, principal, service.id, input.groups.as_deref()).await?;
    let gateway = buildly.gateway_with(Together { before, ..Together::default() });
    let update = Update {
        name: input.endpoint_name,
        title: input.name,
        description: input.description,
        endpoint: input.endpoint,
        docs_endpoint: input.docs_endpoint,
        credential: input.credential,
        policy: None,
    };
    let service = gateway.update(principal, service.id, &update, None).await?;
    Ok(Response::ok(&LogicModule::of(buildly, principal, &service).await?))
}

/// `DELETE /logicmodule/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let service = find(buildly, &principal, &request).await?;
    // A service without groups is open to all, so they go last.
    let after = attached(buildly, &principal, service.id, Some(&[])).await?;
    let gateway = buildly.gateway_with(Together { after, ..Together::default() });
    gateway.delete(&principal, service.id).await?;
    Ok(Response::no_content())
}

/// `PUT /logicmodule/{id}/specification/`
async fn refresh(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let service = find(buildly, &principal, &request).await?;
    buildly.gateway().refresh_specification(&principal, service.id, None).await?;
    let service = buildly.gateway().service(&principal, service.id).await?;
    Ok(Response::ok(&LogicModule::of(buildly, &principal, &service).await?))
}

/// The service that the path names, by number or UUID.
async fn find(buildly: &Buildly, principal: &Principal, request: &Request) -> Result<Service, Problem> {
    let key = match request.path::<ServiceKey>("id")? {
        ServiceKey::Name(_) => return Err(Problem::not_found("Not found.")),
        key => key,
    };
    Ok(buildly.gateway().find_service(principal, &key).await?)
}

/// What attaches groups to a service, if any were named; written with what happens to the service.
async fn attached(
    buildly: &Buildly,
    principal: &Principal,
    service: ServiceId,
    groups: Option<&[GroupKey]>,
) -> Result<Vec<Part<Change>>, Problem> {
    let Some(groups) = groups else { return Ok(Vec::new()) };
    let part = buildly.auth().service_groups_part(principal, service, groups, &Made::default()).await?;
    Ok(vec![part.map(|change| Change::Auth(change.into()))])
}
