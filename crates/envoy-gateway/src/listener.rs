//! Checks each listener by itself: protocol, kinds of routes, namespaces, TLS, hostname.

use super::Resolver;
use super::condition::{Conditions, Status, kind};
use super::index::{NAMESPACE_NAME, label};
use super::read::{int, list, text};
use super::selector;
use super::view::{Allowed, Frontend, GatewayId, Listener, ListenerId, RouteKind, SetId};
use manifest::Object;
use manifest::value::{Node, Pointer};

impl<'a> Resolver<'a, '_> {
    /// Checks all listeners, those of gateways and of their ListenerSets, each by itself and against each other.
    pub(super) fn listeners(&mut self) {
        for at in 0..self.view.lists.gateway.len() {
            let id = GatewayId(at);
            let Some(gateway) = self.view.gateway(id).filter(|one| one.is_accepted) else {
                continue;
            };
            let object = gateway.object;
            self.add_listeners(object, id, None);
        }
        self.attach_listener_sets();
        for at in 0..self.view.lists.gateway.len() {
            self.gateway_tls(GatewayId(at));
        }
        for at in 0..self.view.lists.listener.len() {
            self.check_listener(ListenerId(at));
        }
        self.conflicts();
        for at in 0..self.view.lists.gateway.len() {
            let id = GatewayId(at);
            if self.view.gateway(id).is_some_and(|one| one.is_accepted) {
                self.check_telemetry(id);
            }
        }
        for listener in &mut self.view.lists.listener {
            conclude(listener);
        }
        self.conclude_gateways();
        self.overlaps();
        self.judge_listener_sets();
    }

    /// Adds the listeners of a Gateway or ListenerSet.
    pub(super) fn add_listeners(
        &mut self,
        object: &'a Object,
        gateway: GatewayId,
        set: Option<SetId>,
    ) {
        let root = Pointer::root().key("spec").key("listeners");
        for (at, node) in list(&object.node, &["spec", "listeners"])
            .iter()
            .enumerate()
        {
            let id = ListenerId(self.view.lists.listener.len());
            self.view
                .lists
                .listener
                .push(listener(object, node, root.index(at), gateway, set));
            if let Some(gateway) = self.view.lists.gateway.get_mut(gateway.0) {
                gateway.listeners.push(id);
            }
            if let Some(set) = set.and_then(|set| self.view.lists.set.get_mut(set.0)) {
                set.listeners.push(id);
            }
        }
    }

    fn check_listener(&mut self, id: ListenerId) {
        let Some(listener) = self.view.listener(id) else {
            return;
        };
        let mut told = ListenerConditions::default();
        let allowed = allowed_namespaces(listener, &mut told);
        let kinds = allowed_kinds(listener, &mut told);
        let names = self.check_tls(listener, &mut told);
        check_hostname(listener, &mut told);
        let Some(listener) = self.view.lists.listener.get_mut(id.0) else {
            return;
        };
        listener.allowed = allowed;
        listener.kinds = kinds;
        listener.certificate_names = names.names;
        listener.uses_sds = names.uses_sds;
        listener.is_valid = told.is_valid;
        for (kind, status, reason, message) in told.conditions {
            set(listener, kind, status, reason, message);
        }
    }

    /// Whether a listener allows routes from a namespace; `None` if the namespace's labels are not given.
    pub(super) fn allows_namespace(
        &self,
        listener: &Listener<'a>,
        namespace: &str,
    ) -> Option<bool> {
        if namespace.is_empty() && !self.index.is_complete() && listener.allowed != Allowed::All {
            // The manifest leaves its namespace to Flux.
            return None;
        }
        let object = self.index.namespace(namespace);
        if let Ok(None) = object {
            // The controller looks the namespace up first, and allows nothing from one that doesn't exist.
            return Some(false);
        }
        match listener.allowed {
            Allowed::All => Some(true),
            Allowed::Same => Some(listener.object.namespace() == namespace),
            Allowed::Nothing => Some(false),
            Allowed::Selected(by) => {
                let Some(object) = object.ok().flatten() else {
                    // Every namespace has its name as a label (Kubernetes 1.22 and later).
                    let name = |key: &str| (key == NAMESPACE_NAME).then_some(namespace);
                    let is_by_name = selector::keys(by).all(|key| key == NAMESPACE_NAME);
                    return is_by_name.then(|| selector::matches(by, name).unwrap_or_default());
                };
                Some(selector::matches(by, |key| label(object, key)).unwrap_or_default())
            }
        }
    }
}

