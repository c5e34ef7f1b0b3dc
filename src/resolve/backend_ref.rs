//! References to backends: whether they are there, may be referred to, and have endpoints.

use super::Resolver;
use super::backend::{is_dynamic, is_mixed, named};
use super::condition::{Conditions, Status, kind};
use super::fault::Fault;
use super::grant::From;
use super::index::{ENVOY_GATEWAY, GATEWAY_API, Key, MULTI_CLUSTER};
use super::read::{flag, has, int, list, text};
use super::tls::data;
use super::view::{GatewayId, Reference, RouteKind};
use crate::manifest::Object;
use crate::value::Node;

/// The protocol of a Service's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        }
    }
}

/// A reference to a backend, and who refers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want<'n> {
    /// The reference.
    pub node: &'n Node,
    /// The namespace of whoever refers.
    pub namespace: &'n str,
    /// What the port must speak.
    pub protocol: Protocol,
    /// Whether a Backend may have a Unix socket.
    pub allows_sockets: bool,
}

impl<'n> Want<'n> {
    pub fn kind(&self) -> &'n str {
        text(self.node, &["kind"]).unwrap_or("Service")
    }

    pub fn key(&self) -> Key<'n> {
        Key {
            namespace: text(self.node, &["namespace"]).unwrap_or(self.namespace),
            name: text(self.node, &["name"]).unwrap_or_default(),
        }
    }

    fn group(&self) -> &'n str {
        text(self.node, &["group"]).unwrap_or_default()
    }

    fn port(&self) -> Option<i64> {
        int(self.node, &["port"])
    }
}

