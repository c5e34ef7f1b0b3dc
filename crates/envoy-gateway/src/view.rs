//! The resolved view: what is attached to what, and the conditions of each object.
//!
//! Everything refers to everything else by its index in one of the lists of [`Resolved`]. Each list has an index type
//! of its own ([`GatewayId`] and so on), so that they can't be confused.

mod route;

use std::collections::{BTreeMap, HashMap};

pub use route::{Attachment, BackendRef, Parent, Reference, Route, RouteKind, Rule, Target};

use super::condition::Conditions;
use super::declared::{Declared, DeclaredTunnel};
use super::index::Key;
use super::infra::GatewayInfra;
use super::policy::Policy;
use manifest::Object;
use manifest::value::{Node, Pointer};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident of $item:ident in $list:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub usize);

        impl<'a> Resolved<'a> {
            #[doc = concat!("The ", stringify!($item), " with this id.")]
            pub fn $item(&self, id: $name) -> Option<&$list<'a>> {
                self.lists.$item.get(id.0)
            }
        }
    )*};
}

ids! {
    /// An index into [`Resolved::classes`].
    ClassId of class in Class;
    /// An index into [`Resolved::gateways`].
    GatewayId of gateway in Gateway;
    /// An index into [`Resolved::listener_sets`].
    SetId of set in ListenerSet;
    /// An index into [`Resolved::listeners`].
    ListenerId of listener in Listener;
    /// An index into [`Resolved::routes`].
    RouteId of route in Route;
    /// An index into [`Resolved::policies`].
    PolicyId of policy in Policy;
}

/// Everything that was resolved.
#[derive(Debug, Default)]
pub struct Resolved<'a> {
    pub(super) lists: Lists<'a>,
    pub(super) declared: Declared,
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

/// A GatewayClass of this controller, which is given or only named by gateways.
#[derive(Debug)]
pub struct Class<'a> {
    /// Its name.
    pub name: &'a str,
    /// The GatewayClass, if it is given.
    pub object: Option<&'a Object>,
    /// The EnvoyProxy that its `parametersRef` names, if it is given.
    pub proxy: Option<&'a Object>,
    /// Whether all its gateways share one proxy (`mergeGateways`).
    pub merges: bool,
    /// Its conditions.
    pub conditions: Conditions,
}

/// A Gateway.
#[derive(Debug)]
pub struct Gateway<'a> {
    /// The object.
    pub object: &'a Object,
    /// Its class. `None` if the class belongs to another controller, or if that is not known. Nothing is resolved
    /// below such a gateway, and nothing that refers to it gets a condition.
    pub class: Option<ClassId>,
    /// The EnvoyProxy that its own `parametersRef` names, if it is given.
    pub proxy: Option<&'a Object>,
    /// The settings in force of its proxies.
    pub infra: GatewayInfra<'a>,
    /// Whether everything that these settings come from is given. If not, missing settings are no fault.
    pub knows_settings: bool,
    /// Its own listeners, then those of the ListenerSets that are attached to it.
    pub listeners: Vec<ListenerId>,
    /// Whether it is accepted: its settings can be used.
    pub is_accepted: bool,
    /// The tunnel that brings requests from the Internet to it, if somebody states that there is one.
    pub tunnel: Option<DeclaredTunnel>,
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
    /// The gateway that it belongs to, if that is given and belongs to this controller.
    pub gateway: Option<GatewayId>,
    /// Its listeners; empty if the gateway doesn't allow the ListenerSet.
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

/// The namespaces that a listener allows routes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed<'a> {
    /// Its own namespace.
    Same,
    /// All namespaces.
    All,
    /// The namespaces whose labels match a selector.
    Selected(&'a Node),
    /// No namespace, because the selector is invalid.
    Nothing,
}

