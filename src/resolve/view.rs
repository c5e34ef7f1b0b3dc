//! The resolved view: what is attached to what, and what the controller says of it.
//!
//! Everything refers to everything else by its place in one of the lists of [`Resolved`]; the types of the
//! places ([`GatewayId`] and its like) keep them apart.

use std::collections::BTreeMap;

use super::condition::Conditions;
use super::fault::Faults;
use super::index::Key;
use super::infra::GatewayInfra;
use super::policy::Policy;
use crate::manifest::Object;
use crate::value::{Node, Pointer};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident of $item:ident in $list:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub usize);

        impl<'a> Resolved<'a> {
            #[doc = concat!("The [`", stringify!($item), "`] at a place.")]
            pub fn $item(&self, id: $name) -> Option<&$list<'a>> {
                self.lists.$item.get(id.0)
            }
        }
    )*};
}

ids! {
    /// A place in [`Resolved::classes`].
    ClassId of class in Class;
    /// A place in [`Resolved::gateways`].
    GatewayId of gateway in Gateway;
    /// A place in [`Resolved::listener_sets`].
    SetId of set in ListenerSet;
    /// A place in [`Resolved::listeners`].
    ListenerId of listener in Listener;
    /// A place in [`Resolved::routes`].
    RouteId of route in Route;
    /// A place in [`Resolved::policies`].
    PolicyId of policy in Policy;
}

/// All that was resolved.
#[derive(Debug, Default)]
pub struct Resolved<'a> {
    pub(super) lists: Lists<'a>,
}

#[derive(Debug, Default)]
pub(super) struct Lists<'a> {
    pub class: Vec<Class<'a>>,
    pub gateway: Vec<Gateway<'a>>,
    pub set: Vec<ListenerSet<'a>>,
    pub listener: Vec<Listener<'a>>,
    pub route: Vec<Route<'a>>,
    pub policy: Vec<Policy<'a>>,
    pub backend: Vec<Backend<'a>>,
    pub proxy: Vec<Proxy<'a>>,
    pub tls: Vec<BackendTls<'a>>,
}

/// A GatewayClass of this controller, at hand or only named by gateways.
#[derive(Debug)]
pub struct Class<'a> {
    /// Its name.
    pub name: &'a str,
    /// The class itself, where it is at hand.
    pub object: Option<&'a Object>,
    /// The EnvoyProxy that its `parametersRef` names, where it is at hand.
    pub proxy: Option<&'a Object>,
    /// Whether all of its gateways share one proxy (`mergeGateways`).
    pub merges: bool,
    /// Its conditions.
    pub conditions: Conditions,
}

/// A Gateway.
#[derive(Debug)]
pub struct Gateway<'a> {
    /// The object.
    pub object: &'a Object,
    /// Its class; `None` where that is another controller's, or where nothing tells whose it is. Nothing is
    /// resolved below such a gateway, and no verdict given on what refers to it.
    pub class: Option<ClassId>,
    /// The EnvoyProxy that its own `parametersRef` names, where it is at hand.
    pub proxy: Option<&'a Object>,
    /// The settings in force of its proxies.
    pub infra: GatewayInfra<'a>,
    /// Whether all that these settings come from is at hand; where it is not, nothing that is missing in them is
    /// held against anyone.
    pub knows_settings: bool,
    /// Its listeners, then those of the ListenerSets that are attached to it.
    pub listeners: Vec<ListenerId>,
    /// Whether it is taken: its settings can be used.
    pub is_accepted: bool,
    /// Its conditions.
    pub conditions: Conditions,
}

impl<'a> Gateway<'a> {
    /// Its namespace and name.
    pub fn key(&self) -> Key<'a> {
        Key::of(self.object)
    }
}

/// A ListenerSet.
#[derive(Debug)]
pub struct ListenerSet<'a> {
    /// The object.
    pub object: &'a Object,
    /// The gateway that it belongs to, where that is at hand and this controller's.
    pub gateway: Option<GatewayId>,
    /// Its listeners; empty where it was not allowed.
    pub listeners: Vec<ListenerId>,
    /// Its conditions.
    pub conditions: Conditions,
}