impl<'a> Resolver<'a, '_> {
    /// All that the controller asks of a route's reference to a backend, filters aside.
    pub(super) fn check_backend_ref(
        &mut self,
        want: &Want<'a>,
        route: RouteKind,
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
    ) -> Result<(), Fault> {
        let from = From {
            group: GATEWAY_API,
            kind: route.as_str(),
            namespace: want.namespace,
        };
        if self.is_extension(want.group(), want.kind()) {
            self.permit(from, want.group(), want.kind(), want.key())?;
            let missing = |what| Fault::new("BackendNotFound", what);
            return self
                .index
                .find(want.kind(), want.key(), missing)
                .map(|_| ());
        }
        if !matches!(want.group(), "" | MULTI_CLUSTER | ENVOY_GATEWAY)
            || !matches!(want.kind(), "Service" | "ServiceImport" | "Backend")
        {
            return Err(Fault::new(
                "InvalidKind",
                format!(
                    "a {} of group `{}` can't be a backend; a Service, a ServiceImport or Envoy Gateway's Backend can",
                    want.kind(),
                    want.group()
                ),
            ));
        }
        self.permit(from, want.group(), want.kind(), want.key())?;
        if want.kind() != "Backend" && want.port().is_none() {
            return Err(Fault::new(
                "PortNotSpecified",
                format!("which port of {} {}?", want.kind(), want.key()),
            ));
        }
        self.check_object(want)?;
        if int(want.node, &["weight"]) == Some(0) {
            return Ok(());
        }
        self.apply_backend_tls(want, under, gateway)
            .map_err(|fault| fault.because("InvalidBackendTLS"))?;
        self.endpoints(want, gateway)
    }

    /// Whether a group and kind are an extension server's.
    pub(super) fn is_extension(&self, group: &str, kind: &str) -> bool {
        let all = &self.settings.extensions;
        all.iter().any(|(its, name)| its == group && name == kind)
    }

    /// Whether the object that is referred to is there, and has the port.
    pub(super) fn check_object(&self, want: &Want<'_>) -> Result<(), Fault> {
        let key = want.key();
        let missing = |what| Fault::new("BackendNotFound", what);
        match want.kind() {
            "Service" => {
                let service = self.index.find("Service", key, missing)?;
                if text(&service.node, &["spec", "type"]) == Some("ExternalName") {
                    return Err(Fault::new(
                        "UnsupportedValue",
                        format!(
                            "Service {key} is an ExternalName, which has no endpoints; write a Backend with an `fqdn`"
                        ),
                    ));
                }
                self.check_port(service, want)
            }
            "ServiceImport" => {
                let service = self.index.find("ServiceImport", key, missing)?;
                self.check_port(service, want)
            }
            "Backend" => {
                if !self.settings.features.backend {
                    return Err(Fault::new(
                        "UnsupportedValue",
                        "the controller's configuration leaves Backend off (`enableBackend`)",
                    ));
                }
                let backend = self.index.find("Backend", key, missing)?;
                self.check_backend(backend)?;
                let sockets = list(&backend.node, &["spec", "endpoints"]).iter();
                if !want.allows_sockets && sockets.into_iter().any(|it| has(it, &["unix"])) {
                    return Err(Fault::new(
                        "UnsupportedAddressType",
                        format!(
                            "{} has a Unix socket, which a route can't reach",
                            named(key)
                        ),
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_port(&self, service: &'a Object, want: &Want<'_>) -> Result<(), Fault> {
        let mut ports = list(&service.node, &["spec", "ports"]).iter();
        let is_it = |port: &Node| {
            int(port, &["port"]) == want.port()
                && text(port, &["protocol"]).unwrap_or("TCP") == want.protocol.as_str()
        };
        match ports.any(is_it) {
            true => Ok(()),
            false => Err(Fault::new(
                "PortNotFound",
                format!(
                    "{} {} has no {} port {}",
                    want.kind(),
                    want.key(),
                    want.protocol.as_str(),
                    want.port().unwrap_or_default()
                ),
            )),
        }
    }

    /// Whether there are endpoints, and of one kind. Without a single EndpointSlice at hand nobody can tell:
    /// no tree has them, only a cluster.
    pub(super) fn endpoints(
        &self,
        want: &Want<'_>,
        gateway: Option<GatewayId>,
    ) -> Result<(), Fault> {
        const MIXED: &str = "UnsupportedAddressType";
        let key = want.key();
        if want.kind() == "Backend" {
            let backend = self.index.here("Backend", key);
            return match backend.is_some_and(is_mixed) {
                true => Err(Fault::new(
                    MIXED,
                    format!("{} mixes hostnames with addresses", named(key)),
                )),
                false => Ok(()),
            };
        }
        let settings = gateway.and_then(|id| self.view.gateway(id)?.settings.as_ref());
        let by_service = settings.and_then(|it| text(it, &["routingType"])) == Some("Service");
        let Some(service) = self.index.here(want.kind(), key) else {
            return Ok(());
        };
        let is_headless = match want.kind() {
            "Service" => text(&service.node, &["spec", "clusterIP"]) == Some("None"),
            _ => list(&service.node, &["spec", "ips"]).is_empty(),
        };
        if !self.index.is_complete()
            || self.index.all("EndpointSlice").is_empty()
            || (by_service && !is_headless)
        {
            return Ok(());
        }
        let ports = list(&service.node, &["spec", "ports"]).iter();
        let port = ports
            .into_iter()
            .find(|port| int(port, &["port"]) == want.port());
        let name = port
            .and_then(|port| text(port, &["name"]))
            .unwrap_or_default();
        let slices = self.index.slices(want.kind(), key);
        let has_endpoint = slices.iter().any(|slice| {
            let fits = |port: &Node| {
                text(port, &["name"]).unwrap_or_default() == name
                    && text(port, &["protocol"]).unwrap_or("TCP") == want.protocol.as_str()
            };
            let endpoints = list(&slice.node, &["endpoints"]).iter();
            let has_address = endpoints
                .into_iter()
                .any(|it| !list(it, &["addresses"]).is_empty());
            has_address && list(&slice.node, &["ports"]).iter().any(fits)
        });
        if !has_endpoint {
            return Err(Fault::new(
                "EndpointsNotFound",
                format!(
                    "{} {key} has no endpoint for port {}",
                    want.kind(),
                    want.port().unwrap_or_default()
                ),
            ));
        }
        let named = slices
            .iter()
            .filter(|slice| text(&slice.node, &["addressType"]) == Some("FQDN"))
            .count();
        if !by_service && named > 0 && named < slices.len() {
            return Err(Fault::new(
                MIXED,
                format!(
                    "the endpoints of {} {key} mix hostnames with addresses",
                    want.kind()
                ),
            ));
        }
        Ok(())
    }

    /// Whether TLS towards a backend can be had: by the Backend itself, a BackendTLSPolicy, the gateway's own
    /// certificate. Writes the policy's status under whoever refers.
    pub(super) fn apply_backend_tls(
        &mut self,
        want: &Want<'_>,
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
    ) -> Result<(), Fault> {
        let key = want.key();
        let mut is_tls = false;
        let mut is_checked = false;
        if want.kind() == "Backend"
            && let Some(backend) = self.index.here("Backend", key)
            && let Some(tls) = backend.node.path(&["spec", "tls"])
        {
            is_tls = true;
            let is_trusting = flag(tls, &["insecureSkipVerify"]) == Some(true);
            let refs = list(tls, &["caCertificateRefs"]);
            is_checked = is_trusting;
            if !is_trusting {
                if text(tls, &["wellKnownCACertificates"]) == Some("System") {
                    is_checked = true;
                } else if !refs.is_empty() {
                    let from = From {
                        group: ENVOY_GATEWAY,
                        kind: "BackendTLSPolicy",
                        namespace: key.namespace,
                    };
                    self.authorities(refs, from, false)?;
                    is_checked = true;
                }
            }
            self.own_certificate(tls, key.namespace, "Backend", key)?;
        }
        if let Some(at) = self.tls_policy(want) {
            is_tls = true;
            self.judge_tls_policy(at, under)?;
            is_checked = true;
        }
        if !is_tls {
            return Ok(());
        }
        if !is_checked {
            return Err(Fault::new(
                "InvalidBackendTLS",
                format!(
                    "nothing says which authority vouches for {} {key}",
                    want.kind()
                ),
            ));
        }
        let Some(gateway) = gateway.and_then(|id| self.view.gateway(id)) else {
            return Ok(());
        };
        // The gateway's own `tls.backend` was judged with the gateway; it takes the place of the proxy's.
        if has(&gateway.object.node, &["spec", "tls", "backend"]) {
            return Ok(());
        }
        let class = gateway.class.and_then(|class| self.view.class(class));
        let proxy = gateway.proxy.or(class.and_then(|class| class.proxy));
        let tls = gateway
            .settings
            .as_ref()
            .and_then(|it| it.get("backendTLS"));
        match (proxy, tls) {
            (Some(proxy), Some(tls)) => {
                self.own_certificate(tls, proxy.namespace(), "EnvoyProxy", Key::of(proxy))
            }
            _ => Ok(()),
        }
    }

    /// The certificate that is shown to backends.
    fn own_certificate(
        &self,
        tls: &Node,
        namespace: &str,
        kind: &str,
        owner: Key<'_>,
    ) -> Result<(), Fault> {
        let Some(reference) = tls.get("clientCertificateRef") else {
            return Ok(());
        };
        let key = Key {
            namespace: text(reference, &["namespace"]).unwrap_or(namespace),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        if key.namespace != namespace {
            return Err(Fault::invalid(format!(
                "the client certificate of {kind} {owner} is in another namespace, `{}`",
                key.namespace
            )));
        }
        let secret = self.index.find("Secret", key, Fault::invalid)?;
        let is_sds = text(&secret.node, &["type"]) == Some("gateway.envoyproxy.io/sds");
        if is_sds && (!self.settings.features.sds || data(secret, "url").is_none()) {
            return Err(Fault::invalid(format!(
                "Secret {key} can't be fetched by Envoy"
            )));
        }
        Ok(())
    }

    /// The place of the BackendTLSPolicy that holds for a backend: one for its port before one for all of it.
    fn tls_policy(&mut self, want: &Want<'_>) -> Option<usize> {
        let key = want.key();
        let section = self.section_of(want);
        let is_at = |target: &Node, exact: bool| {
            let is_whole = !has(target, &["sectionName"]);
            let is_section = match is_whole {
                true => section.is_none(),
                false => {
                    text(target, &["sectionName"]).is_some_and(|it| Some(it) == section.as_deref())
                }
            };
            text(target, &["group"]).unwrap_or_default() == want.group()
                && text(target, &["kind"]).unwrap_or_default() == want.kind()
                && text(target, &["name"]) == Some(key.name)
                && (is_section || (!exact && is_whole))
        };
        self.add_tls_policies();
        let policies = &self.view.lists.tls;
        let find = |exact: bool| {
            policies.iter().position(|policy| {
                policy.object.namespace() == key.namespace
                    && list(&policy.object.node, &["spec", "targetRefs"])
                        .iter()
                        .any(|target| is_at(target, exact))
            })
        };
        find(true).or_else(|| find(false))
    }

    /// What a policy calls a port: its name at a Service, its number at a Backend.
    fn section_of(&self, want: &Want<'_>) -> Option<String> {
        let port = want.port()?;
        if want.kind() == "Backend" {
            return Some(port.to_string());
        }
        let service = self.index.here(want.kind(), want.key())?;
        let mut ports = list(&service.node, &["spec", "ports"]).iter();
        let found = ports.find(|it| int(it, &["port"]) == Some(port))?;
        text(found, &["name"]).map(str::to_owned)
    }

    /// Lists the BackendTLSPolicies in the view, once.
    fn add_tls_policies(&mut self) {
        let objects = self.index.all("BackendTLSPolicy");
        if self.view.lists.tls.len() == objects.len() {
            return;
        }
        self.view.lists.tls = objects
            .iter()
            .map(|object| super::view::BackendTls {
                object,
                ancestors: Vec::new(),
            })
            .collect();
    }

    fn judge_tls_policy(&mut self, at: usize, under: &Reference<'a>) -> Result<(), Fault> {
        let Some(policy) = self.view.lists.tls.get(at) else {
            return Ok(());
        };
        let object = policy.object;
        let validation = object.node.path(&["spec", "validation"]);
        let found = match validation {
            Some(it) if text(it, &["wellKnownCACertificates"]) == Some("System") => Ok(()),
            Some(it) => {
                let from = From {
                    group: ENVOY_GATEWAY,
                    kind: "BackendTLSPolicy",
                    namespace: object.namespace(),
                };
                self.authorities(list(it, &["caCertificateRefs"]), from, false)
            }
            None => Ok(()),
        };
        let Some(policy) = self.view.lists.tls.get_mut(at) else {
            return Ok(());
        };
        // A status has no place for ports.
        let under = Reference {
            port: None,
            ..under.clone()
        };
        if !policy.ancestors.iter().any(|(its, _)| *its == under) {
            policy.ancestors.push((under, Conditions::default()));
        }
        for (_, conditions) in &mut policy.ancestors {
            match &found {
                Ok(()) => {
                    conditions.set(
                        kind::RESOLVED_REFS,
                        Status::True,
                        "ResolvedRefs",
                        "all that it refers to is there",
                    );
                    if conditions.get(kind::ACCEPTED).is_none() {
                        conditions.set(
                            kind::ACCEPTED,
                            Status::True,
                            "Accepted",
                            "the policy holds",
                        );
                    }
                }
                Err(fault) if fault.is_unknown => {
                    conditions.set(
                        kind::RESOLVED_REFS,
                        Status::Unknown,
                        fault.reason,
                        fault.message.clone(),
                    );
                    conditions.set(
                        kind::ACCEPTED,
                        Status::Unknown,
                        fault.reason,
                        fault.message.clone(),
                    );
                }
                Err(fault) => {
                    let reason = match fault.reason {
                        "InvalidCACertificateKind" => "InvalidKind",
                        _ => "InvalidCACertificateRef",
                    };
                    conditions.set(
                        kind::ACCEPTED,
                        Status::False,
                        "NoValidCACertificate",
                        fault.message.clone(),
                    );
                    conditions.set(
                        kind::RESOLVED_REFS,
                        Status::False,
                        reason,
                        fault.message.clone(),
                    );
                }
            }
        }
        found
    }

    /// Marks BackendTLSPolicies that target what an earlier one targets.
    pub(super) fn backend_tls_conflicts(&mut self) {
        self.add_tls_policies();
        let mut first = std::collections::HashMap::new();
        let mut lost = Vec::new();
        for (at, policy) in self.view.lists.tls.iter().enumerate() {
            for target in list(&policy.object.node, &["spec", "targetRefs"]) {
                let field = |key: &str| text(target, &[key]).unwrap_or_default();
                let key = (
                    policy.object.namespace(),
                    field("group"),
                    field("kind"),
                    field("name"),
                    field("sectionName"),
                );
                match first.get(&key) {
                    Some(winner) => {
                        lost.push((at, *winner));
                        break;
                    }
                    None => {
                        first.insert(key, at);
                    }
                }
            }
        }
        for (at, winner) in lost {
            let Some((object, ancestors)) = self
                .view
                .lists
                .tls
                .get(winner)
                .map(|it| (it.object, it.ancestors.clone()))
            else {
                continue;
            };
            // As in 1.9.0, as many of the winner's ancestors are taken over as the loser has of its own; a
            // loser that was never used says so under all of them.
            let Some(loser) = self.view.lists.tls.get_mut(at) else {
                continue;
            };
            for (under, _) in ancestors {
                let found = loser
                    .ancestors
                    .iter_mut()
                    .position(|(its, _)| *its == under);
                let at = found.unwrap_or_else(|| {
                    loser.ancestors.push((under, Conditions::default()));
                    loser.ancestors.len() - 1
                });
                if let Some((_, conditions)) = loser.ancestors.get_mut(at) {
                    let message = format!(
                        "BackendTLSPolicy {} has the same target and holds instead",
                        Key::of(object)
                    );
                    conditions.set(kind::ACCEPTED, Status::False, "Conflicted", message);
                }
            }
        }
    }

    /// Whether a reference leads to a Backend that stands for any host.
    pub(super) fn is_dynamic(&self, want: &Want<'_>) -> bool {
        let backend = (want.kind() == "Backend")
            .then(|| self.index.here("Backend", want.key()))
            .flatten();
        backend.is_some_and(is_dynamic)
    }
}
