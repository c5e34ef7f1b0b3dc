//! Routes: their parents, rules and backends.

use super::{GatewayId, ListenerId, RouteId, SetId};
use crate::condition::Conditions;
use crate::fault::Faults;
use crate::index::Key;
use manifest::Object;
use manifest::value::{Node, Pointer};

/// The kinds of route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// HTTPRoute.
    Http,
    /// GRPCRoute.
    Grpc,
    /// TLSRoute.
    Tls,
    /// TCPRoute.
    Tcp,
    /// UDPRoute.
    Udp,
}

impl RouteKind {
    /// All kinds, in the order in which the controller processes them.
    pub const ALL: [RouteKind; 5] = [
        RouteKind::Http,
        RouteKind::Grpc,
        RouteKind::Tls,
        RouteKind::Tcp,
        RouteKind::Udp,
    ];

    /// The name of the kind in Kubernetes.
    pub fn as_str(self) -> &'static str {
        match self {
            RouteKind::Http => "HTTPRoute",
            RouteKind::Grpc => "GRPCRoute",
            RouteKind::Tls => "TLSRoute",
            RouteKind::Tcp => "TCPRoute",
            RouteKind::Udp => "UDPRoute",
        }
    }

    /// The kind with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A reference to a parent or an ancestor, as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference<'a> {
    /// The group as written.
    pub group: Option<&'a str>,
    /// The kind as written.
    pub kind: Option<&'a str>,
    /// The namespace as written. Without one, it is the namespace of the referring object.
    pub namespace: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// The name of the listener, if there is one.
    pub section: Option<&'a str>,
    /// The port, if there is one.
    pub port: Option<i64>,
}

impl std::fmt::Display for Reference<'_> {
    /// `namespace/name/section`; parts that are not written are empty.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (namespace, section) = (
            self.namespace.unwrap_or_default(),
            self.section.unwrap_or_default(),
        );
        write!(f, "{namespace}/{}/{section}", self.name)
    }
}

/// What a `parentRef` refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Gateway of this controller.
    Gateway(GatewayId),
    /// A ListenerSet of one of its gateways.
    Set(SetId),
    /// A Gateway or ListenerSet that is given, but belongs to another controller or is refused.
    Foreign,
    /// An object that is not given.
    NotGiven,
}

/// A route at one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The listener.
    pub listener: ListenerId,
    /// The hostnames that the route serves there: those that it shares with the listener, except for those that
    /// belong to a more specific listener. `*` stands for all. Empty for routes without hostnames (TCP, UDP), and if
    /// it is unknown.
    pub hostnames: Vec<String>,
    /// Whether Flux variables make it unknown whether the two share a hostname.
    pub is_unknown: bool,
}

/// A route under one of its parents.
#[derive(Debug)]
pub struct Parent<'a> {
    /// The `parentRef`.
    pub reference: Reference<'a>,
    /// Its index in `spec.parentRefs`.
    pub place: usize,
    /// What it refers to.
    pub target: Target,
    /// The listeners that allow the route, whether they share a hostname or not.
    pub allowed: Vec<ListenerId>,
    /// The listeners that the route is attached to.
    pub attachments: Vec<Attachment>,
    /// The first by name of the other routes that match exactly the same requests there.
    pub same_match: Option<RouteId>,
    /// The faults of its rules.
    pub faults: Faults,
    /// Its conditions.
    pub conditions: Conditions,
}

/// A backend of a rule.
#[derive(Debug)]
pub struct BackendRef<'a> {
    /// The group; empty for the core group.
    pub group: &'a str,
    /// The kind; `Service` by default.
    pub kind: &'a str,
    /// The namespace; that of the route by default.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
    /// The port, if there is one.
    pub port: Option<i64>,
    /// The weight; 1 by default.
    pub weight: i64,
    /// Its path in the route.
    pub pointer: Pointer,
    /// The object, if it is given.
    pub object: Option<&'a Object>,
    pub(crate) node: &'a Node,
}

/// A rule of a route.
#[derive(Debug)]
pub struct Rule<'a> {
    /// Its name, which is the `sectionName` of policies that target it.
    pub name: Option<&'a str>,
    /// Its backends.
    pub backends: Vec<BackendRef<'a>>,
    /// The rule itself.
    pub node: &'a Node,
}

/// A route.
#[derive(Debug)]
pub struct Route<'a> {
    /// The object.
    pub object: &'a Object,
    /// Its kind.
    pub kind: RouteKind,
    /// Its hostnames as written. If there are none, those of its listeners apply.
    pub hostnames: Vec<&'a str>,
    /// Its parents, without duplicates.
    pub parents: Vec<Parent<'a>>,
    /// Its rules.
    pub rules: Vec<Rule<'a>>,
}

impl<'a> Route<'a> {
    /// Its namespace and name.
    pub fn key(&self) -> Key<'a> {
        Key::of(self.object)
    }

    /// The parents that belong to this controller. It writes a status only for these.
    pub fn managed(&self) -> impl Iterator<Item = &Parent<'a>> {
        self.parents
            .iter()
            .filter(|parent| matches!(parent.target, Target::Gateway(_) | Target::Set(_)))
    }
}
