//! The redirect, and TCP and UDP through the gateways.

use serde::Serialize;

use super::gateway::{Gateway, dns_prefix};
use super::listener::{Listener, check_port};
use super::names::{self, Rule};
use super::stream::streams;
use super::version::STREAM_ROUTES_V1;
use super::{Laid, Version};
use crate::codes;
use crate::config::gateway::Protocol;
use crate::config::route::Redirect as Table;
use crate::config::{Cluster, Count, Text, Texts};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Spanned};

/// The redirect's HTTPRoute, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Redirect {
    /// Its name.
    pub name: Text,
    /// The gateway whose own it is; none of the shared one.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// The listeners that redirect.
    pub parents: Vec<Parent>,
    /// The status.
    pub status: Spanned<Count>,
    /// The prefix of external-dns' annotations, where DNS is on.
    pub dns_prefix: Option<Text>,
}

/// A listener that a route attaches to.
#[derive(Clone, Debug, Serialize)]
pub struct Parent {
    /// The gateway.
    pub gateway: Text,
    /// The gateway's namespace.
    pub namespace: Text,
    /// The listener.
    pub listener: Text,
}

/// Finds the gateways that a table names; all of them where it names none.
pub fn chosen(
    gateways: &[Laid<Gateway>],
    names: &Texts,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Text> {
    if !names.is_given() {
        return gateways
            .iter()
            .map(|gateway| gateway.of.name.clone())
            .collect();
    }
    for name in names.iter() {
        if gateways
            .iter()
            .any(|gateway| gateway.of.name.value == name.value)
        {
            continue;
        }
        let known: Vec<&str> = gateways
            .iter()
            .map(|gateway| gateway.of.name.as_str())
            .collect();
        problems.push(unknown_gateway(name, &known));
    }
    names.to_vec()
}

/// A gateway that is named but not there.
pub fn unknown_gateway(name: &Text, known: &[&str]) -> Diagnostic {
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None if known.is_empty() => "add a table [gateways.NAME]".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    Diagnostic::new(
        codes::CONFIG_UNKNOWN_REFERENCE,
        format!("there is no gateway {:?}", name.value),
    )
    .at(name.span)
    .why("what names it would attach to nothing, without a word from the cluster")
    .help(help)
}

/// The shared redirect, unless it is off or no gateway has a listener for it, and gateways' own.
pub fn redirects(
    cluster: &Cluster,
    gateways: &[Laid<Gateway>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Laid<Redirect>> {
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
        let name = &gateway.of.name;
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
    redirects.retain(|redirect| !redirect.of.parents.is_empty());
    redirects
}

/// The listeners of the chosen gateways that redirect; one that was named and has none is reported.
fn parents(
    gateways: &[Laid<Gateway>],
    named: &Texts,
    chosen: Vec<Text>,
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Parent> {
    let mut parents = Vec::new();
    for name in chosen {
        let Some(gateway) = gateways
            .iter()
            .find(|gateway| gateway.of.name.value == name.value)
        else {
            continue;
        };
        match http_listener(&gateway.of) {
            Some(listener) => parents.push(Parent {
                gateway: name,
                namespace: namespace.clone(),
                listener: listener.name.clone(),
            }),
            None if named.is_given() => problems.push(
                Diagnostic::new(
                    codes::CONFIG_UNKNOWN_REFERENCE,
                    format!("{} has no HTTP listener to redirect from", name.value),
                )
                .at(name.span)
                .why("the route would attach to nothing there")
                .help(format!(
                    "take {} out of the list, or give it an HTTP listener",
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
) -> Laid<Redirect> {
    let status = table
        .status
        .clone()
        .unwrap_or(Spanned::unwritten(Count::Number(301)));
    if let Count::Number(number) = status.value
        && ![301, 302, 303, 307, 308].contains(&number)
    {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("a redirect can't have the status {number}"),
            )
            .at(status.span)
            .why("only some statuses make a browser go elsewhere")
            .help("write 301 or 308 (for good), 302, 303 or 307 (for now)"),
        );
    }
    let name = table.name.clone().unwrap_or(default);
    names::check(Rule::Subdomain, "the redirect's name", &name, problems);
    let dns_on = cluster
        .dns
        .enabled
        .as_ref()
        .is_none_or(|enabled| enabled.value);
    Laid {
        of: Redirect {
            name,
            gateway,
            parents,
            status,
            dns_prefix: dns_on.then(|| dns_prefix(cluster)),
        },
        overlay: table.overlay(),
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

/// A TCPRoute or UDPRoute, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct StreamRoute {
    /// `TCPRoute` or `UDPRoute`.
    pub kind: &'static str,
    /// The version of `gateway.networking.k8s.io` that it is written in.
    pub version: &'static str,
    /// Its name: the listener's.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
    /// The listeners that it attaches to.
    pub parents: Vec<Parent>,
    /// The Service.
    pub backend: Text,
    /// The Service's port.
    pub port: Spanned<Count>,
}

/// The routes of all streams that have a backend.
pub fn stream_routes(
    cluster: &Cluster,
    gateways: &[Laid<Gateway>],
    namespace: &Text,
    gateway_api: Version,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Laid<StreamRoute>> {
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
                .why("a listener for TCP or UDP needs one")
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
                .why("the route would lead nowhere")
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
            listener: stream.name.clone(),
        });
        routes.push(Laid {
            of: StreamRoute {
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