/// The conditions of a listener, before they are written.
#[derive(Debug)]
pub(super) struct ListenerConditions {
    pub conditions: Vec<(&'static str, Status, &'static str, String)>,
    pub is_valid: bool,
}

impl Default for ListenerConditions {
    fn default() -> Self {
        ListenerConditions {
            conditions: Vec::new(),
            is_valid: true,
        }
    }
}

impl ListenerConditions {
    /// Sets a condition that makes the listener invalid.
    pub(crate) fn refuse(
        &mut self,
        kind: &'static str,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        self.is_valid = false;
        self.conditions
            .push((kind, Status::False, reason, message.into()));
    }
}

fn listener<'a>(
    object: &'a Object,
    node: &'a Node,
    pointer: Pointer,
    gateway: GatewayId,
    set: Option<SetId>,
) -> Listener<'a> {
    Listener {
        gateway,
        set,
        object,
        pointer,
        node,
        name: text(node, &["name"]).unwrap_or_default(),
        port: int(node, &["port"]).unwrap_or_default(),
        protocol: text(node, &["protocol"]).unwrap_or_default(),
        hostname: text(node, &["hostname"]),
        kinds: Vec::new(),
        allowed: Allowed::Same,
        certificate_names: Vec::new(),
        routes: Vec::new(),
        conditions: Conditions::default(),
        is_valid: true,
        has_protocol_conflict: false,
        uses_sds: false,
        frontend: Frontend::None,
    }
}

/// Sets a condition of a listener. In a ListenerSet, the reason `Invalid` has another name.
pub(super) fn set(
    listener: &mut Listener<'_>,
    kind: &'static str,
    status: Status,
    reason: &'static str,
    message: impl Into<String>,
) {
    let reason = match (reason, listener.set) {
        ("Invalid", Some(_)) => "ListenersNotValid",
        _ => reason,
    };
    listener.conditions.set(kind, status, reason, message);
}

fn allowed_namespaces<'a>(listener: &Listener<'a>, told: &mut ListenerConditions) -> Allowed<'a> {
    let namespaces = listener.node.path(&["allowedRoutes", "namespaces"]);
    match namespaces.and_then(|it| text(it, &["from"])) {
        Some("All") => Allowed::All,
        Some("Selector") => {
            let Some(selector) = namespaces.and_then(|it| it.get("selector")) else {
                let message =
                    "`allowedRoutes.namespaces.from` is Selector, but there is no `selector`";
                told.refuse(kind::PROGRAMMED, "Invalid", message);
                return Allowed::Nothing;
            };
            match selector::matches(selector, |_| None) {
                Ok(_) => Allowed::Selected(selector),
                Err(why) => {
                    let message =
                        format!("`allowedRoutes.namespaces.selector` can't be used: {why}");
                    told.refuse(kind::PROGRAMMED, "Invalid", message);
                    Allowed::Nothing
                }
            }
        }
        _ => Allowed::Same,
    }
}

/// The kinds of routes that a protocol supports; `None` if the Gateway API doesn't have the protocol.
fn kinds_of(protocol: &str, mode: Option<&str>) -> Option<&'static [RouteKind]> {
    Some(match (protocol, mode) {
        ("HTTP" | "HTTPS", _) => &[RouteKind::Http, RouteKind::Grpc],
        ("TLS", Some("Passthrough")) => &[RouteKind::Tls],
        ("TLS", _) => &[RouteKind::Tcp, RouteKind::Tls],
        ("TCP", _) => &[RouteKind::Tcp],
        ("UDP", _) => &[RouteKind::Udp],
        _ => return None,
    })
}

