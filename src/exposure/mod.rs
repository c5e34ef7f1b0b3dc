//! Who can reach what: each hostname at each gateway, who publishes its DNS record, and which policies guard it.
//!
//! - [`table`]: what an exposure is; [`build`] makes the table of the resolved view.
//! - [`reach`]: whether a gateway faces the Internet or the own network, as far as anything tells.
//! - [`dns`]: which publisher of DNS records takes a route up; [`publisher`] reads those at hand, [`selector`] their
//!   filters.
//! - [`guard`]: what a client has to pass.
//! - [`compare`]: what changed between two tables, the dangerous first.
//! - [`json`]: both for programs.

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

pub use build::table;
pub use compare::{Change, Direction, compare};
pub use table::{Door, Exposure, Front, Guard, Hostname, Namespaces, Reach, Records, Side, Table};

use crate::manifest::Object;
use crate::resolve::helm_routes::helm_routes;
use crate::resolve::{Settings, resolve};

/// The objects together with the routes that charts make.
pub fn with_charted(mut objects: Vec<Object>) -> Vec<Object> {
    let routes: Vec<Object> = helm_routes(&objects)
        .into_iter()
        .map(|route| route.object)
        .collect();
    objects.extend(routes);
    objects
}

/// The table of objects as the API server gets them, of which a controller with these settings makes something.
pub fn of(objects: Vec<Object>, settings: &Settings) -> Table {
    let objects = with_charted(objects);
    table(&resolve(&objects, settings), &objects)
}
