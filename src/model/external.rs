//! Hosts outside the cluster: an HTTPRoute, a Backend and a BackendTLSPolicy for each.

use std::net::IpAddr;

use serde::Serialize;

use super::attach::Wanted;
use super::gateway::Gateway;
use super::listener::check_port;
use super::names::{self, Rule};
use super::route::Parent;
use super::version::BACKEND_TLS_V1;
use super::{ObjectInput, Version};
use crate::config::external::{AddressType, External as Table, ExternalTls};
use crate::config::traffic::CaKind;
use crate::config::{Cluster, Count, Pairs, Text, codes};
use manifest::diagnostic::{Diagnostic, Spanned};

/// A host outside the cluster.
#[derive(Clone, Debug)]
pub struct External {
    /// The HTTPRoute.
    pub route: ObjectInput<Route>,
    /// The Backend.
    pub backend: ObjectInput<Backend>,
    /// The BackendTLSPolicy; `None` without TLS, and if any certificate is accepted.
    pub tls: Option<ObjectInput<BackendTls>>,
}

/// The values for the template of the HTTPRoute.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    /// The name of the route.
    pub name: Text,
    /// The hostnames.
    pub hostnames: Vec<Text>,
    /// The listeners that it attaches to.
    pub parents: Vec<Parent>,
    /// The beginning of the paths.
    pub path: Option<Text>,
    /// The `Host` header for the host.
    pub host_header: Option<Text>,
    /// The request headers to set.
    pub headers: Pairs,
    /// The timeout of a request.
    pub timeout: Option<Text>,
    /// The name of the Backend.
    pub backend: Text,
}

/// The values for the template of the Backend.
#[derive(Clone, Debug, Serialize)]
pub struct Backend {
    /// The name of the Backend.
    pub name: Text,
    /// The addresses.
    pub addresses: Vec<Text>,
    /// Whether the addresses are IP addresses, and not DNS names.
    pub is_ip: bool,
    /// The port.
    pub port: Spanned<Count>,
    /// The protocols that the host speaks.
    pub protocols: Vec<Text>,
    /// Whether any certificate is accepted; `None` if not.
    pub insecure: Option<Spanned<bool>>,
}

/// The values for the template of the BackendTLSPolicy.
#[derive(Clone, Debug, Serialize)]
pub struct BackendTls {
    /// The version of the API group `gateway.networking.k8s.io` in which it is written.
    pub version: &'static str,
    /// The name of the policy.
    pub name: Text,
    /// The name of the Backend.
    pub backend: Text,
    /// The name on the host's certificate.
    pub hostname: Text,
    /// The names of the objects with authorities; the proxy's own authorities if there are none.
    pub ca: Vec<Text>,
    /// The kind of these objects.
    pub ca_kind: Spanned<CaKind>,
}

/// Builds the objects for all external hosts.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    gateway_api: Version,
    problems: &mut Vec<Diagnostic>,
) -> Vec<External> {
    let tables = cluster.external.iter();
    let built = tables.filter_map(|(name, table)| {
        names::check(Rule::Subdomain, "an external host's name", name, problems);
        let hostnames = hostnames(cluster, name, table, problems)?;
        let wanted = Wanted {
            owner: format!("external.{}", name.value),
            name,
            gateways: &table.gateways,
            listener: table.listener.as_ref(),
            hostnames: &hostnames,
        };
        let parents = wanted.parents(gateways, namespace, problems)?;
        let is_ip = is_ip(name, table, problems)?;
        let tls = table.tls.as_ref().and_then(|tls| tls.settings());
        let port = table
            .port
            .clone()
            .unwrap_or(Spanned::unwritten(Count::Number(if tls.is_some() {
                443
            } else {
                80
            })));
        check_port(&format!("external.{}", name.value), &port, problems);
        let backend = table.backend.name.clone().unwrap_or_else(|| name.clone());
        names::check(Rule::Subdomain, "a Backend's name", &backend, problems);
        let insecure = tls.as_ref().and_then(|tls| tls.insecure.clone());
        let insecure = insecure.filter(|insecure| insecure.value);
        let policy = tls
            .as_ref()
            .filter(|_| insecure.is_none())
            .and_then(|tls| backend_tls(name, table, tls, &backend, is_ip, gateway_api, problems));
        if let (Some(insecure), Some(tls)) = (&insecure, &tls) {
            problems.extend(validates_nothing(insecure, tls));
        }
        Some(External {
            route: ObjectInput {
                values: Route {
                    name: name.clone(),
                    hostnames,
                    parents,
                    path: table.path.clone(),
                    host_header: table.host_header.clone(),
                    headers: table.headers.clone(),
                    timeout: table.timeout.clone(),
                    backend: backend.clone(),
                },
                overlay: table.overlay(),
            },
            backend: ObjectInput {
                values: Backend {
                    name: backend,
                    addresses: table.address.to_vec(),
                    is_ip,
                    port,
                    protocols: table.backend.protocols.to_vec(),
                    insecure,
                },
                overlay: table.backend.overlay(),
            },
            tls: policy,
        })
    });
    built.collect()
}

