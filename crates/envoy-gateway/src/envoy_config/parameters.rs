//! What a GatewayClass refers to for the settings of its proxies.

use crate::class::CONTROLLER;
use crate::index::ENVOY_GATEWAY;
use crate::read::text;
use crate::view::{ClassId, Resolved};

/// A `parametersRef` that doesn't give a class the settings that were meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// Its group or kind is not that of EnvoyProxy: the class is refused.
    NoEnvoyProxy,
    /// It has no namespace: Envoy Gateway looks in the namespace `default`, where there is no such EnvoyProxy.
    WithoutNamespace,
    /// The EnvoyProxy merges the gateways, and the controller creates proxies in the namespace of each gateway: the class is
    /// refused.
    MergesInGatewayNamespace,
}

/// The classes whose `parametersRef` doesn't give them the settings that were meant. `in_gateway_namespace` says whether the
/// controller of a class creates proxies in the namespaces of gateways.
pub fn wrong_parameters(
    resolved: &Resolved<'_>,
    in_gateway_namespace: impl Fn(ClassId) -> bool,
) -> Vec<(ClassId, Parameters)> {
    let classes = resolved.classes().iter().enumerate();
    classes
        .filter_map(|(at, class)| {
            let object = class.object?;
            let controller = text(&object.node, &["spec", "controllerName"])?;
            let reference = object.node.path(&["spec", "parametersRef"])?;
            let is_proxy = text(reference, &["group"]) == Some(ENVOY_GATEWAY)
                && text(reference, &["kind"]) == Some("EnvoyProxy");
            let found = if !controller.starts_with(CONTROLLER) {
                return None;
            } else if !is_proxy {
                Parameters::NoEnvoyProxy
            } else if text(reference, &["namespace"]).is_none() {
                let name = text(reference, &["name"]).unwrap_or_default();
                let mut proxies = resolved.proxies().iter().map(|it| it.object);
                if proxies.any(|it| it.namespace() == "default" && it.name() == name) {
                    return None;
                }
                Parameters::WithoutNamespace
            } else if class.merges && class.proxy.is_some() && in_gateway_namespace(ClassId(at)) {
                Parameters::MergesInGatewayNamespace
            } else {
                return None;
            };
            Some((ClassId(at), found))
        })
        .collect()
}
