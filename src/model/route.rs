//! The HTTPRoutes that redirect to HTTPS, and the TCPRoutes and UDPRoutes.

use serde::Serialize;

use super::dns::prefixes;
use super::gateway::Gateway;
use super::listener::{Listener, check_port};
use super::names::{self, Rule};
use super::stream::streams;
use super::version::STREAM_ROUTES_V1;
use super::{ObjectInput, Version};
use crate::config::codes;
use crate::config::gateway::Protocol;
use crate::config::route::Redirect as Table;
use crate::config::{Cluster, Count, Text, Texts};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Spanned};

/// The values for the template of a redirect HTTPRoute.
#[derive(Clone, Debug, Serialize)]
pub struct Redirect {
    /// The name of the route.
    pub name: Text,
    /// The gateway that it belongs to; `None` for the shared one.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// The listeners that redirect.
    pub parents: Vec<Parent>,
    /// The HTTP status of the redirect.
    pub status: Spanned<Count>,
    /// The prefixes of external-dns' annotations, if DNS is enabled.
    pub dns_prefixes: Vec<Text>,
}

/// A listener that a route attaches to, as a parentRef.
#[derive(Clone, Debug, Serialize)]
pub struct Parent {
    /// The name of the gateway.
    pub gateway: Text,
    /// The gateway's namespace.
    pub namespace: Text,
    /// The name of the listener (`sectionName`). All listeners without it.
    pub listener: Option<Text>,
}

/// The gateways that a table names, or all gateways if it names none. Reports names that don't exist.
pub fn chosen(
    gateways: &[ObjectInput<Gateway>],
    names: &Texts,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Text> {
    if !names.is_given() {
        return gateways
            .iter()
            .map(|gateway| gateway.values.name.clone())
            .collect();
    }
    for name in names.iter() {
        if gateways
            .iter()
            .any(|gateway| gateway.values.name.value == name.value)
        {
            continue;
        }
        let known: Vec<&str> = gateways
            .iter()
            .map(|gateway| gateway.values.name.as_str())
            .collect();
        problems.push(unknown_gateway(name, &known));
    }
    names.to_vec()
}

/// Reports a name that no gateway has.
pub fn unknown_gateway(name: &Text, known: &[&str]) -> Diagnostic {
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None if known.is_empty() => "add a table [gateways.NAME]".to_owned(),
        None => format!("the gateways are {}", known.join(", ")),
    };
    Diagnostic::new(
        codes::CONFIG_UNKNOWN_REFERENCE,
        format!("there is no gateway {:?}", name.value),
    )
    .at(name.span)
    .why("the object that refers to it would attach to nothing, and the cluster would report no error")
    .help(help)
}

