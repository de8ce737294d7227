//! Everything the server offers: the one list of resources.

use crate::{
    Routes, audit, compat, gateway, operations, permissions, service_accounts, webhooks, well_known, workflow,
};

/// All resources that sockets of the network serve; what none of them takes goes to the gateway's data plane.
///
/// To add a resource, write its module with `pub fn routes() -> Routes` and name it here.
#[must_use]
pub fn routes() -> Vec<Routes> {
    let mut routes = vec![
        operations::routes(),
        audit::routes(),
        compat::coreuser::routes(),
        compat::coregroup::routes(),
        compat::organization::routes(),
        compat::organization_type::routes(),
        compat::consortium::routes(),
        compat::partner::routes(),
        compat::datamesh::routes(),
        compat::logicmodule::routes(),
        compat::oauth::routes(),
        compat::simple_token::routes(),
        well_known::routes(),
        service_accounts::routes(),
        permissions::routes(),
        gateway::routes(),
        workflow::routes(),
        webhooks::routes(),
    ];
    routes.extend(compat::levels::routes());
    routes
}
