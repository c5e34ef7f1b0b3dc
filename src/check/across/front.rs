//! The gateways, and what Envoy Gateway makes of each: a Service and a Deployment, as far as that is at hand.

use super::selector::Labels;
use super::{Applied, Whole};
use crate::model::names::hashed_deployment;
use envoy_gateway::class::CONTROLLER;
use manifest::Object;

pub use envoy_gateway::controller::CHART;
use envoy_gateway::controller::{ControllerRelease, DeployMode};
pub use envoy_gateway::helm_routes::release_namespace;
pub use envoy_gateway::index::{ENVOY_GATEWAY, GATEWAY_API};
use envoy_gateway::infra::{GatewayInfra, NamedProxy};
use manifest::value::{Node, variable};

/// The labels that Envoy Gateway puts on every Service, Deployment and Pod of proxies (1.5 to 1.9).
const OWN_LABELS: [(&str, &str); 3] = [
    ("app.kubernetes.io/name", "envoy"),
    ("app.kubernetes.io/component", "proxy"),
    ("app.kubernetes.io/managed-by", "envoy-gateway"),
];

/// The label with the gateway's name.
pub const OWNER_NAME: &str = "gateway.envoyproxy.io/owning-gateway-name";

/// The label with the gateway's namespace.
pub const OWNER_NAMESPACE: &str = "gateway.envoyproxy.io/owning-gateway-namespace";

/// Whose a gateway is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Envoy Gateway's.
    EnvoyGateway,
    /// Another's.
    Other,
    /// Its GatewayClass is not at hand.
    Unknown,
}

/// A gateway.
#[derive(Clone, Debug)]
pub struct Front<'a> {
    /// The Gateway.
    pub gateway: Applied<'a>,
    /// Whose it is.
    pub controller: Controller,
    /// The settings of its proxies.
    pub infra: GatewayInfra<'a>,
    /// Where its proxies run; `None` where the chart's release is not at hand.
    pub deploy_mode: Option<DeployMode>,
}

/// A workload by its namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// `Deployment` or `DaemonSet`.
    pub kind: &'static str,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// All gateways.
pub fn fronts<'a>(whole: &Whole<'a>) -> Vec<Front<'a>> {
    let classes: Vec<Applied> = whole.of_kind(GATEWAY_API, "GatewayClass").collect();
    let proxies: Vec<Applied> = whole.of_kind(ENVOY_GATEWAY, "EnvoyProxy").collect();
    whole
        .of_kind(GATEWAY_API, "Gateway")
        .map(|gateway| {
            let is_near = |object: &Object| whole.may_share_cluster(object, gateway.object);
            let name = text(gateway.object, &["spec", "gatewayClassName"]);
            let mut classes = classes.iter().map(|class| class.object);
            let class = classes.find(|class| class.name() == name && is_near(class));
            let releases = whole.controllers().iter();
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

/// Whose the gateways of a class are.
fn controller(class: Option<&Object>) -> Controller {
    match class.map(|class| text(class, &["spec", "controllerName"])) {
        Some(name) if name.starts_with(CONTROLLER) => Controller::EnvoyGateway,
        Some(_) => Controller::Other,
        None => Controller::Unknown,
    }
}

/// The text at a path; empty where there is none.
pub fn text<'a>(object: &'a Object, path: &[&str]) -> &'a str {
    let node = object.node.path(path);
    node.and_then(Node::as_str).unwrap_or_default()
}

/// The EnvoyProxy that a reference names, among those of one cluster: in `namespace`, or the one that the reference
/// gives. Where a namespace is not known, it may be that one.
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
    /// A setting of what Kubernetes runs: below `spec.provider.kubernetes` of its EnvoyProxy.
    pub fn setting(&self, path: &[&str]) -> Option<&Node> {
        self.infra.kubernetes(path)
    }

    /// Whether the settings are known. A gateway's own EnvoyProxy takes the place of its class's, unless it says that
    /// it is merged with that.
    pub fn has_known_settings(&self) -> bool {
        let is_only = |proxy: &Object| proxy.node.path(&["spec", "mergeType"]).is_none();
        self.infra.is_known || self.infra.own.at_hand().is_some_and(is_only)
    }

    /// Whether all gateways of the class share one Service.
    pub fn is_merged(&self) -> bool {
        self.infra.merges_gateways
    }

    /// The namespace in which its proxies run.
    pub fn namespace(&self) -> Option<&str> {
        let namespace = match self.deploy_mode.as_ref()? {
            DeployMode::GatewayNamespace => self.gateway.object.namespace(),
            DeployMode::ControllerNamespace(namespace) => namespace,
        };
        (!namespace.is_empty() && !variable::in_text(namespace)).then_some(namespace)
    }

    /// The name that Envoy Gateway gives what it makes, unless told otherwise.
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

    /// What runs its proxies.
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

    /// Whether its Service is one that Cilium gives an address; `None` where that can't be known.
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

    /// The labels of its Service, with those by which Cilium's selectors name its namespace and name.
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

    /// The labels that Envoy Gateway puts on all that it makes for the gateway.
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
        // Other labels of the Gateway API's own are set by some versions and not by others.
        labels.set("gateway.networking.k8s.io/gateway-name", "${NAME}");
        labels
    }
}

/// The keys by which Cilium's service selectors name a Service's namespace and name.
pub fn add_meta(labels: &mut Labels, namespace: Option<&str>, name: Option<&str>) {
    for (key, value) in [
        ("io.kubernetes.service.namespace", namespace),
        ("io.kubernetes.service.name", name),
    ] {
        // A text with a variable in it is one that may be anything.
        labels.set(key, value.unwrap_or("${UNKNOWN}"));
    }
}
