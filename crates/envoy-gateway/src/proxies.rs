//! The objects that Envoy Gateway creates for a gateway: a Service and a Deployment or DaemonSet, as far as they are
//! known.

use sha2::{Digest, Sha256};

use super::class::CONTROLLER;
use super::controller::{ControllerRelease, DeployMode};
use super::infra::{GatewayInfra, NamedProxy};
use super::read::text;
use super::selector::Labels;
use manifest::Object;
use manifest::value::{Node, variable};

/// The labels that Envoy Gateway adds to the Services, Deployments and Pods of all proxies (1.5 to 1.9).
const OWN_LABELS: [(&str, &str); 3] = [
    ("app.kubernetes.io/name", "envoy"),
    ("app.kubernetes.io/component", "proxy"),
    ("app.kubernetes.io/managed-by", "envoy-gateway"),
];

/// The key of the label with the gateway's name.
pub const OWNER_NAME: &str = "gateway.envoyproxy.io/owning-gateway-name";

/// The key of the label with the gateway's namespace.
pub const OWNER_NAMESPACE: &str = "gateway.envoyproxy.io/owning-gateway-namespace";

/// The port of a listener inside the proxy's Pod, unless `useListenerPortAsContainerPort` is set: privileged ports are moved
/// up by 10000.
pub fn inner_port(port: i64) -> i64 {
    if port < 1024 { port + 10_000 } else { port }
}

/// The controller of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Envoy Gateway, according to the GatewayClass.
    EnvoyGateway,
    /// Another controller.
    Other,
    /// Unknown, because the GatewayClass is not given.
    Unknown,
}

/// A Gateway, with what decides what Envoy Gateway creates for it.
#[derive(Clone, Debug)]
pub struct GatewayProxies<'a> {
    /// The Gateway.
    pub object: &'a Object,
    /// The controller that manages it.
    pub controller: Controller,
    /// The EnvoyProxy settings in force for it.
    pub infra: GatewayInfra<'a>,
    /// Where its proxies run; `None` if that is not known.
    pub deploy_mode: Option<DeployMode>,
}

/// The name of a workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// `Deployment` or `DaemonSet`.
    pub kind: &'static str,
    /// The namespace of the workload.
    pub namespace: String,
    /// The name of the workload in its namespace.
    pub name: String,
}

/// The controller of a class.
fn controller(class: Option<&Object>) -> Controller {
    let Some(class) = class else {
        return Controller::Unknown;
    };
    match text(&class.node, &["spec", "controllerName"]) {
        Some(name) if name.starts_with(CONTROLLER) => Controller::EnvoyGateway,
        _ => Controller::Other,
    }
}

/// The EnvoyProxy that a reference of a Gateway or GatewayClass names. `proxies` are those of the same cluster.
/// `namespace` is the namespace of the Gateway; if it is `None`, the namespace in the reference is used. An unknown
/// namespace matches every other one.
fn named_proxy<'a>(
    reference: Option<&Node>,
    namespace: Option<&str>,
    mut proxies: impl Iterator<Item = &'a Object>,
) -> NamedProxy<'a> {
    let Some(reference) = reference else {
        return NamedProxy::None;
    };
    let part = |key: &str| reference.get(key).and_then(Node::as_str);
    let name = part("name").unwrap_or_default();
    let namespace = namespace.or(part("namespace")).unwrap_or_default();
    let found = proxies.find(|proxy| {
        let there = proxy.namespace();
        proxy.name() == name && (there == namespace || there.is_empty() || namespace.is_empty())
    });
    found.map_or(NamedProxy::NotGiven, NamedProxy::Given)
}

/// The name of the Deployment that Envoy Gateway creates for a gateway in the controller's namespace:
/// `envoy-`, then `NAMESPACE-NAME` cut to 48 characters without a hyphen at the end, then `-` and the first 8
/// hexadecimal digits of the SHA-256 of `NAMESPACE/NAME` (Envoy Gateway 1.5 to 1.9).
pub fn hashed_deployment(namespace: &str, gateway: &str) -> String {
    let joined = format!("{namespace}-{gateway}");
    let cut: String = joined.chars().take(48).collect();
    let digest = Sha256::digest(format!("{namespace}/{gateway}"));
    let hash = data_encoding::HEXLOWER.encode(&digest);
    format!("envoy-{}-{hash:.8}", cut.trim_end_matches('-'))
}

impl<'a> GatewayProxies<'a> {
    /// `classes` and `proxies` are the GatewayClasses and EnvoyProxies of the gateway's cluster, and `release` is the
    /// release of the controller's chart there, if there is exactly one.
    pub fn new(
        gateway: &'a Object,
        mut classes: impl Iterator<Item = &'a Object>,
        proxies: impl Iterator<Item = &'a Object> + Clone,
        release: Option<&ControllerRelease<'_>>,
    ) -> Self {
        let name = text(&gateway.node, &["spec", "gatewayClassName"]).unwrap_or_default();
        let class = classes.find(|class| class.name() == name);
        let of_class = class.map(|class| {
            let reference = class.node.path(&["spec", "parametersRef"]);
            named_proxy(reference, None, proxies.clone())
        });
        let path = ["spec", "infrastructure", "parametersRef"];
        let reference = gateway.node.path(&path);
        let own = named_proxy(reference, Some(gateway.namespace()), proxies);
        let of_controller = release.and_then(ControllerRelease::envoy_proxy);
        GatewayProxies {
            object: gateway,
            controller: controller(class),
            infra: GatewayInfra::new(of_class, own, of_controller),
            deploy_mode: release.and_then(ControllerRelease::deploy_mode),
        }
    }

