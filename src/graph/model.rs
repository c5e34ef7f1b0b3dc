//! The content of the picture. Texts are unchanged; each output format escapes them.

use crate::page::counted;
use envoy_gateway::exposure::Side;
use envoy_gateway::policy::PolicyKind;

/// The whole picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// The gateways: external ones first, then by name.
    pub gateways: Vec<Gateway>,
    /// The routes, in the order in which they are drawn.
    pub routes: Vec<Route>,
    /// The backends, in the order of the routes.
    pub backends: Vec<Backend>,
    /// The policies, by kind and name.
    pub policies: Vec<Policy>,
}

/// The problems of an object, one per line; empty if there are none.
pub type Faults = Vec<String>;

/// The identity of an object in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The kind.
    pub kind: String,
    /// The namespace; empty if it has none.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The cluster, if the picture is of several.
    pub cluster: Option<String>,
}

impl Name {
    /// `namespace/name`, or the name alone; after the name of the cluster, if the picture is of several.
    pub fn path(&self) -> String {
        let path = match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        };
        match &self.cluster {
            Some(cluster) => format!("{cluster}: {path}"),
            None => path,
        }
    }

    /// `Kind namespace/name`.
    pub fn full(&self) -> String {
        format!("{} {}", self.kind, self.path())
    }
}

/// A gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateway {
    /// The identity of the Gateway.
    pub name: Name,
    /// The name of its GatewayClass.
    pub class: String,
    /// The side of the network that it faces.
    pub side: Side,
    /// The reason for the side; empty if it is unknown.
    pub side_why: String,
    /// The requested addresses.
    pub addresses: Vec<String>,
    /// The target of the DNS records of its routes, if an annotation sets it.
    pub target: Option<String>,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// The policies that target the whole gateway.
    pub policies: Vec<usize>,
    /// Whether the gateway is not among the objects, or its class belongs to another controller.
    pub is_foreign: bool,
    /// The problems of the gateway.
    pub faults: Faults,
}

/// A listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// The name of the listener, prefixed with the name of its ListenerSet and a slash if it has one.
    pub name: String,
    /// The protocol and the port: `HTTPS 443`.
    pub port: String,
    /// The hostname; `None` matches all.
    pub hostname: Option<String>,
    /// The namespaces whose routes it accepts, as text.
    pub namespaces: String,
    /// The policies that target the listener.
    pub policies: Vec<usize>,
    /// The problems of the listener.
    pub faults: Faults,
}

/// The parent of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkSource {
    /// A listener of a gateway.
    Listener(usize, usize),
    /// A gateway that refuses the route, or whose listeners are unknown.
    Gateway(usize),
}

impl LinkSource {
    /// The index of the gateway.
    pub fn gateway(self) -> usize {
        match self {
            LinkSource::Listener(gateway, _) | LinkSource::Gateway(gateway) => gateway,
        }
    }
}

/// A line from a parent to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The parent.
    pub from: LinkSource,
    /// Whether the route is attached to the parent.
    pub state: LinkState,
}

/// Whether a route is attached to its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkState {
    /// It is attached.
    #[default]
    Attached,
    /// Unknown, because the objects that decide it are missing.
    Unknown,
    /// The parent refuses it.
    Refused,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The identity of the route.
    pub name: Name,
    /// The Helm release that creates the route, if a chart does.
    pub release: Option<String>,
    /// The hostnames. If there are none, those of the listeners apply.
    pub hostnames: Vec<String>,
    /// Whether routes of this kind have hostnames.
    pub has_hostnames: bool,
    /// The status and target if the route does nothing but redirect: `301 https`.
    pub redirect: Option<String>,
    /// Its parents.
    pub links: Vec<Link>,
    /// The backends without duplicates. If there are several, each has its percentage of the requests
    /// (`90%`).
    pub backends: Vec<(usize, Option<String>)>,
    /// The policies that target the route or one of its rules.
    pub policies: Vec<usize>,
    /// The problems of the route.
    pub faults: Faults,
    /// What the card stands for, if it stands for several routes.
    pub held: Option<Held>,
}

/// Several routes that are drawn as one card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Their namespaces with the number of routes in each, the largest one first.
    pub namespaces: Vec<(String, usize)>,
    /// The number of routes that have a problem.
    pub bad: usize,
}

/// A backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// The identity of the Service or other backend.
    pub name: Name,
    /// The ports that routes use, in order.
    pub ports: Vec<i64>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The identity of the policy.
    pub name: Name,
    /// The kind of the policy.
    pub kind: PolicyKind,
    /// The settings of the policy, which are the keys of its `spec`.
    pub settings: Vec<String>,
    /// Whether the policy is attached to anything in the picture.
    pub is_attached: bool,
    /// The problems of the policy.
    pub faults: Faults,
}

impl Policy {
    /// A short name for the kind.
    pub fn short_kind(&self) -> &str {
        match self.kind {
            PolicyKind::Client => "client",
            PolicyKind::Backend => "backend",
            PolicyKind::Security => "security",
            PolicyKind::Extension => "extension",
            PolicyKind::Patch => "patch",
            PolicyKind::Server => &self.name.kind,
        }
    }
}

impl Picture {
    /// The numbers of objects: `2 gateways, 5 listeners, …`
    pub fn summary(&self) -> String {
        let listeners = self.gateways.iter().map(|it| it.listeners.len()).sum();
        let counts = [
            (self.gateways.len(), "gateway", "gateways"),
            (listeners, "listener", "listeners"),
            (self.routes.len(), "route", "routes"),
            (self.backends.len(), "backend", "backends"),
            (self.policies.len(), "policy", "policies"),
        ];
        let parts = counts.map(|(count, one, many)| counted(count, one, many));
        parts.join(", ")
    }

    /// The index of the route beside which a backend is drawn: the middle one of its routes.
    pub fn row_of(&self, backend: usize) -> usize {
        let routes = self.routes.iter().enumerate();
        let leads = |route: &Route| route.backends.iter().any(|(to, _)| *to == backend);
        let rows: Vec<usize> = routes
            .filter(|(_, it)| leads(it))
            .map(|(at, _)| at)
            .collect();
        let middle = rows.len().saturating_sub(1) / 2;
        rows.get(middle).copied().unwrap_or_default()
    }

    /// The side from which a route is reached: the side of its gateways if they agree.
    pub fn side_of(&self, route: &Route) -> Side {
        let mut sides = route
            .links
            .iter()
            .filter(|it| it.state != LinkState::Refused);
        let side = |link: &Link| self.gateways.get(link.from.gateway()).map(|it| it.side);
        let first = sides.next().and_then(side).unwrap_or_default();
        match sides.all(|link| side(link) == Some(first)) {
            true => first,
            // A route that is reached from both sides is reached from outside.
            false => Side::External,
        }
    }
}