/// A listener of a Gateway or of a ListenerSet.
#[derive(Debug)]
pub struct Listener<'a> {
    /// The gateway that it belongs to.
    pub gateway: GatewayId,
    /// The ListenerSet that contains it; `None` if the Gateway itself does.
    pub set: Option<SetId>,
    /// The object that contains it.
    pub object: &'a Object,
    /// Its path in that object.
    pub pointer: Pointer,
    /// The listener itself.
    pub node: &'a Node,
    /// Its name, which is the `sectionName` of references to it.
    pub name: &'a str,
    /// Its port; 0 if it has no valid one.
    pub port: i64,
    /// Its protocol.
    pub protocol: &'a str,
    /// Its hostname; `None` matches all.
    pub hostname: Option<&'a str>,
    /// The kinds of routes that it allows.
    pub kinds: Vec<RouteKind>,
    /// The namespaces that it allows routes from.
    pub allowed: Allowed<'a>,
    /// The DNS names of its certificates, if they are given.
    pub certificate_names: Vec<String>,
    /// The attached routes, without duplicates.
    pub routes: Vec<RouteId>,
    /// Its conditions.
    pub conditions: Conditions,
    pub(super) is_valid: bool,
    pub(super) has_protocol_conflict: bool,
    pub(super) uses_sds: bool,
    pub(super) frontend: Frontend,
}

/// What a Gateway's `tls.frontend` requires of a listener's clients.
#[derive(Clone, Debug, Default)]
pub(super) enum Frontend {
    /// Nothing.
    #[default]
    None,
    /// A certificate that one of these authorities has signed.
    Valid,
    /// A certificate, but its authorities can't be used.
    Broken(super::fault::Fault),
}

impl Listener<'_> {
    /// Whether it is sent to Envoy. If that is unknown, it counts as sent.
    pub fn is_ready(&self) -> bool {
        let programmed = self.conditions.get(super::condition::kind::PROGRAMMED);
        programmed.is_some_and(|one| one.status != super::condition::Status::False)
    }

    /// Whether clients have to use TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.protocol, "HTTPS" | "TLS")
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

/// An EnvoyProxy, and the gateways and classes that name it.
#[derive(Debug)]
pub struct Proxy<'a> {
    /// The object.
    pub object: &'a Object,
    /// The conditions under each of them.
    pub ancestors: Vec<(Reference<'a>, Conditions)>,
}

/// A BackendTLSPolicy, and the gateways through which its backends are used.
#[derive(Debug)]
pub struct BackendTls<'a> {
    /// The object.
    pub object: &'a Object,
    /// The conditions under each of them.
    pub ancestors: Vec<(Reference<'a>, Conditions)>,
}

impl<'a> Resolved<'a> {
    /// What is managed elsewhere, and taken as a fact.
    pub fn declared(&self) -> &Declared {
        &self.declared
    }

    /// The classes.
    pub fn classes(&self) -> &[Class<'a>] {
        &self.lists.class
    }

    /// The given gateways, including those of other controllers.
    pub fn gateways(&self) -> &[Gateway<'a>] {
        &self.lists.gateway
    }

    /// The given ListenerSets.
    pub fn listener_sets(&self) -> &[ListenerSet<'a>] {
        &self.lists.set
    }

    /// The listeners of this controller's gateways.
    pub fn listeners(&self) -> &[Listener<'a>] {
        &self.lists.listener
    }

    /// The given routes, whoever their parents belong to.
    pub fn routes(&self) -> &[Route<'a>] {
        &self.lists.route
    }

    /// The given policies.
    pub fn policies(&self) -> &[Policy<'a>] {
        &self.lists.policy
    }

    /// The given Backends.
    pub fn backends(&self) -> &[Backend<'a>] {
        &self.lists.backend
    }

    /// The given EnvoyProxies.
    pub fn proxies(&self) -> &[Proxy<'a>] {
        &self.lists.proxy
    }

    /// The given BackendTLSPolicies.
    pub fn backend_tls_policies(&self) -> &[BackendTls<'a>] {
        &self.lists.tls
    }

    /// How often routes are attached to each listener, as in its status: a route that names a listener under two
    /// parents counts twice.
    pub fn attached_routes(&self) -> HashMap<ListenerId, usize> {
        let mut counts = HashMap::new();
        let parents = self.lists.route.iter().flat_map(|route| &route.parents);
        for attachment in parents.flat_map(|parent| &parent.attachments) {
            *counts.entry(attachment.listener).or_default() += 1;
        }
        counts
    }

    /// The routes by kind, namespace and name.
    pub fn routes_by_key(&self) -> BTreeMap<(RouteKind, Key<'a>), RouteId> {
        let keys = self.lists.route.iter().enumerate();
        keys.map(|(at, route)| ((route.kind, route.key()), RouteId(at)))
            .collect()
    }
}
