//! Endpoints, Ingresses and NetworkPolicies.

use super::forms::{
    ABSOLUTE, CIDR, ENDPOINT_IP, IP, LABEL, QUALIFIED, SEGMENT, SUBDOMAIN, SUBDOMAIN_OR_WILDCARD,
    is_port_name,
};
use super::place::Place;
use super::{BuiltinWalk, selectors, services};

/// Checks a subset of Endpoints.
pub(super) fn subset(walk: &mut BuiltinWalk<'_>, subset: &Place<'_, '_>) {
    if subset.get("addresses").len() + subset.get("notReadyAddresses").len() == 0 {
        walk.missing(&Place::clone(subset));
    }
    named_ports(walk, &subset.get("ports"));
}

/// Several ports need names.
fn named_ports(walk: &mut BuiltinWalk<'_>, ports: &Place<'_, '_>) {
    for port in ports.items().filter(|_| ports.len() > 1) {
        walk.required(&port.get("name"));
    }
}

/// Checks an EndpointSlice.
pub(super) fn endpoint_slice(walk: &mut BuiltinWalk<'_>, slice: &Place<'_, '_>) {
    let kind = slice.get("addressType");
    walk.required(&kind);
    let is_known = ["IPv4", "IPv6", "FQDN"].contains(&kind.text_or_empty());
    if !kind.is_empty() && !is_known && !walk.is_open(kind.text_or_empty()) {
        walk.wrong(&kind, "`IPv4`, `IPv6` or `FQDN`");
    }
    let endpoints = slice.get("endpoints");
    for endpoint in endpoints.items() {
        let addresses = endpoint.get("addresses");
        walk.required(&addresses);
        for address in addresses.items() {
            walk.required(&address);
            match kind.text_or_empty() {
                "IPv4" | "IPv6" => walk.form(&address, ENDPOINT_IP),
                "FQDN" => walk.form(&address, SUBDOMAIN),
                _ => {}
            }
        }
        walk.given(&endpoint.get("hostname"), LABEL);
        walk.given(&endpoint.get("nodeName"), SUBDOMAIN);
    }
    let ports = slice.get("ports");
    for port in ports.items() {
        walk.form(&port.get("name"), LABEL);
        walk.given(&port.get("appProtocol"), QUALIFIED);
    }
    let mut names = std::collections::HashSet::new();
    for port in ports.items() {
        let name = port.get("name");
        if !names.insert(name.text_or_empty().to_owned()) {
            walk.twice(&name);
        }
    }
}

/// Checks an Ingress.
pub(super) fn ingress(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let spec = object.get("spec");
    let (rules, default) = (spec.get("rules"), spec.get("defaultBackend"));
    if rules.is_empty() && default.is_null() {
        walk.says(
            &spec,
            "has neither rules nor a default backend",
            "write `rules` or `defaultBackend`",
        );
    }
    if !default.is_null() {
        backend(walk, &default);
    }
    for rule in rules.items() {
        ingress_rule(walk, &rule);
    }
    let tls = spec.get("tls");
    for tls in tls.items() {
        let hosts = tls.get("hosts");
        for host in hosts.items() {
            walk.item(&host, SUBDOMAIN_OR_WILDCARD);
        }
        walk.form(&tls.get("secretName"), SUBDOMAIN);
    }
    let class = spec.get("ingressClassName");
    walk.given(&class, SUBDOMAIN);
    let metadata = object.get("metadata");
    let annotations = metadata.get("annotations");
    let annotation = annotations.get("kubernetes.io/ingress.class");
    if !class.is_null() && !annotation.is_null() {
        walk.says(
            &annotation,
            "can't be given together with `spec.ingressClassName`",
            "remove the annotation",
        );
    }
}

fn ingress_rule(walk: &mut BuiltinWalk<'_>, rule: &Place<'_, '_>) {
    let host = rule.get("host");
    walk.form(&host, SUBDOMAIN_OR_WILDCARD);
    if host.text().is_some_and(|host| (IP.holds)(host)) {
        walk.says(&host, "can't be an IP address", "write a DNS name");
    }
    let http = rule.get("http");
    if http.is_null() {
        return;
    }
    let paths = http.get("paths");
    walk.required(&paths);
    for path in paths.items() {
        let (kind, text) = (path.get("pathType"), path.get("path"));
        let is_open = walk.is_open(text.text_or_empty());
        match kind.text_or_empty() {
            "Exact" | "Prefix" if !is_open => {
                if !(ABSOLUTE.holds)(text.text_or_empty()) {
                    walk.wrong(&text, ABSOLUTE.want);
                }
                let path = text.text_or_empty();
                let parts = ["//", "/./", "/../", "%2f", "%2F"];
                let is_strange = parts.iter().any(|part| path.contains(part))
                    || path.ends_with("/..")
                    || path.ends_with("/.");
                if is_strange {
                    walk.wrong(&text, "a path without `//`, `.` and `..`");
                }
            }
            "ImplementationSpecific" if !is_open && !text.is_empty() => walk.form(&text, ABSOLUTE),
            _ => {}
        }
        backend(walk, &path.get("backend"));
    }
}

