//! Services.

use std::collections::HashSet;

use super::forms::{CIDR, EXTERNAL_NAME, IP, LABEL, is_port_name};
use super::place::Place;
use super::{BuiltinWalk, selectors};

/// The types whose ports can be reached from outside.
const EXTERNAL: &[&str] = &["NodePort", "LoadBalancer"];

/// Checks a Service.
pub(super) fn service(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let spec = object.get("spec");
    let (kind, cluster_ip) = (spec.get("type"), spec.get("clusterIP"));
    if [kind.text_or_empty(), cluster_ip.text_or_empty()]
        .iter()
        .any(|text| walk.is_open(text))
    {
        return;
    }
    let is_headless = cluster_ip.text() == Some("None");
    let kind = match kind.text_or_empty() {
        "" => "ClusterIP",
        kind => kind,
    };
    selectors::labels(walk, &spec.get("selector"));
    if kind == "ExternalName" {
        let name = spec.get("externalName");
        walk.required(&name);
        walk.form(&name, EXTERNAL_NAME);
        if !cluster_ip.is_empty() {
            walk.says(
                &cluster_ip,
                "can't be given for an `ExternalName` Service",
                "remove it",
            );
        }
    } else {
        addresses(walk, &spec);
        if !is_headless {
            walk.required(&spec.get("ports"));
        } else if EXTERNAL.contains(&kind) {
            walk.says(&cluster_ip, "can't be `None` for this type", "remove it");
        }
    }
    ports(walk, &spec, kind);
    external(walk, &spec, kind);
    affinity(walk, &spec);
}

fn addresses(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let (one, all) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    if one.text() != Some("None") {
        walk.form(&one, IP);
    }
    for address in all.items() {
        if address.text() != Some("None") {
            walk.form(&address, IP);
        }
    }
    if let (Some(first), Some(text)) = (all.items().next(), one.text())
        && first.text() != Some(text)
    {
        walk.says(
            &first,
            "must be the same as `spec.clusterIP`",
            "remove one of the two fields",
        );
    }
    let external = spec.get("externalIPs");
    for address in external.items() {
        walk.form(&address, IP);
    }
}

fn ports(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, kind: &str) {
    let ports = spec.get("ports");
    let is_headless = spec.get("clusterIP").text() == Some("None");
    let mut keys = HashSet::new();
    let mut node_ports = HashSet::new();
    let mut names = HashSet::new();
    for port in ports.items() {
        let (name, number, target) = (port.get("name"), port.get("port"), port.get("targetPort"));
        if ports.len() > 1 {
            walk.required(&name);
        }
        walk.form(&name, LABEL);
        walk.unique(&name, &mut names);
        if number
            .number()
            .is_some_and(|number| !(1..=65535).contains(&number))
        {
            walk.wrong(&number, "a number from 1 to 65535");
        }
        port_number_or_name(walk, &target, !is_headless);
        let protocol = match port.get("protocol").text_or_empty() {
            "" => "TCP",
            protocol => protocol,
        };
        if let Some(number) = number.number() {
            let key = (number, protocol.to_owned());
            if !keys.insert(key) {
                walk.twice(&port);
            }
        }
        let node_port = port.get("nodePort");
        if !node_port.is_empty() && !EXTERNAL.contains(&kind) {
            walk.says(
                &node_port,
                "can't be given for this type",
                "remove it, or write `type: NodePort`",
            );
        }
        if let Some(number) = node_port.number().filter(|number| *number != 0) {
            let key = (number, protocol.to_owned());
            if !node_ports.insert(key) {
                walk.twice(&node_port);
            }
        }
    }
}

/// Checks a port that is given as a number or a name.
pub(super) fn port_number_or_name(
    walk: &mut BuiltinWalk<'_>,
    at: &Place<'_, '_>,
    is_zero_allowed: bool,
) {
    let is_wrong = match (at.text(), at.number()) {
        (Some(text), _) => !walk.is_open(text) && !is_port_name(text),
        (None, Some(0)) => !is_zero_allowed,
        (None, Some(number)) => !(1..=65535).contains(&number),
        (None, None) => false,
    };
    if is_wrong {
        walk.wrong(
            at,
            "a number from 1 to 65535, or a name of at most 15 lower-case letters, digits and `-`",
        );
    }
}

/// Fields that only some types have.
fn external(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, kind: &str) {
    let is_external = EXTERNAL.contains(&kind);
    let policy = spec.get("externalTrafficPolicy");
    if !policy.is_empty() && !is_external && spec.get("externalIPs").is_empty() {
        walk.says(
            &policy,
            "can only be given for a Service that is reached from outside",
            "remove it",
        );
    }
    let health = spec.get("healthCheckNodePort");
    let is_checked = kind == "LoadBalancer" && policy.text() == Some("Local");
    if !health.is_empty() && !is_checked {
        let help = "remove it, or write `externalTrafficPolicy: Local`";
        walk.says(
            &health,
            "can only be given with `type: LoadBalancer` and local traffic",
            help,
        );
    }
    for key in ["loadBalancerClass", "allocateLoadBalancerNodePorts"] {
        let field = spec.get(key);
        if !field.is_null() && kind != "LoadBalancer" {
            walk.says(
                &field,
                "can only be given for `type: LoadBalancer`",
                "remove it",
            );
        }
    }
    let ranges = spec.get("loadBalancerSourceRanges");
    for range in ranges.items() {
        if let Some(text) = range.text().filter(|text| !walk.is_open(text))
            && !(CIDR.holds)(text.trim())
        {
            walk.wrong(&range, CIDR.want);
        }
    }
    if !ranges.is_empty() && kind != "LoadBalancer" {
        walk.says(
            &ranges,
            "can only be given for `type: LoadBalancer`",
            "remove it",
        );
    }
}

fn affinity(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let affinity = spec.get("sessionAffinity").text_or_empty();
    let config = spec.get("sessionAffinityConfig");
    if affinity == "ClientIP" {
        let client = config.get("clientIP");
        let timeout = client.get("timeoutSeconds");
        if timeout
            .number()
            .is_some_and(|number| !(1..=86400).contains(&number))
        {
            walk.wrong(&timeout, "a number from 1 to 86400");
        }
    } else if affinity == "None" && !config.is_null() {
        walk.says(
            &config,
            "can only be given with `sessionAffinity: ClientIP`",
            "remove it",
        );
    }
}
