//! References to backends: whether the backends exist, may be referred to, and have endpoints.

use super::Resolver;
use super::backend::{is_dynamic, is_mixed, named};
use super::fault::Fault;
use super::grant::ReferenceGrantFrom;
use super::index::{ENVOY_GATEWAY, GATEWAY_API, Key, MULTI_CLUSTER};
use super::read::{has, int, list, text};
use super::view::{GatewayId, Reference, RouteKind};
use manifest::Object;
use manifest::value::Node;

/// The protocol of a Service port.
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

/// A reference to a backend, with what the referring object needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct BackendUse<'n> {
    /// The reference.
    pub node: &'n Node,
    /// The namespace of the referring object.
    pub namespace: &'n str,
    /// The protocol that the port must have.
    pub protocol: Protocol,
    /// Whether a Backend with a Unix socket is allowed.
    pub allows_sockets: bool,
}

impl<'n> BackendUse<'n> {
    pub(crate) fn kind(&self) -> &'n str {
        text(self.node, &["kind"]).unwrap_or("Service")
    }

    pub(crate) fn key(&self) -> Key<'n> {
        Key {
            namespace: text(self.node, &["namespace"]).unwrap_or(self.namespace),
            name: text(self.node, &["name"]).unwrap_or_default(),
        }
    }

    pub(crate) fn group(&self) -> &'n str {
        text(self.node, &["group"]).unwrap_or_default()
    }

    pub(crate) fn port(&self) -> Option<i64> {
        int(self.node, &["port"])
    }
}

impl<'a> Resolver<'a, '_> {
    /// Checks everything that the controller checks on a route's backend reference, except for filters.
    pub(super) fn check_backend_ref(
        &mut self,
        want: &BackendUse<'a>,
        route: RouteKind,
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
    ) -> Result<(), Fault> {
        let from = ReferenceGrantFrom {
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
                format!(
                    "the reference to {} {} needs a `port`",
                    want.kind(),
                    want.key()
                ),
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

    /// Whether the controller takes a Backend at all.
    pub(super) fn takes_backend(&self, key: Key<'_>) -> bool {
        let backend = self.index.here("Backend", key);
        self.settings.features_for(backend).backend
    }

    /// Whether a group and kind belong to an extension server.
    pub(super) fn is_extension(&self, group: &str, kind: &str) -> bool {
        let all = &self.settings.extensions;
        all.iter().any(|(its, name)| its == group && name == kind)
    }

    /// Checks that the backend exists and has the port.
    pub(super) fn check_object(&self, want: &BackendUse<'_>) -> Result<(), Fault> {
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
                if !self.takes_backend(key) {
                    return Err(Fault::new(
                        "UnsupportedValue",
                        "the controller's configuration doesn't enable Backend (`enableBackend`)",
                    ));
                }
                let backend = self.index.find("Backend", key, missing)?;
                self.check_backend(backend)?;
                let sockets = list(&backend.node, &["spec", "endpoints"]).iter();
                if !want.allows_sockets && sockets.into_iter().any(|it| has(it, &["unix"])) {
                    return Err(Fault::new(
                        "UnsupportedAddressType",
                        format!("{} has a Unix socket, which a route can't use", named(key)),
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_port(&self, service: &'a Object, want: &BackendUse<'_>) -> Result<(), Fault> {
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

    /// Checks that there are endpoints, and that they are all of one kind. If no EndpointSlice is given at all,
    /// nothing is known: repositories don't contain them, only clusters do. A cluster makes one for every Service with a
    /// selector, also if it has no Pods. If such a Service has none, the given ones are those that somebody has written for
    /// other Services.
    pub(super) fn endpoints(
        &self,
        want: &BackendUse<'_>,
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
        let settings = gateway.and_then(|id| self.view.gateway(id)?.infra.settings.as_ref());
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
        let selector = service.node.path(&["spec", "selector"]);
        let selects_pods = selector
            .and_then(Node::as_map)
            .is_some_and(|it| !it.is_empty());
        if slices.is_empty() && selects_pods {
            return Ok(());
        }
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

    /// Whether a reference names a Backend that resolves the hostname of each request.
    pub(super) fn is_dynamic(&self, want: &BackendUse<'_>) -> bool {
        let backend = (want.kind() == "Backend")
            .then(|| self.index.here("Backend", want.key()))
            .flatten();
        backend.is_some_and(is_dynamic)
    }
}