    /// A setting below `spec.provider.kubernetes` of its EnvoyProxy.
    pub fn setting(&self, path: &[&str]) -> Option<&Node> {
        self.infra.kubernetes(path)
    }

    /// Whether the settings are known. For this, a gateway's own EnvoyProxy is enough if it has no `mergeType`,
    /// because it then replaces the one of the class.
    pub fn has_known_settings(&self) -> bool {
        let is_only = |proxy: &Object| proxy.node.path(&["spec", "mergeType"]).is_none();
        self.infra.is_known || self.infra.own.given().is_some_and(is_only)
    }

    /// Whether all gateways of the class share the same Service.
    pub fn is_merged(&self) -> bool {
        self.infra.merges_gateways
    }

    /// The namespace in which its proxies run; `None` if it is not known.
    pub fn namespace(&self) -> Option<&str> {
        let namespace = match self.deploy_mode.as_ref()? {
            DeployMode::GatewayNamespace => self.object.namespace(),
            DeployMode::ControllerNamespace(namespace) => namespace,
        };
        (!namespace.is_empty() && !variable::in_text(namespace)).then_some(namespace)
    }

    /// The default name of what Envoy Gateway creates for the gateway; `None` if it is not known.
    fn made_name(&self) -> Option<String> {
        let gateway = self.object;
        let is_known = !gateway.namespace().is_empty()
            && !variable::in_text(gateway.name())
            && !variable::in_text(gateway.namespace());
        if !is_known || self.is_merged() || !self.has_known_settings() {
            return None;
        }
        Some(match self.deploy_mode.as_ref()? {
            DeployMode::GatewayNamespace => gateway.name().to_owned(),
            DeployMode::ControllerNamespace(_) => {
                hashed_deployment(gateway.namespace(), gateway.name())
            }
        })
    }

    /// The Deployment or DaemonSet of its proxies; `None` if its name is not known.
    pub fn workload(&self) -> Option<Workload> {
        let is_daemon_set = self.setting(&["envoyDaemonSet"]).is_some();
        let (kind, key) = if is_daemon_set {
            ("DaemonSet", "envoyDaemonSet")
        } else {
            ("Deployment", "envoyDeployment")
        };
        let made = self.made_name()?;
        let own = self.setting(&[key, "name"]).and_then(Node::as_str);
        Some(Workload {
            kind,
            namespace: self.namespace()?.to_owned(),
            name: own.map_or(made, str::to_owned),
        })
    }

    /// Whether Cilium assigns an address to its Service; `None` if it is not known.
    pub fn has_load_balancer(&self) -> Option<bool> {
        if self.controller != Controller::EnvoyGateway || !self.has_known_settings() {
            return None;
        }
        let setting = |key: &str| self.setting(&["envoyService", key]).and_then(Node::as_str);
        let class = setting("loadBalancerClass");
        Some(
            setting("type").is_none_or(|kind| kind == "LoadBalancer")
                && class.is_none_or(|class| class.starts_with("io.cilium/")),
        )
    }

    /// The labels of its Service, including those that Cilium's selectors use for its namespace and name.
    pub fn service_labels(&self) -> Labels {
        let mut labels = self.pod_labels();
        labels.add(self.setting(&["envoyService", "labels"]));
        labels.is_open |= self.setting(&["envoyService", "patch"]).is_some();
        let own = self
            .setting(&["envoyService", "name"])
            .and_then(Node::as_str);
        let name = own.map(str::to_owned).or_else(|| self.made_name());
        add_meta(&mut labels, self.namespace(), name.as_deref());
        labels
    }

    /// The labels that Envoy Gateway adds to everything that it creates for the gateway.
    pub fn pod_labels(&self) -> Labels {
        let mut labels = Labels {
            is_open: self.controller != Controller::EnvoyGateway
                || !self.has_known_settings()
                || self.is_merged(),
            ..Labels::default()
        };
        if self.controller != Controller::EnvoyGateway {
            return labels;
        }
        let gateway = self.object;
        labels.add(gateway.node.path(&["spec", "infrastructure", "labels"]));
        for (key, value) in OWN_LABELS {
            labels.set(key, value);
        }
        if !self.is_merged() {
            labels.set(OWNER_NAME, gateway.name());
            if gateway.namespace().is_empty() {
                labels.is_open = true;
            } else {
                labels.set(OWNER_NAMESPACE, gateway.namespace());
            }
        }
        // Only some versions set this label, so its value is unknown.
        labels.set("gateway.networking.k8s.io/gateway-name", "${NAME}");
        labels
    }
}

/// Adds the labels that Cilium's service selectors use for the namespace and name of a Service.
pub fn add_meta(labels: &mut Labels, namespace: Option<&str>, name: Option<&str>) {
    for (key, value) in [
        ("io.kubernetes.service.namespace", namespace),
        ("io.kubernetes.service.name", name),
    ] {
        // A value that contains a variable matches anything.
        labels.set(key, value.unwrap_or("${UNKNOWN}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hashed_deployment_is_the_controllers() {
        let name = hashed_deployment("network", "envoy-external");
        assert!(name.starts_with("envoy-network-envoy-external-"), "{name}");
        assert_eq!(name.len(), "envoy-network-envoy-external-".len() + 8);
        let long = hashed_deployment("network", &"a".repeat(60));
        assert_eq!(long.len(), "envoy-".len() + 48 + 9);
        assert_eq!(
            hashed_deployment(&"a".repeat(47), "b")
                .matches("--")
                .count(),
            0
        );
    }
}