/// The hostnames as they are written, or the table's name below the domain.
fn hostnames(
    cluster: &Cluster,
    name: &Text,
    table: &Table,
    problems: &mut Vec<Diagnostic>,
) -> Option<Vec<Text>> {
    let hostnames = match (table.hostnames.is_given(), &cluster.domain) {
        (true, _) => table.hostnames.to_vec(),
        (false, Some(domain)) => vec![name.with(format!("{}.{}", name.value, domain.value))],
        (false, None) => {
            problems.push(missing(
                format!("external.{} has no hostname", name.value),
                name,
                "without a hostname, its route would take every request of the gateway",
                "add `hostnames = \"nas.example.com\"`, or a `domain` at the top",
            ));
            return None;
        }
    };
    for hostname in &hostnames {
        names::check(Rule::Hostname, "a hostname", hostname, problems);
    }
    Some(hostnames)
}

/// Whether the addresses are IP addresses. Reports addresses that can't be used.
fn is_ip(name: &Text, table: &Table, problems: &mut Vec<Diagnostic>) -> Option<bool> {
    let Some(first) = table.address.first() else {
        problems.push(missing(
            format!("external.{} has no address", name.value),
            name,
            "the gateway would not know where to forward requests to",
            "add `address = \"10.10.30.40\"`, or a DNS name",
        ));
        return None;
    };
    if let Some(given) = &table.address_type {
        return Some(given.value == AddressType::Ip);
    }
    let parsed = |text: &Text| text.parse::<IpAddr>().is_ok();
    for address in table.address.iter() {
        if !parsed(address) {
            problems.extend(no_host(address));
        }
        if parsed(address) != parsed(first) {
            let message = "an address is an IP address, and another one is a DNS name";
            problems.push(
                Diagnostic::new(codes::CONFIG_CONTRADICTION, message)
                    .at(address.span)
                    .related(first.span, "the first address")
                    .why("Envoy Gateway refuses a Backend that mixes them")
                    .help("write addresses of one kind, or make two tables"),
            );
            return None;
        }
    }
    let is_variable = |text: &Text| text.starts_with("${") && text.ends_with('}');
    if let Some(unknown) = table.address.iter().find(|text| is_variable(text)) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!(
                    "it is not known whether {:?} is an IP address or a DNS name",
                    unknown.value
                ),
            )
            .at(unknown.span)
            .why("a Backend has a different field for each")
            .help("add `address_type = \"ip\"` or `address_type = \"name\"`"),
        );
        return None;
    }
    Some(parsed(first))
}

/// Reports an address that is a URL, has a port, or can't be a DNS name.
fn no_host(address: &Text) -> Option<Diagnostic> {
    if names::follows(Rule::Subdomain, address) {
        return None;
    }
    let help = match address.contains(':') || address.contains('/') {
        true => "write the host alone; `port`, `path` and `tls` are keys of their own",
        false => "write an IP address (10.10.30.40) or a DNS name (nas.example.com)",
    };
    let message = format!(
        "{:?} is neither an IP address nor a DNS name",
        address.value
    );
    Some(
        Diagnostic::new(codes::CONFIG_INVALID_VALUE, message)
            .at(address.span)
            .why("the gateway could not reach it")
            .help(help),
    )
}

fn backend_tls(
    name: &Text,
    table: &Table,
    tls: &ExternalTls,
    backend: &Text,
    is_ip: bool,
    gateway_api: Version,
    problems: &mut Vec<Diagnostic>,
) -> Option<ObjectInput<BackendTls>> {
    let default = table.address.first().filter(|_| !is_ip);
    let Some(hostname) = tls.hostname.as_ref().or(default).cloned() else {
        problems.push(missing(
            format!("the TLS of external.{} has no hostname", name.value),
            name,
            "the certificate of a host is validated by its name, and an IP address has none",
            "add `tls.hostname = \"nas.example.com\"`, the name on the certificate; or `tls.insecure = true` to accept any certificate",
        ));
        return None;
    };
    if tls.hostname.is_some() {
        names::check(Rule::Subdomain, "a TLS hostname", &hostname, problems);
    }
    let name = tls.name.clone().unwrap_or_else(|| backend.clone());
    names::check(
        Rule::Subdomain,
        "a BackendTLSPolicy's name",
        &name,
        problems,
    );
    Some(ObjectInput {
        values: BackendTls {
            version: match gateway_api >= BACKEND_TLS_V1 {
                true => "v1",
                false => "v1alpha3",
            },
            name,
            backend: backend.clone(),
            hostname,
            ca: tls.ca.to_vec(),
            ca_kind: tls
                .ca_kind
                .clone()
                .unwrap_or(Spanned::unwritten(CaKind::ConfigMap)),
        },
        overlay: tls.overlay(),
    })
}

/// Reports settings that validate a certificate beside one that accepts any.
fn validates_nothing(insecure: &Spanned<bool>, tls: &ExternalTls) -> Option<Diagnostic> {
    let hostname = tls.hostname.as_ref().and_then(|name| name.span);
    let other = tls.ca.span.or(hostname)?;
    Some(
        Diagnostic::new(
            codes::CONFIG_CONTRADICTION,
            "`insecure` accepts any certificate, but other keys say how to validate it",
        )
        .at(insecure.span)
        .related(Some(other), "this would have no effect")
        .why("the gateway would connect to anybody who answers at this address")
        .help("remove `insecure`, or the keys `hostname` and `ca`"),
    )
}

fn missing(message: String, name: &Text, why: &str, help: &str) -> Diagnostic {
    Diagnostic::new(codes::CONFIG_MISSING_KEY, message)
        .at(name.span)
        .why(why)
        .help(help)
}
