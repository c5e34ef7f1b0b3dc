//! What is in the picture. Texts are as the objects have them; each format escapes for itself.

use envoy_gateway::exposure::Side;
use envoy_gateway::policy::PolicyKind;

/// The whole picture, from left to right.
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

/// What is wrong with something, a line each; empty where nothing is.
pub type Faults = Vec<String>;

/// What stands in the picture for an object in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The kind.
    pub kind: String,
    /// The namespace; empty where it has none.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Name {
    /// `namespace/name`, or the name alone.
    pub fn path(&self) -> String {
        match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
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
    /// The Gateway.
    pub name: Name,
    /// Its class.
    pub class: String,
    /// Which side of the network it faces.
    pub side: Side,
    /// What tells that; empty where nothing does.
    pub side_why: String,
    /// The addresses that it asks for.
    pub addresses: Vec<String>,
    /// Where the DNS records of its routes lead, where it is said.
    pub target: Option<String>,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// The policies on all of it.
    pub policies: Vec<usize>,
    /// Whether it is nobody's that is known: not at hand, or of a class that isn't this controller's.
    pub is_foreign: bool,
    /// What is wrong with it.
    pub faults: Faults,
}

/// A listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// Its name; behind that of its ListenerSet and a slash, where it has one.
    pub name: String,
    /// Its protocol and port: `HTTPS 443`.
    pub port: String,
    /// Its hostname; `None` takes all.
    pub hostname: Option<String>,
    /// The namespaces that it takes routes from, in words.
    pub namespaces: String,
    /// The policies on it.
    pub policies: Vec<usize>,
    /// What is wrong with it.
    pub faults: Faults,
}

/// What a route hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum From {
    /// A listener of a gateway.
    Listener(usize, usize),
    /// A gateway that would not have it, or whose listeners are not known.
    Gateway(usize),
}

impl From {
    /// The gateway.
    pub fn gateway(self) -> usize {
        match self {
            From::Listener(gateway, _) | From::Gateway(gateway) => gateway,
        }
    }
}

/// A line from a parent to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// What it hangs on.
    pub from: From,
    /// What the parent says of it.
    pub hold: Hold,
}

/// Whether a route hangs on its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// It does.
    #[default]
    Attached,
    /// What decides it is not at hand.
    Unknown,
    /// The parent refuses it.
    Refused,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The route.
    pub name: Name,
    /// The Helm release that makes it, where a chart does.
    pub release: Option<String>,
    /// Its hostnames; none takes those of its listeners.
    pub hostnames: Vec<String>,
    /// Whether routes of its kind have hostnames.
    pub has_hostnames: bool,
    /// Where it sends clients, where all it does is a redirect: `301 https`.
    pub redirect: Option<String>,
    /// Its parents.
    pub links: Vec<Link>,
    /// Its backends, each once, with the part of the requests that each gets where there are several (`90%`).
    pub backends: Vec<(usize, Option<String>)>,
    /// The policies on it, or on one of its rules.
    pub policies: Vec<usize>,
    /// What is wrong with it.
    pub faults: Faults,
}

/// A backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// The Service, or whatever it is.
    pub name: Name,
    /// The ports that are used, in order.
    pub ports: Vec<i64>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The policy.
    pub name: Name,
    /// Its kind.
    pub kind: PolicyKind,
    /// The settings that it makes: the keys of its `spec`.
    pub settings: Vec<String>,
    /// Whether it holds anywhere.
    pub is_attached: bool,
    /// What is wrong with it.
    pub faults: Faults,
}

impl Policy {
    /// The kind in a word or two.
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
    /// What is there in numbers: `2 gateways, 5 listeners, …`
    pub fn summary(&self) -> String {
        let listeners = self.gateways.iter().map(|it| it.listeners.len()).sum();
        let counts = [
            (self.gateways.len(), "gateway", "gateways"),
            (listeners, "listener", "listeners"),
            (self.routes.len(), "route", "routes"),
            (self.backends.len(), "backend", "backends"),
            (self.policies.len(), "policy", "policies"),
        ];
        let parts = counts.map(|(count, one, many)| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        });
        parts.join(", ")
    }

    /// The route beside which a backend stands: the middle one of those that lead to it.
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

    /// Which side a route is reached from: that of its gateways where they agree.
    pub fn side_of(&self, route: &Route) -> Side {
        let mut sides = route.links.iter().filter(|it| it.hold != Hold::Refused);
        let side = |link: &Link| self.gateways.get(link.from.gateway()).map(|it| it.side);
        let first = sides.next().and_then(side).unwrap_or_default();
        match sides.all(|link| side(link) == Some(first)) {
            true => first,
            // What is reached from both is reached from outside.
            false => Side::External,
        }
    }
}