impl<'a> ListenerSet<'a> {
    /// Its namespace and name.
    pub fn key(&self) -> Key<'a> {
        Key::of(self.object)
    }
}

/// From which namespaces a listener takes routes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed<'a> {
    /// Its own.
    Same,
    /// All.
    All,
    /// Those whose labels a selector matches.
    Selected(&'a Node),
    /// None: the selector can't be used.
    Nothing,
}

/// A listener of a Gateway or of a ListenerSet.
#[derive(Debug)]
pub struct Listener<'a> {
    /// The gateway that it listens for.
    pub gateway: GatewayId,
    /// The ListenerSet that it stands in; `None` where it stands in the Gateway itself.
    pub set: Option<SetId>,
    /// The object that it stands in.
    pub object: &'a Object,
    /// Where it stands there.
    pub pointer: Pointer,
    /// The listener itself.
    pub node: &'a Node,
    /// Its name, the `sectionName` of those who refer to it.
    pub name: &'a str,
    /// Its port; 0 where it gives none that is a number.
    pub port: i64,
    /// Its protocol.
    pub protocol: &'a str,
    /// Its hostname; `None` takes all.
    pub hostname: Option<&'a str>,
    /// The kinds of route that it takes.
    pub kinds: Vec<RouteKind>,
    /// The namespaces that it takes routes from.
    pub allowed: Allowed<'a>,
    /// The DNS names of its certificates, where they are at hand.
    pub certificate_names: Vec<String>,
    /// The routes that are attached, each once.
    pub routes: Vec<RouteId>,
    /// Its conditions.
    pub conditions: Conditions,
    pub(super) is_valid: bool,
    pub(super) has_protocol_conflict: bool,
    pub(super) uses_sds: bool,
    pub(super) frontend: Frontend,
}

/// What a Gateway's `tls.frontend` asks of a listener's clients.
#[derive(Clone, Debug, Default)]
pub(super) enum Frontend {
    /// Nothing.
    #[default]
    None,
    /// A certificate by these authorities.
    Valid,
    /// A certificate by authorities that can't be had.
    Broken(super::fault::Fault),
}

impl Listener<'_> {
    /// Whether Envoy is told of it; where that is not known, it is taken to be.
    pub fn is_ready(&self) -> bool {
        let programmed = self.conditions.get(super::condition::kind::PROGRAMMED);
        programmed.is_some_and(|one| one.status != super::condition::Status::False)
    }

    /// Whether a client is asked for TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.protocol, "HTTPS" | "TLS")
    }
}

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
    /// All, in the order in which the controller goes through them.
    pub const ALL: [RouteKind; 5] = [
        RouteKind::Http,
        RouteKind::Grpc,
        RouteKind::Tls,
        RouteKind::Tcp,
        RouteKind::Udp,
    ];

    /// The kind as Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            RouteKind::Http => "HTTPRoute",
            RouteKind::Grpc => "GRPCRoute",
            RouteKind::Tls => "TLSRoute",
            RouteKind::Tcp => "TCPRoute",
            RouteKind::Udp => "UDPRoute",
        }
    }

    /// The kind of that name.
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
    /// The namespace as written; that of whoever refers, where none is.
    pub namespace: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// The listener, where one is named.
    pub section: Option<&'a str>,
    /// The port, where one is named.
    pub port: Option<i64>,
}

impl std::fmt::Display for Reference<'_> {
    /// `namespace/name/section`, the parts that are not written empty.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (namespace, section) = (
            self.namespace.unwrap_or_default(),
            self.section.unwrap_or_default(),
        );
        write!(f, "{namespace}/{}/{section}", self.name)
    }
}

/// What a `parentRef` leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Gateway of this controller.
    Gateway(GatewayId),
    /// A ListenerSet of one of its gateways.
    Set(SetId),
    /// A Gateway or ListenerSet that is at hand, but not this controller's, or refused by it.
    Foreign,
    /// Nothing that is at hand.
    NotAtHand,
}

/// A route at one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The listener.
    pub listener: ListenerId,
    /// The hostnames that the route answers to there: those that route and listener share, less those that
    /// belong to a listener of their own. `*` is all. Empty for routes without hostnames (TCP, UDP), and where
    /// it is not known.
    pub hostnames: Vec<String>,
    /// Whether Flux variables keep it from being known that the two share a hostname.
    pub is_unknown: bool,
}

