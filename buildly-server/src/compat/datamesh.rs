//! `/datamesh/`: record types, relationships and join records, as existing clients speak of them.

mod join_record;
mod join_record_shape;
mod model;
mod relationship;

use crate::Routes;

/// The operations on the mesh's catalog and links.
#[must_use]
pub fn routes() -> Routes {
    let routes = Routes::compat("datamesh", "The data mesh: models, relationships and join records.");
    join_record::add(relationship::add(model::add(routes)))
}
