//! Listeners of gateways, with their defaults and checks.

mod checks;

pub use checks::check_port;
use checks::{check_listener, check_ports};

use serde::Serialize;

use crate::config;
use crate::config::codes;
use crate::config::gateway::{Protocol, TlsMode};
use crate::config::{Cluster, Count, Namespaces, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::{Node, variable};

/// The values for a listener in the Gateway's template.
#[derive(Clone, Debug, Serialize)]
pub struct Listener {
    /// The name of the listener.
    pub name: Text,
    /// The protocol of the listener.
    pub protocol: Spanned<Protocol>,
    /// The port of the listener.
    pub port: Spanned<Count>,
    /// The hostname of the listener.
    pub hostname: Option<Text>,
    /// The TLS mode, if it is not the protocol's default.
    pub tls_mode: Option<Spanned<TlsMode>>,
    /// The names of the Secrets with the certificates.
    pub certificates: Vec<Text>,
    /// The kinds of route that may attach.
    pub kinds: Vec<Text>,
    /// The namespaces whose routes may attach.
    pub namespaces: Option<Namespaces>,
    /// Merged over the listener in the Gateway.
    #[serde(skip)]
    pub spec: Option<Node>,
}

fn unwritten(text: &str) -> Text {
    Spanned::unwritten(text.to_owned())
}

/// The default listeners `http` and `https`, and the written ones, in their order.
pub fn written(
    cluster: &Cluster,
    table: &config::gateway::Gateway,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let is_written = |name: &str| table.listeners.iter().any(|(there, _)| there.value == name);
    let default = config::gateway::Listener::default();
    let mut listeners = Vec::new();
    // Certificates of the gateway itself are those of its own `https` listener.
    let is_replaced = !table.domains.is_empty() && !table.certificates.is_given();
    // A default `https` listener comes right after `http`, wherever that is written.
    let https_follows = is_written("http") && !is_written("https") && !is_replaced;
    for name in ["http", "https"] {
        let comes_later = is_written(name) || (name == "https" && (https_follows || is_replaced));
        if !comes_later {
            listeners.extend(build_one(
                cluster,
                table,
                &unwritten(name),
                &default,
                problems,
            ));
        }
    }
    for (name, written) in table.listeners.iter() {
        if written.enabled.as_ref().is_none_or(|enabled| enabled.value) {
            listeners.extend(build_one(cluster, table, name, written, problems));
        }
        if name.value == "http" && https_follows {
            listeners.extend(build_one(
                cluster,
                table,
                &unwritten("https"),
                &default,
                problems,
            ));
        }
    }
    listeners
}

/// Reports mistakes in a gateway's listeners, both in each listener and between them.
pub fn check_all(gateway: &Text, listeners: &[Listener], problems: &mut Vec<Diagnostic>) {
    for listener in listeners {
        check_listener(gateway, listener, problems);
    }
    check_ports(gateway, listeners, problems);
}

/// Builds a listener from its table, with the certificates of the gateway or the cluster if it has none.
pub fn build_one(
    cluster: &Cluster,
    table: &config::gateway::Gateway,
    name: &Text,
    written: &config::gateway::Listener,
    problems: &mut Vec<Diagnostic>,
) -> Option<Listener> {
    let protocol = match (&written.protocol, name.as_str()) {
        (Some(protocol), _) => protocol.clone(),
        (None, "http") => Spanned::unwritten(Protocol::Http),
        (None, "https") => Spanned::unwritten(Protocol::Https),
        (None, other) => {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_MISSING_KEY,
                    format!("listener {other} has no protocol"),
                )
                .at(name.span)
                .why("only listeners that are named `http` or `https` have a default protocol")
                .help("add `protocol = \"TCP\"`; the protocols are HTTP, HTTPS, TLS, TCP and UDP"),
            );
            return None;
        }
    };
    let port = match (&written.port, protocol.value) {
        (Some(port), _) => port.clone(),
        (None, Protocol::Http) => Spanned::unwritten(Count::Number(80)),
        (None, Protocol::Https | Protocol::Tls) => Spanned::unwritten(Count::Number(443)),
        (None, Protocol::Tcp | Protocol::Udp) => {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_MISSING_KEY,
                    format!("listener {} has no port", name.value),
                )
                .at(name.span)
                .why("TCP and UDP have no default port")
                .help("add `port = …`"),
            );
            return None;
        }
    };
    let ends_tls = match (
        protocol.value,
        written.tls_mode.as_ref().map(|mode| mode.value),
    ) {
        (Protocol::Https, mode) => mode != Some(TlsMode::Passthrough),
        (Protocol::Tls, mode) => mode == Some(TlsMode::Terminate),
        _ => false,
    };
    let tls_mode = written.tls_mode.clone().or_else(|| {
        (protocol.value == Protocol::Tls).then(|| Spanned::unwritten(TlsMode::Passthrough))
    });
    let namespaces = written.namespaces.clone().or_else(|| {
        let from = match protocol.value {
            Protocol::Http => "Same",
            Protocol::Https | Protocol::Tls => "All",
            Protocol::Tcp | Protocol::Udp => return None,
        };
        Some(Namespaces::From(unwritten(from)))
    });
    let certificates = if ends_tls {
        certificates(cluster, table, name, written, problems)
    } else {
        Vec::new()
    };
    Some(Listener {
        name: name.clone(),
        protocol,
        port,
        hostname: written.hostname.clone(),
        tls_mode,
        certificates,
        kinds: written.kinds.to_vec(),
        namespaces,
        spec: written.spec.clone(),
    })
}

