//! What an operator and a newcomer ask a server.

mod docs;
mod health;
mod home;
mod measure;

use crate::Routes;
use crate::route::get;

/// The resources for operators and newcomers.
pub(crate) fn routes() -> Routes {
    Routes::of("operations", "Whether the server works, and what it offers.")
        .add(get("/", home::show).summary("Where to go from here").answers_object(200).public())
        .add(get("/docs/", docs::page).public().hidden())
        .add(get("/docs/{file}", docs::asset).public().hidden())
        .add(
            get("/docs/swagger.json", docs::json)
                .summary("This document")
                .description("The OpenAPI 3.1 document of the core and of every registered service.")
                .answers_object(200)
                .public(),
        )
        .add(
            get("/docs/swagger.yaml", docs::yaml)
                .summary("This document as YAML")
                .answers_media(200, "application/yaml")
                .public(),
        )
        .add(
            get("/health_check/", health::check)
                .summary("Whether each component works")
                .description("An object of component and `working` or its fault; 200 only when all work.")
                .answers_object(200)
                .answers_object(503)
                .public(),
        )
        .add(
            get("/livez/", health::live)
                .summary("The process lives")
                .answers_media(200, "text/plain")
                .public(),
        )
        .add(
            get("/readyz/", health::ready)
                .summary("The server can answer requests")
                .answers_media(200, "text/plain")
                .answers_media(503, "text/plain")
                .public(),
        )
        .add(
            get("/metrics/", measure::show)
                .summary("What the server counts, for Prometheus")
                .answers_media(200, crate::metrics::MEDIA_TYPE)
                .public(),
        )
}
