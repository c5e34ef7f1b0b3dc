//! Services.

use std::collections::HashSet;

use super::forms::{CIDR, ENDPOINT_IP, EXTERNAL_NAME, IP, LABEL, QUALIFIED, is_port_name};
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
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            let field = spec.get(key);
            if !field.is_empty() {
                walk.says(
                    &field,
                    "can't be given for an `ExternalName` Service",
                    "remove it",
                );
            }
        }
    } else {
        addresses(walk, &spec);
        if !is_headless {
            walk.required(&spec.get("ports"));
        } else if EXTERNAL.contains(&kind) {
            walk.says(&cluster_ip, "can't be `None` for this type", "remove it");
        }
    }
    let externals = spec.get("externalIPs");
    for address in externals.items() {
        walk.item(&address, ENDPOINT_IP);
    }
    ports(walk, &spec, kind);
    external(walk, &spec, kind);
    affinity(walk, &spec);
}

fn addresses(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let (one, all) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    match all.items().next() {
        Some(first) if one.is_empty() || first.text() != one.text() => walk.says(
            &all,
            "must begin with `spec.clusterIP`",
            "remove one of the two fields",
        ),
        None if one.text() != Some("None") => walk.form(&one, IP),
        _ => {}
    }
    let found = walk.found.len();
    for (index, address) in all.items().enumerate() {
        if index > 0 || address.text() != Some("None") {
            walk.item(&address, IP);
        } else if all.len() > 1 {
            walk.says(
                &all,
                "can't have addresses beside `None`",
                "write only `None`",
            );
        }
    }
    if all.len() > 2 {
        walk.says(&all, "has more than two addresses", "keep two of them");
    } else if found == walk.found.len() {
        families(walk, spec, &all);
    }
    let families = spec.get("ipFamilies");
    let mut seen = HashSet::new();
    for family in families.items() {
        walk.unique(&family, &mut seen);
    }
}

/// Checks the families of addresses that are valid.
fn families(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, addresses: &Place<'_, '_>) {
    let is_v6 = |address: &Place<'_, '_>| address.text_or_empty().contains(':');
    let all: Vec<bool> = addresses.items().map(|address| is_v6(&address)).collect();
    let is_open = addresses
        .items()
        .any(|address| walk.is_open(address.text_or_empty()));
    if let [first, second] = all.as_slice()
        && first == second
        && !is_open
    {
        walk.says(
            addresses,
            "has two addresses of the same family",
            "keep one of the two",
        );
    }
    let families = spec.get("ipFamilies");
    for (address, family) in addresses.items().zip(families.items()) {
        let want = match family.text_or_empty() {
            "IPv4" => false,
            "IPv6" => true,
            _ => continue,
        };
        let is_address = !matches!(address.text(), None | Some("None"));
        if is_address && is_v6(&address) != want && !is_open {
            walk.wrong(&address, "an address of the family in `ipFamilies`");
        }
    }
}

fn ports(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, kind: &str) {
    let ports = spec.get("ports");
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
        // The server writes the port's own number instead of 0 or an empty name.
        if target.text() != Some("") {
            port_number_or_name(walk, &target, true);
        }
        walk.given(&port.get("appProtocol"), QUALIFIED);
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
        if !node_port.is_empty() && kind == "ClusterIP" {
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
    let has_addresses = kind == "ClusterIP" && !spec.get("externalIPs").is_empty();
    let is_external = EXTERNAL.contains(&kind) || has_addresses;
    let policy = spec.get("externalTrafficPolicy");
    if !policy.is_empty() && !is_external {
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
    walk.given(&spec.get("loadBalancerClass"), QUALIFIED);
    let ranges = spec.get("loadBalancerSourceRanges");
    for range in ranges.items() {
        let text = range.text_or_empty();
        if !walk.is_open(text) && !(CIDR.holds)(text.trim()) {
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
