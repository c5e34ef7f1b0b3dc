//! The gateways, and what Envoy Gateway creates for each: a Service and a Deployment or DaemonSet, as far as they are
//! known.

use super::selector::Labels;
use super::{Applied, LintContext};
use crate::model::names::hashed_deployment;
use envoy_gateway::class::CONTROLLER;
use manifest::Object;

pub use envoy_gateway::controller::CHART;
use envoy_gateway::controller::{ControllerRelease, DeployMode};
pub use envoy_gateway::helm_routes::release_namespace;
pub use envoy_gateway::index::{ENVOY_GATEWAY, GATEWAY_API};
use envoy_gateway::infra::{GatewayInfra, NamedProxy};
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

/// A gateway with its controller and settings.
#[derive(Clone, Debug)]
pub struct Front<'a> {
    /// The Gateway.
    pub gateway: Applied<'a>,
    /// The controller that manages it.
    pub controller: Controller,
    /// The EnvoyProxy settings in force for it.
    pub infra: GatewayInfra<'a>,
    /// Where its proxies run; `None` if there is not exactly one release of the chart in its cluster, or if its values
    /// don't say.
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

/// All Gateways, in the order in which they are given.
pub fn fronts<'a>(context: &LintContext<'a>) -> Vec<Front<'a>> {
    let classes: Vec<Applied> = context.of_kind(GATEWAY_API, "GatewayClass").collect();
    let proxies: Vec<Applied> = context.of_kind(ENVOY_GATEWAY, "EnvoyProxy").collect();
    context
        .of_kind(GATEWAY_API, "Gateway")
        .map(|gateway| {
            let is_near = |object: &Object| context.may_share_cluster(object, gateway.object);
            let name = text(gateway.object, &["spec", "gatewayClassName"]);
            let mut classes = classes.iter().map(|class| class.object);
            let class = classes.find(|class| class.name() == name && is_near(class));
            let releases = context.controllers().iter();
            let mut releases = releases.filter(|one| is_near(one.release));
            let release = match (releases.next(), releases.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            };
            let proxies = || proxies.iter().map(|proxy| proxy.object);
            let proxies = || proxies().filter(|proxy| is_near(proxy));
            let of_class = class.map(|class| {
                let reference = class.node.path(&["spec", "parametersRef"]);
                named_proxy(reference, None, proxies())
            });
            let path = ["spec", "infrastructure", "parametersRef"];
            let reference = gateway.object.node.path(&path);
            let own = named_proxy(reference, Some(gateway.object.namespace()), proxies());
            let of_controller = release.and_then(ControllerRelease::envoy_proxy);
            Front {
                gateway,
                controller: controller(class),
                infra: GatewayInfra::new(of_class, own, of_controller),
                deploy_mode: release.and_then(ControllerRelease::deploy_mode),
            }
        })
        .collect()
}

/// The controller of a class.
fn controller(class: Option<&Object>) -> Controller {
    match class.map(|class| text(class, &["spec", "controllerName"])) {
        Some(name) if name.starts_with(CONTROLLER) => Controller::EnvoyGateway,
        Some(_) => Controller::Other,
        None => Controller::Unknown,
    }
}

/// The string at a path; empty if there is none.
pub fn text<'a>(object: &'a Object, path: &[&str]) -> &'a str {
    let node = object.node.path(path);
    node.and_then(Node::as_str).unwrap_or_default()
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
    found.map_or(NamedProxy::NotAtHand, NamedProxy::AtHand)
}

impl Front<'_> {
    /// A setting below `spec.provider.kubernetes` of its EnvoyProxy.
    pub fn setting(&self, path: &[&str]) -> Option<&Node> {
        self.infra.kubernetes(path)
    }

    /// Whether the settings are known. For this, a gateway's own EnvoyProxy is enough if it has no `mergeType`,
    /// because it then replaces the one of the class.
    pub fn has_known_settings(&self) -> bool {
        let is_only = |proxy: &Object| proxy.node.path(&["spec", "mergeType"]).is_none();
        self.infra.is_known || self.infra.own.at_hand().is_some_and(is_only)
    }

    /// Whether all gateways of the class share the same Service.
    pub fn is_merged(&self) -> bool {
        self.infra.merges_gateways
    }

    /// The namespace in which its proxies run; `None` if it is not known.
    pub fn namespace(&self) -> Option<&str> {
        let namespace = match self.deploy_mode.as_ref()? {
            DeployMode::GatewayNamespace => self.gateway.object.namespace(),
            DeployMode::ControllerNamespace(namespace) => namespace,
        };
        (!namespace.is_empty() && !variable::in_text(namespace)).then_some(namespace)
    }

    /// The default name of what Envoy Gateway creates for the gateway; `None` if it is not known.
    fn made_name(&self) -> Option<String> {
        let gateway = self.gateway.object;
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
        let gateway = self.gateway.object;
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
