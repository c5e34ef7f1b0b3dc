//! Settings of policies that their schemas allow, but the controller refuses.

pub mod client;
pub(crate) mod cluster;
mod credentials;
pub mod extension;
pub mod security;
pub mod traffic;
pub mod units;

use super::{PolicyKind, Scope};
use crate::Resolver;
use crate::backend_ref::{BackendUse, Protocol};
use crate::fault::Fault;
use crate::grant::ReferenceGrantFrom;
use crate::index::{ENVOY_GATEWAY, Key, MULTI_CLUSTER};
use crate::read::{flag, has, int, list, text};
use crate::view::{GatewayId, ListenerId, Reference};
use manifest::Object;
use manifest::value::Node;

/// The settings of a policy at one scope, merged if the policy is merged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a, 'c> {
    /// The policy.
    pub object: &'a Object,
    /// The policy that it is merged with.
    pub parent: Option<&'a Object>,
    /// The settings.
    pub spec: &'c Node,
    /// Where they are to apply.
    pub scope: Scope<'a>,
    /// The gateways of the scope.
    pub gateways: &'c [GatewayId],
    /// The listeners of the scope.
    pub listeners: &'c [ListenerId],
}

impl<'a> Content<'a, '_> {
    /// The policy that a setting comes from: this one, unless only its parent has the setting.
    pub(crate) fn owner(&self, path: &[&str]) -> &'a Object {
        let own = self
            .object
            .node
            .get("spec")
            .is_some_and(|spec| has(spec, path));
        match self.parent {
            Some(parent) if !own => parent,
            _ => self.object,
        }
    }
}

/// The deprecated fields of each kind of policy in Envoy Gateway 1.9.0, with their replacements.
const DEPRECATED: &[(PolicyKind, &[&str], &str)] = &[
    (PolicyKind::Backend, &["targetRef"], "targetRefs"),
    (PolicyKind::Backend, &["compression"], "compressor"),
    (
        PolicyKind::Client,
        &["enableProxyProtocol"],
        "proxyProtocol",
    ),
    (
        PolicyKind::Client,
        &["headers", "preserveXRequestID"],
        "headers.requestID",
    ),
    (PolicyKind::Client, &["targetRef"], "targetRefs"),
    (PolicyKind::Security, &["targetRef"], "targetRefs"),
    (
        PolicyKind::Security,
        &["extAuth", "grpc", "backendRef"],
        "extAuth.grpc.backendRefs",
    ),
    (
        PolicyKind::Security,
        &["extAuth", "http", "backendRef"],
        "extAuth.http.backendRefs",
    ),
    (PolicyKind::Extension, &["targetRef"], "targetRefs"),
];

/// The deprecated fields that a policy uses, one sentence each.
pub(super) fn deprecated(kind: PolicyKind, policy: &Object) -> Vec<String> {
    let Some(spec) = policy.node.get("spec") else {
        return Vec::new();
    };
    let mut found: Vec<String> = DEPRECATED
        .iter()
        .filter(|(its, path, _)| {
            *its == kind && has(spec, path) && spec.path(path).and_then(Node::as_list) != Some(&[])
        })
        .map(|(_, path, new)| {
            format!(
                "`spec.{}` is deprecated: write `spec.{new}`",
                path.join(".")
            )
        })
        .collect();
    let optional = ["tls", "clientValidation", "optional"];
    if kind == PolicyKind::Client && flag(spec, &optional) == Some(true) {
        found.push("`spec.tls.clientValidation.optional` is deprecated: write `spec.tls.clientValidation.mode`".to_owned());
    }
    found
}

/// The fault for settings that a gateway lacks. It is unknown if not all objects are given.
fn lacking(resolver: &Resolver<'_, '_>, gateway: GatewayId, message: String) -> Fault {
    let gateway = resolver.view.gateway(gateway);
    match gateway.is_none_or(|it| it.knows_settings) {
        true => Fault::invalid(message),
        false => Fault::unknown(format!("{message}, which is not in the given files")),
    }
}

