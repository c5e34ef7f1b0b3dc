//! Policies whose `spec` is written with the CRD's own keys.

use serde::Serialize;

use super::ObjectInput;
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::route::chosen;
use crate::config::codes;
use crate::config::policy::Policy as Table;
use crate::config::{Cluster, Text};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;

/// The values for the template of a policy.
#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    /// The kind of the policy.
    pub kind: &'static str,
    /// The name of the policy.
    pub name: Text,
    /// The names of the gateways that it targets.
    pub gateways: Vec<Text>,
    /// The listener that it targets (`sectionName`).
    pub listener: Option<Text>,
    /// Whether the kind has a single target (`targetRef`).
    pub one_target: bool,
}

/// Builds all policies, by kind. For a kind with a single target, a policy is written for each gateway.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<Policy>> {
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
            check_policy(kind, name, table, gateways.len(), problems);
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
                policies.push(ObjectInput {
                    values: Policy {
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

/// Reports the first of the chosen gateways that doesn't have the listener.
pub fn missing_listener(
    listener: &Text,
    chosen: &[Text],
    all: &[ObjectInput<Gateway>],
) -> Option<Diagnostic> {
    let names = |gateway: &Text| -> Option<Vec<&str>> {
        let there = all
            .iter()
            .find(|there| there.values.name.value == gateway.value)?;
        let names = there.values.listeners.iter().map(|one| one.name.as_str());
        Some(names.collect())
    };
    let without = chosen
        .iter()
        .filter_map(|gateway| Some((gateway, names(gateway)?)))
        .find(|(_, names)| !names.contains(&listener.as_str()));
    let (gateway, names) = without?;
    let help = match nearest(listener, names.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None => format!("the listeners are {}", names.join(", ")),
    };
    let message = format!("{} has no listener {:?}", gateway.value, listener.value);
    Some(
        Diagnostic::new(codes::CONFIG_UNKNOWN_REFERENCE, message)
            .at(listener.span)
            .why("the policy would attach to nothing, so what it protects would be unprotected")
            .help(help),
    )
}

fn check_policy(
    kind: &str,
    name: &Text,
    table: &Table,
    targets: usize,
    problems: &mut Vec<Diagnostic>,
) {
    if table.spec.is_none() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("the {kind} {} has no `spec`", name.value),
            )
            .at(name.span)
            .why("it would have no effect")
            .help("add a `spec` table with the CRD's own keys"),
        );
    }
    if targets == 0 {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("the {kind} {} targets no gateway", name.value),
            )
            .at(table.gateways.span.or(name.span))
            .why("it would attach to nothing")
            .help("add `gateways = [\"envoy-external\"]`"),
        );
    }
}