/// A route under one of its parents.
#[derive(Debug)]
pub struct Parent<'a> {
    /// The `parentRef`.
    pub reference: Reference<'a>,
    /// Its place in `spec.parentRefs`.
    pub place: usize,
    /// What it leads to.
    pub target: Target,
    /// The listeners that let it in, whether they share a hostname or not.
    pub allowed: Vec<ListenerId>,
    /// The listeners that it is attached to.
    pub attachments: Vec<Attachment>,
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
    /// The kind: `Service` where none is given.
    pub kind: &'a str,
    /// The namespace: the route's where none is given.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
    /// The port, where one is given.
    pub port: Option<i64>,
    /// The weight: 1 where none is given.
    pub weight: i64,
    /// Where it stands in the route.
    pub pointer: Pointer,
    /// The object, where it is at hand.
    pub object: Option<&'a Object>,
    pub(super) node: &'a Node,
}

/// A rule of a route.
#[derive(Debug)]
pub struct Rule<'a> {
    /// Its name, the `sectionName` of policies that target it.
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
    /// Its hostnames as written; none stands for those of its listeners.
    pub hostnames: Vec<&'a str>,
    /// Its parents, each once.
    pub parents: Vec<Parent<'a>>,
    /// Its rules.
    pub rules: Vec<Rule<'a>>,
}

impl<'a> Route<'a> {
    /// Its namespace and name.
    pub fn key(&self) -> Key<'a> {
        Key::of(self.object)
    }

    /// The parents that are this controller's, which are those that it writes a status for.
    pub fn managed(&self) -> impl Iterator<Item = &Parent<'a>> {
        self.parents
            .iter()
            .filter(|parent| matches!(parent.target, Target::Gateway(_) | Target::Set(_)))
    }
}

/// A Backend of Envoy Gateway.
#[derive(Debug)]
pub struct Backend<'a> {
    /// The object.
    pub object: &'a Object,
    /// Its conditions.
    pub conditions: Conditions,
}

/// An EnvoyProxy under the gateways and classes that name it.
#[derive(Debug)]
pub struct Proxy<'a> {
    /// The object.
    pub object: &'a Object,
    /// What the controller says of it under each.
    pub ancestors: Vec<(Reference<'a>, Conditions)>,
}

/// A BackendTLSPolicy under those through which its backends are used.
#[derive(Debug)]
pub struct BackendTls<'a> {
    /// The object.
    pub object: &'a Object,
    /// What the controller says of it under each.
    pub ancestors: Vec<(Reference<'a>, Conditions)>,
}

impl<'a> Resolved<'a> {
    /// The classes.
    pub fn classes(&self) -> &[Class<'a>] {
        &self.lists.class
    }

    /// The gateways at hand, others' too.
    pub fn gateways(&self) -> &[Gateway<'a>] {
        &self.lists.gateway
    }

    /// The ListenerSets at hand.
    pub fn listener_sets(&self) -> &[ListenerSet<'a>] {
        &self.lists.set
    }

    /// The listeners of this controller's gateways.
    pub fn listeners(&self) -> &[Listener<'a>] {
        &self.lists.listener
    }

    /// The routes at hand, whoever their parents are.
    pub fn routes(&self) -> &[Route<'a>] {
        &self.lists.route
    }

    /// The policies at hand.
    pub fn policies(&self) -> &[Policy<'a>] {
        &self.lists.policy
    }

    /// The Backends at hand.
    pub fn backends(&self) -> &[Backend<'a>] {
        &self.lists.backend
    }

    /// The EnvoyProxies at hand.
    pub fn proxies(&self) -> &[Proxy<'a>] {
        &self.lists.proxy
    }

    /// The BackendTLSPolicies at hand.
    pub fn backend_tls_policies(&self) -> &[BackendTls<'a>] {
        &self.lists.tls
    }

    /// The routes by kind, namespace and name.
    pub fn routes_by_key(&self) -> BTreeMap<(RouteKind, Key<'a>), RouteId> {
        let keys = self.lists.route.iter().enumerate();
        keys.map(|(at, route)| ((route.kind, route.key()), RouteId(at)))
            .collect()
    }
}