fn backend(walk: &mut BuiltinWalk<'_>, backend: &Place<'_, '_>) {
    let (service, resource) = (backend.get("service"), backend.get("resource"));
    match (service.is_null(), resource.is_null()) {
        (true, true) => {
            walk.says(
                backend,
                "has neither a service nor a resource",
                "write `service`",
            );
        }
        (false, false) => walk.says(
            backend,
            "has a service and a resource",
            "keep one of the two",
        ),
        (true, false) => {
            walk.given(&resource.get("apiGroup"), SUBDOMAIN);
            for key in ["kind", "name"] {
                let field = resource.get(key);
                walk.required(&field);
                walk.form(&field, SEGMENT);
            }
        }
        (false, true) => {
            let name = service.get("name");
            walk.required(&name);
            walk.form(&name, LABEL);
            let port = service.get("port");
            let (number, name) = (port.get("number"), port.get("name"));
            if !number.is_empty() && !name.is_empty() {
                walk.says(
                    backend,
                    "has both a name and a number of the port",
                    "keep one of the two",
                );
                return;
            }
            if number.is_empty() && name.is_empty() {
                walk.says(
                    backend,
                    "has no port",
                    "write `port` with `name` or `number`",
                );
            }
            if number
                .number()
                .is_some_and(|number| number != 0 && !(1..=65535).contains(&number))
            {
                walk.wrong(&number, "a number from 1 to 65535");
            }
            if let Some(text) = walk.known_text(&name)
                && !is_port_name(text)
            {
                walk.wrong(
                    &name,
                    "a name of at most 15 lower-case letters, digits and `-`",
                );
            }
        }
    }
}

/// Checks the parameters of an IngressClass, which most classes don't have.
pub(super) fn class_parameters(walk: &mut BuiltinWalk<'_>, parameters: &Place<'_, '_>) {
    if parameters.is_null() {
        return;
    }
    for key in ["kind", "name"] {
        walk.required(&parameters.get(key));
        walk.form(&parameters.get(key), SEGMENT);
    }
    walk.given(&parameters.get("apiGroup"), SUBDOMAIN);
    let namespace = parameters.get("namespace");
    match parameters.get("scope").text().unwrap_or("Cluster") {
        "Namespace" if namespace.is_null() => walk.missing(&namespace),
        "Namespace" => walk.given(&namespace, LABEL),
        "Cluster" if !namespace.is_null() => walk.says(
            &namespace,
            "can only be given with `scope: Namespace`",
            "remove it, or write `scope: Namespace`",
        ),
        _ => {}
    }
}

/// Checks whom a NetworkPolicy admits.
pub(super) fn peer(walk: &mut BuiltinWalk<'_>, peer: &Place<'_, '_>) {
    let (pods, namespaces, block) = (
        peer.get("podSelector"),
        peer.get("namespaceSelector"),
        peer.get("ipBlock"),
    );
    selectors::selector(walk, &pods);
    selectors::selector(walk, &namespaces);
    if block.is_null() {
        if pods.is_null() && namespaces.is_null() {
            walk.missing(&Place::clone(peer));
        }
        return;
    }
    if !pods.is_null() || !namespaces.is_null() {
        walk.says(
            peer,
            "has both addresses and a selector",
            "write them as two entries",
        );
    }
    let (cidr, except) = (block.get("cidr"), block.get("except"));
    walk.required(&cidr);
    walk.form(&cidr, CIDR);
    let whole = cidr
        .text()
        .and_then(|text| text.parse::<ipnet::IpNet>().ok());
    for part in except.items() {
        walk.item(&part, CIDR);
        if let (Some(whole), Some(net)) = (
            whole,
            part.text()
                .and_then(|text| text.parse::<ipnet::IpNet>().ok()),
        ) && !(whole.contains(&net) && whole.prefix_len() < net.prefix_len())
        {
            walk.wrong(&part, "a part of `cidr`");
        }
    }
}

/// Checks a port of a NetworkPolicy.
pub(super) fn policy_port(walk: &mut BuiltinWalk<'_>, port: &Place<'_, '_>) {
    let (number, end) = (port.get("port"), port.get("endPort"));
    services::port_number_or_name(walk, &number, false);
    if end.is_null() {
        return;
    }
    match number.number() {
        Some(first)
            if end
                .number()
                .is_some_and(|end| (first..=65535).contains(&end)) => {}
        Some(_) => walk.wrong(&end, "a number that is not below `port`"),
        None if number.text().is_some_and(|text| walk.is_open(text)) => {}
        None => walk.says(&end, "can only be given if `port` is a number", "remove it"),
    }
}

/// A NetworkPolicy has at most the two types that there are.
pub(super) fn policy_types(walk: &mut BuiltinWalk<'_>, types: &Place<'_, '_>) {
    if types.len() > 2 {
        walk.says(types, "has more than two types", "write each type once");
    }
}
