//! Policies whose `spec` is given in the CRD's own keys.

use serde::Serialize;

use super::Laid;
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::route::chosen;
use crate::codes;
use crate::config::policy::Policy as Table;
use crate::config::{Cluster, Text};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;

/// A policy, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: Text,
    /// The gateways that it is for.
    pub gateways: Vec<Text>,
    /// The listener that it is for.
    pub listener: Option<Text>,
    /// Whether the kind takes one target only (`targetRef`).
    pub one_target: bool,
}

/// All policies, by kind. A kind that takes one target becomes a policy for each gateway.
pub fn build(
    cluster: &Cluster,
    gateways: &[Laid<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Laid<Policy>> {
    let kinds = [
        ("SecurityPolicy", &cluster.security_policies),
        ("EnvoyExtensionPolicy", &cluster.extension_policies),
        ("EnvoyPatchPolicy", &cluster.patch_policies),
    ];
    let mut policies = Vec::new();
    for (kind, tables) in kinds {
        let one_target = kind == "EnvoyPatchPolicy";
        for (name, table) in tables.iter() {
            names::check(Rule::Subdomain, "a policy's name", name, problems);
            let all = gateways;
            let gateways = chosen(all, &table.gateways, problems);
            if let Some(listener) = &table.listener {
                problems.extend(missing_listener(listener, &gateways, all));
            }
            check(kind, name, table, gateways.len(), problems);
            let groups = if one_target {
                gateways.into_iter().map(|gateway| vec![gateway]).collect()
            } else {
                vec![gateways]
            };
            let several = groups.len() > 1;
            for gateways in groups {
                let name = match gateways.first() {
                    Some(gateway) if several => {
                        name.with(format!("{}-{}", name.value, names::short(gateway)))
                    }
                    _ => name.clone(),
                };
                policies.push(Laid {
                    of: Policy {
                        kind,
                        name,
                        gateways,
                        listener: table.listener.clone(),
                        one_target,
                    },
                    overlay: table.overlay(),
                });
            }
        }
    }
    policies
}

/// A listener that one of the chosen gateways doesn't have.
fn missing_listener(listener: &Text, chosen: &[Text], all: &[Laid<Gateway>]) -> Option<Diagnostic> {
    let names = |gateway: &Text| -> Option<Vec<&str>> {
        let there = all
            .iter()
            .find(|there| there.of.name.value == gateway.value)?;
        let names = there.of.listeners.iter().map(|one| one.name.as_str());
        Some(names.collect())
    };
    let without = chosen
        .iter()
        .filter_map(|gateway| Some((gateway, names(gateway)?)))
        .find(|(_, names)| !names.contains(&listener.as_str()));
    let (gateway, names) = without?;
    let help = match nearest(listener, names.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None => format!("it has {}", names.join(", ")),
    };
    let message = format!("{} has no listener {:?}", gateway.value, listener.value);
    Some(
        Diagnostic::new(codes::CONFIG_UNKNOWN_REFERENCE, message)
            .at(listener.span)
            .why("the policy would attach to nothing, and what it guards would stand open")
            .help(help),
    )
}

fn check(kind: &str, name: &Text, table: &Table, targets: usize, problems: &mut Vec<Diagnostic>) {
    if table.spec.is_none() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("the {kind} {} has no `spec`", name.value),
            )
            .at(name.span)
            .why("it would change nothing")
            .help("add a `spec` table with the CRD's own keys"),
        );
    }
    if targets == 0 {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("the {kind} {} is for no gateway", name.value),
            )
            .at(table.gateways.span.or(name.span))
            .why("it would attach to nothing")
            .help("add `gateways = [\"envoy-external\"]`"),
        );
    }
}
