//! Who can reach what: each hostname at each gateway, who publishes its DNS record, and which policies guard
//! it.
//! - [`mod@table`]: the types; [`build`] creates the table from the resolved objects.
//! - [`reach`]: whether a gateway faces the Internet or the internal network, if that can be determined.
//! - [`dns`]: which publishers of DNS records select a route; [`publisher`] reads their manifests,
//!   [`selector`] parses their filters.
//! - [`guard`]: the settings that can refuse a client.
//! - [`mod@compare`]: the changes between two tables, the most dangerous first.
//! - [`json`]: both as JSON; [`words`]: for people.

pub mod build;
pub mod compare;
pub mod dns;
pub mod guard;
pub mod json;
pub mod publisher;
pub mod reach;
pub mod selector;
pub mod table;
#[cfg(test)]
mod tests;
pub mod words;

pub use build::table;
pub use compare::{Change, Direction, compare, compare_clusters};
pub use table::{
    ExposedGateway, ExposedListener, Exposure, Guard, Hostname, Namespaces, Reach, Records, Side,
    Table,
};

use crate::helm_routes::{ReleaseValues, charted};
use crate::{Settings, resolve};
use manifest::Object;

/// The objects, together with what charts create from the values of releases.
pub fn with_charted(objects: Vec<Object>) -> Vec<Object> {
    with_charted_from(objects, &ReleaseValues::default())
}

/// The same as [`with_charted`] with the values that releases take from ConfigMaps.
pub fn with_charted_from(mut objects: Vec<Object>, values_from: &ReleaseValues) -> Vec<Object> {
    let charted: Vec<Object> = charted(&objects, values_from).objects().cloned().collect();
    objects.extend(charted);
    objects
}

/// The table for objects in the form in which the API server gets them, and for a controller with the given settings.
pub fn table_of(objects: Vec<Object>, settings: &Settings) -> Table {
    let objects = with_charted(objects);
    table(&resolve(&objects, settings), &objects)
}