/// The certificates of the listener itself, or else of the gateway, or else of the cluster.
fn certificates(
    cluster: &Cluster,
    table: &config::gateway::Gateway,
    name: &Text,
    written: &config::gateway::Listener,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Text> {
    let found = [
        &written.certificates,
        &table.certificates,
        &cluster.certificates,
    ]
    .into_iter()
    .find(|certificates| certificates.is_given());
    let in_spec = written
        .spec
        .as_ref()
        .is_some_and(|spec| spec.get("tls").is_some());
    match found {
        Some(found) => found.to_vec(),
        None if in_spec => Vec::new(),
        None => {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_MISSING_KEY,
                    format!("listener {} has no certificate", name.value),
                )
                .at(name.span.or(table.address.span))
                .why("Envoy Gateway never programs a listener that terminates TLS without a certificate")
                .help(
                    "add `certificates = \"example-com-tls\"` at the top, the name of the Secret",
                ),
            );
            Vec::new()
        }
    }
}

/// The name of the listener for the hostname at a place in `passthrough`. The first one has a short name. The others are
/// named after their hostname, so that the TLSRoutes which refer to them stay attached when the list changes.
pub fn passthrough_name(at: usize, hostname: &str) -> String {
    const PREFIX: &str = "tls-passthrough";
    match at {
        0 => PREFIX.to_owned(),
        // A Flux variable can't be part of a name that TLSRoutes refer to.
        _ if variable::in_text(hostname) => format!("{PREFIX}-{}", at + 1),
        _ => format!("{PREFIX}-{}", hostname.replace('*', "wildcard")),
    }
}

/// The name of a listener for HTTPS that is named after its hostname.
pub fn https_name(hostname: &str) -> String {
    format!("https-{}", hostname.replace('*', "wildcard"))
}

/// The listeners of each domain: for the names below it, and if that is wanted, for the domain itself.
pub fn of_domains(
    table: &config::gateway::Gateway,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for (domain, settings) in table.domains.iter() {
        if variable::in_text(domain) {
            problems.push(unnamed_domain(domain));
            continue;
        }
        let flag = |flag: &Option<Spanned<bool>>| flag.as_ref().map(|flag| flag.value);
        let usual = domain.with(usual_secret(domain));
        let certificates = match settings.certificates.is_given() {
            true => settings.certificates.to_vec(),
            false => vec![usual],
        };
        let names = [
            (flag(&settings.apex) == Some(true), domain.value.clone()),
            (
                flag(&settings.wildcard) != Some(false),
                format!("*.{}", domain.value),
            ),
        ];
        let names = names.into_iter().filter(|(is_on, _)| *is_on);
        listeners.extend(names.map(|(_, hostname)| {
            Listener {
                name: domain.with(https_name(&hostname)),
                protocol: domain.with(Protocol::Https),
                port: domain.with(Count::Number(443)),
                hostname: Some(domain.with(hostname)),
                tls_mode: None,
                certificates: certificates.clone(),
                kinds: Vec::new(),
                namespaces: Some(
                    settings
                        .namespaces
                        .clone()
                        .unwrap_or_else(|| Namespaces::From(unwritten("All"))),
                ),
                spec: None,
            }
        }));
    }
    listeners
}

/// The Secret that has the certificate of a domain unless another one is named.
pub fn usual_secret(domain: &str) -> String {
    format!("{}-tls", domain.replace('.', "-"))
}

fn unnamed_domain(domain: &Text) -> Diagnostic {
    let message = format!("a domain can't be named {:?}", domain.value);
    Diagnostic::new(codes::CONFIG_INVALID_NAME, message)
        .at(domain.span)
        .why("its listeners and its Secret are named after it, and routes refer to listeners by name")
        .help("write its listeners in `listeners`, each with `hostname` and `certificates`")
}

/// A listener for each hostname in `passthrough`.
pub fn passthrough(table: &config::gateway::Gateway) -> impl Iterator<Item = Listener> {
    table.passthrough.iter().enumerate().map(|(at, hostname)| {
        let name = passthrough_name(at, hostname);
        Listener {
            name: hostname.with(name),
            protocol: hostname.with(Protocol::Tls),
            port: hostname.with(Count::Number(443)),
            hostname: Some(hostname.clone()),
            tls_mode: Some(hostname.with(TlsMode::Passthrough)),
            certificates: Vec::new(),
            kinds: Vec::new(),
            namespaces: Some(Namespaces::From(hostname.with("All".to_owned()))),
            spec: None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::passthrough_name;

    #[test]
    fn further_passthrough_listeners_are_named_after_their_hostnames() {
        let names = ["vault.example.com", "*.db.example.com", "${MAIL}"];
        let names = names.iter().enumerate();
        let names: Vec<String> = names.map(|(at, host)| passthrough_name(at, host)).collect();
        assert_eq!(
            names,
            [
                "tls-passthrough",
                "tls-passthrough-wildcard.db.example.com",
                "tls-passthrough-3"
            ]
        );
    }
}
