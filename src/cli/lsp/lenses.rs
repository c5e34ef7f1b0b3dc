//! Who can reach a route, as a line above it.

use std::collections::BTreeMap;

use super::super::Global;
use super::super::gathered::Repository;
use super::super::used::Used;
use envoy_gateway::exposure::{Exposure, Side, Table};

/// What each route exposes, by its kind and name, with its namespace as far as it is known.
pub(super) type Exposures = BTreeMap<(String, String), Vec<Exposed>>;

/// What a route exposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exposed {
    pub namespace: String,
    pub words: String,
}

/// What the routes of a repository expose.
///
/// # Errors
/// If something can't be read, or `cluster.toml` has errors.
pub(super) fn exposures(global: &Global) -> anyhow::Result<Exposures> {
    let mut tables = Vec::new();
    for repository in Repository::read_each(&[], &Used::default(), global)? {
        tables.extend(repository.exposed(global)?);
    }
    let mut found = Exposures::new();
    for (cluster, table) in tables {
        for exposure in &table.exposures {
            let words = words(&table, exposure, cluster.as_deref());
            for route in &exposure.routes {
                let key = (route.kind.clone(), route.name.clone());
                let exposed = Exposed {
                    namespace: route.namespace.clone(),
                    words: words.clone(),
                };
                let known = found.entry(key).or_default();
                if !known.contains(&exposed) {
                    known.push(exposed);
                }
            }
        }
    }
    Ok(found)
}

/// `app.example.com is external, by envoy-external (https); no guards`
fn words(table: &Table, exposure: &Exposure, cluster: Option<&str>) -> String {
    let side = match table.side(&exposure.gateway) {
        Side::Unknown => "may be internal or external".to_owned(),
        side => format!("is {}", side.as_str()),
    };
    let perhaps = if exposure.is_certain { "" } else { "perhaps " };
    let mut guards: Vec<&str> = exposure
        .guards
        .iter()
        .map(|guard| guard.kind.as_str())
        .collect();
    guards.dedup();
    let guards = match guards.is_empty() {
        true => "no guards".to_owned(),
        false => guards.join(", "),
    };
    let gateway = exposure.gateway.rsplit('/').next().unwrap_or_default();
    let cluster = cluster
        .map(|name| format!(" in {name}"))
        .unwrap_or_default();
    format!(
        "{perhaps}{} {side}{cluster}, by {gateway} ({}); {guards}",
        exposure.hostname,
        exposure.listeners.join(", ")
    )
}
