//! Where objects are written that have no file of their own.

use crate::config::Text;
use crate::model::layout::{FileLocation, Group};
use crate::model::{Model, ObjectInput, flux};

/// The file of a route: beside the other objects, or in the folder of the route's namespace.
pub(super) fn route_location(
    model: &Model,
    route: &ObjectInput<crate::model::route::StreamRoute>,
) -> FileLocation {
    let location = model.layout.location(Group::Routes, None);
    if route.values.namespace.value == model.namespace.value {
        return location;
    }
    FileLocation {
        folder: flux::routes_folder(&route.values.namespace),
        ..location
    }
}

/// The file of a ListenerSet: beside the other objects, or in the folder of its namespace.
pub(super) fn set_location(model: &Model, namespace: &Text) -> FileLocation {
    let location = model.layout.location(Group::ListenerSets, None);
    if namespace.value == model.namespace.value {
        return location;
    }
    FileLocation {
        folder: flux::routes_folder(namespace),
        ..location
    }
}