/// Builds the shared redirect, unless it is disabled or no gateway has an HTTP listener, and the redirects of
/// single gateways.
pub fn redirects(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<Redirect>> {
    let own = |name: &str| {
        let mut tables = cluster.gateways.iter();
        let (_, table) = tables.find(|(there, _)| there.value == name)?;
        table.redirect.as_ref()
    };
    let is_on = |table: &Table| table.enabled.as_ref().is_none_or(|enabled| enabled.value);
    let mut redirects = Vec::new();
    let shared = &cluster.redirect;
    if is_on(shared) {
        let mut chosen = chosen(gateways, &shared.gateways, problems);
        chosen.retain(|name| shared.gateways.is_given() || own(name).is_none());
        let name = Spanned::unwritten("https-redirect".to_owned());
        let parents = parents(gateways, &shared.gateways, chosen, namespace, problems);
        redirects.push(redirect(cluster, shared, name, None, parents, problems));
    }
    for gateway in gateways {
        let name = &gateway.values.name;
        let Some(table) = own(name).filter(|table| is_on(table)) else {
            continue;
        };
        let named = Texts {
            items: vec![name.clone()],
            span: name.span,
        };
        let parents = parents(gateways, &named, vec![name.clone()], namespace, problems);
        let default = name.clone();
        redirects.push(redirect(
            cluster,
            table,
            default,
            Some(name.clone()),
            parents,
            problems,
        ));
    }
    redirects.retain(|redirect| !redirect.values.parents.is_empty());
    redirects
}

/// The listeners of the chosen gateways that redirect. A gateway that is named but has no HTTP listener is
/// reported.
fn parents(
    gateways: &[ObjectInput<Gateway>],
    named: &Texts,
    chosen: Vec<Text>,
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Parent> {
    let mut parents = Vec::new();
    for name in chosen {
        let Some(gateway) = gateways
            .iter()
            .find(|gateway| gateway.values.name.value == name.value)
        else {
            continue;
        };
        match http_listener(&gateway.values) {
            Some(listener) => parents.push(Parent {
                gateway: name,
                namespace: namespace.clone(),
                listener: Some(listener.name.clone()),
            }),
            None if named.is_given() => problems.push(
                Diagnostic::new(
                    codes::CONFIG_UNKNOWN_REFERENCE,
                    format!("{} has no HTTP listener to redirect from", name.value),
                )
                .at(name.span)
                .why("the route would attach to nothing there")
                .help(format!(
                    "remove {} from the list, or add an HTTP listener to it",
                    name.value
                )),
            ),
            None => {}
        }
    }
    parents
}

fn redirect(
    cluster: &Cluster,
    table: &Table,
    default: Text,
    gateway: Option<Text>,
    parents: Vec<Parent>,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<Redirect> {
    let status = table
        .status
        .clone()
        .unwrap_or(Spanned::unwritten(Count::Number(301)));
    check_status(&status, problems);
    let name = table.name.clone().unwrap_or(default);
    names::check(Rule::Subdomain, "the redirect's name", &name, problems);
    let dns_on = cluster
        .dns
        .enabled
        .as_ref()
        .is_none_or(|enabled| enabled.value);
    ObjectInput {
        values: Redirect {
            name,
            gateway,
            parents,
            status,
            dns_prefixes: match dns_on {
                true => prefixes(cluster),
                false => Vec::new(),
            },
        },
        overlay: table.overlay(),
    }
}

/// Reports a status that is none of a redirect.
pub fn check_status(status: &Spanned<Count>, problems: &mut Vec<Diagnostic>) {
    if let Count::Number(number) = status.value
        && ![301, 302, 303, 307, 308].contains(&number)
    {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("a redirect can't have the status {number}"),
            )
            .at(status.span)
            .why("only these statuses redirect a browser")
            .help("write 301 or 308 (permanent), 302, 303 or 307 (temporary)"),
        );
    }
}

fn http_listener(gateway: &Gateway) -> Option<&Listener> {
    let mut http = gateway
        .listeners
        .iter()
        .filter(|listener| listener.protocol.value == Protocol::Http);
    let first = http.clone().next();
    http.find(|listener| listener.name.value == "http")
        .or(first)
}

/// The values for the template of a TCPRoute or UDPRoute.
#[derive(Clone, Debug, Serialize)]
pub struct StreamRoute {
    /// `TCPRoute` or `UDPRoute`.
    pub kind: &'static str,
    /// The version of the API group `gateway.networking.k8s.io` in which it is written.
    pub version: &'static str,
    /// The name of the route, which is the listener's name.
    pub name: Text,
    /// The namespace of the route.
    pub namespace: Text,
    /// The listeners that it attaches to.
    pub parents: Vec<Parent>,
    /// The name of the Service.
    pub backend: Text,
    /// The Service's port.
    pub port: Spanned<Count>,
}

/// Builds the routes of all streams that have a backend.
pub fn stream_routes(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    gateway_api: Version,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<StreamRoute>> {
    let mut routes = Vec::new();
    for stream in streams(cluster) {
        let table = stream.table;
        let chosen = chosen(gateways, &table.gateways, problems);
        let Some(port) = stream.port() else {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_MISSING_KEY,
                    format!("{} has no port", stream.name.value),
                )
                .at(stream.name.span)
                .why("a listener for TCP or UDP needs a port")
                .help("add `port = …`"),
            );
            continue;
        };
        check_port(&stream.name.value, &port, problems);
        let Some(backend) = &table.backend else {
            continue;
        };
        let Some(service) = backend.name.clone() else {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_MISSING_KEY,
                    format!("the backend of {} has no name", stream.name.value),
                )
                .at(stream.name.span)
                .why("the route would have no backend")
                .help("add `backend = { name = \"forgejo-ssh\" }`, the name of the Service"),
            );
            continue;
        };
        names::check(Rule::Label, "a Service's name", &service, problems);
        if let Some(port) = &backend.port {
            check_port(
                &format!("the backend of {}", stream.name.value),
                port,
                problems,
            );
        }
        let parents = chosen.into_iter().map(|gateway| Parent {
            gateway,
            namespace: namespace.clone(),
            listener: Some(stream.name.clone()),
        });
        routes.push(ObjectInput {
            values: StreamRoute {
                kind: stream.kind(),
                version: if gateway_api >= STREAM_ROUTES_V1 {
                    "v1"
                } else {
                    "v1alpha2"
                },
                name: stream.name.clone(),
                namespace: table.namespace.clone().unwrap_or_else(|| namespace.clone()),
                parents: parents.collect(),
                backend: service,
                port: backend.port.clone().unwrap_or(port),
            },
            overlay: table.overlay(),
        });
    }
    routes
}