fn allowed_kinds(listener: &Listener<'_>, told: &mut ListenerConditions) -> Vec<RouteKind> {
    let Some(able) = kinds_of(listener.protocol, text(listener.node, &["tls", "mode"])) else {
        let message = format!(
            "protocol `{}` is not supported; HTTP, HTTPS, TLS, TCP and UDP are",
            listener.protocol
        );
        told.refuse(kind::ACCEPTED, "UnsupportedProtocol", message);
        return Vec::new();
    };
    let asked = list(listener.node, &["allowedRoutes", "kinds"]);
    if asked.is_empty() {
        return able.to_vec();
    }
    let mut kinds = Vec::new();
    for one in asked {
        let name = text(one, &["kind"]).unwrap_or_default();
        let group = one.get("group").and_then(Node::as_str);
        let found = RouteKind::parse(name).filter(|kind| able.contains(kind));
        match found.filter(|_| group.is_none_or(|group| group == super::index::GATEWAY_API)) {
            Some(kind) => kinds.push(kind),
            None => {
                let message = format!(
                    "a listener with protocol {} doesn't support {name}",
                    listener.protocol
                );
                told.refuse(kind::RESOLVED_REFS, "InvalidRouteKinds", message);
            }
        }
    }
    kinds
}

fn check_hostname(listener: &Listener<'_>, told: &mut ListenerConditions) {
    if matches!(listener.protocol, "TCP" | "UDP") && listener.node.get("hostname").is_some() {
        let message = format!(
            "a listener with protocol {} can't have a hostname",
            listener.protocol
        );
        told.refuse(kind::PROGRAMMED, "Invalid", message);
    }
}

/// Writes the conditions that follow from those that were set so far.
fn conclude(listener: &mut Listener<'_>) {
    use Status::{False, True, Unknown};
    const TAKEN: &str = "the listener is valid";
    const SENT: &str = "the listener is sent to Envoy";
    const RESOLVED: &str = "everything that it refers to exists";
    const BROKEN: &str = "the listener is not sent to Envoy; see its other conditions";
    if listener.conditions.is_empty() {
        set(listener, kind::PROGRAMMED, True, "Programmed", SENT);
        set(listener, kind::ACCEPTED, True, "Accepted", TAKEN);
        set(
            listener,
            kind::RESOLVED_REFS,
            True,
            "ResolvedRefs",
            RESOLVED,
        );
        if listener.set.is_some() {
            let message = "it conflicts with no other listener";
            set(listener, kind::CONFLICTED, False, "NoConflicts", message);
        }
        return;
    }
    let only = match listener.conditions.iter().len() {
        1 => listener.conditions.get(kind::RESOLVED_REFS).cloned(),
        _ => None,
    };
    if let Some(only) = only {
        let programmed = match (only.status, only.reason.as_ref()) {
            (Unknown, _) => Some((Unknown, super::condition::NOT_GIVEN, only.message.as_str())),
            (_, "PartiallyInvalidCertificateRef") => Some((True, "Programmed", SENT)),
            (_, "InvalidCertificateRef") => Some((False, "Invalid", BROKEN)),
            _ => None,
        };
        if let Some((status, reason, message)) = programmed {
            set(listener, kind::ACCEPTED, True, "Accepted", TAKEN);
            set(listener, kind::PROGRAMMED, status, reason, message);
            return;
        }
    }
    if listener.conditions.get(kind::PROGRAMMED).is_none() {
        set(listener, kind::PROGRAMMED, False, "Invalid", BROKEN);
    }
    if listener.conditions.get(kind::RESOLVED_REFS).is_none() {
        set(
            listener,
            kind::RESOLVED_REFS,
            True,
            "ResolvedRefs",
            RESOLVED,
        );
    }
}