impl<'a> Resolver<'a, '_> {
    /// Checks the backends of an external service (authorization, processing, JWKS).
    pub(super) fn check_services(
        &mut self,
        owner: &'a Object,
        refs: &[Node],
        gateway: GatewayId,
    ) -> Result<(), Fault> {
        if refs.is_empty() {
            return Err(Fault::invalid("the service has no backend"));
        }
        for node in refs {
            let want = BackendUse {
                node,
                namespace: owner.namespace(),
                protocol: Protocol::Tcp,
                allows_sockets: true,
            };
            self.check_service(owner, &want, gateway)?;
        }
        let named = refs.iter().filter(|it| int(it, &["weight"]) != Some(0));
        let named: Vec<bool> = named.map(|it| self.has_names(owner, it)).collect();
        match named.contains(&true) && named.contains(&false) {
            true => Err(Fault::invalid(
                "some backends of the service have hostnames, and others have addresses",
            )),
            false => Ok(()),
        }
    }

    /// Whether the endpoints of a backend are hostnames, which Envoy resolves, and not addresses.
    fn has_names(&self, owner: &'a Object, reference: &Node) -> bool {
        let kind = text(reference, &["kind"]).unwrap_or("Service");
        let key = Key {
            namespace: text(reference, &["namespace"]).unwrap_or(owner.namespace()),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        match kind {
            "Backend" => self.index.here(kind, key).is_some_and(|backend| {
                let endpoints = list(&backend.node, &["spec", "endpoints"]);
                endpoints.iter().any(|it| has(it, &["fqdn"]))
            }),
            _ => self
                .index
                .slices(kind, key)
                .iter()
                .any(|slice| text(&slice.node, &["addressType"]) == Some("FQDN")),
        }
    }

    fn check_service(
        &mut self,
        owner: &'a Object,
        want: &BackendUse<'_>,
        gateway: GatewayId,
    ) -> Result<(), Fault> {
        let group = text(want.node, &["group"]).unwrap_or_default();
        if !matches!(group, "" | MULTI_CLUSTER | ENVOY_GATEWAY)
            || !matches!(want.kind(), "Service" | "ServiceImport" | "Backend")
        {
            return Err(Fault::invalid(format!(
                "a {} can't be a backend here; a Service, a ServiceImport or a Backend can",
                want.kind()
            )));
        }
        if want.kind() != "Backend" && int(want.node, &["port"]).is_none() {
            return Err(Fault::invalid(format!(
                "the reference to {} {} needs a `port`",
                want.kind(),
                want.key()
            )));
        }
        if want.kind() == "Backend" {
            // Whether the controller accepts the Backend is only found out when it is used.
            self.index.find("Backend", want.key(), Fault::invalid)?;
            if self.is_dynamic(want) {
                return Err(Fault::invalid(format!(
                    "Backend {} is a DynamicResolver, which only routes can use",
                    want.key()
                )));
            }
        } else {
            self.check_object(want)?;
        }
        let from = ReferenceGrantFrom {
            group: ENVOY_GATEWAY,
            kind: owner.kind(),
            namespace: owner.namespace(),
        };
        self.permit(from, group, want.kind(), want.key())?;
        if int(want.node, &["weight"]) == Some(0) {
            return Ok(());
        }
        self.endpoints(want, Some(gateway))?;
        if want.kind() == "Backend" && !self.takes_backend(want.key()) {
            return Err(Fault::invalid(
                "the controller's configuration doesn't enable Backend (`enableBackend`)",
            ));
        }
        let under = Reference {
            group: Some(ENVOY_GATEWAY),
            kind: Some(owner.kind()),
            namespace: Some(owner.namespace()),
            name: owner.name(),
            section: None,
            port: None,
        };
        self.apply_backend_tls(want, &under, Some(gateway))
    }
}
