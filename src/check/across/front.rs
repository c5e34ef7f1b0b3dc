//! The gateways, and what Envoy Gateway makes of each: a Service and a Deployment, as far as that is at hand.

use super::selector::Labels;
use super::{Applied, Whole};
use crate::manifest::Object;
use crate::model::names::hashed_deployment;
pub use crate::resolve::controller::CHART;
use crate::resolve::controller::{ControllerRelease, Setting};
pub use crate::resolve::helm_routes::release_namespace;
pub use crate::resolve::index::{ENVOY_GATEWAY, GATEWAY_API};
use crate::value::{Node, variable};

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

/// The settings of a gateway's proxies.
#[derive(Clone, Copy, Debug)]
pub enum Settings<'a> {
    /// There are none.
    None,
    /// An EnvoyProxy.
    Of(&'a Object),
    /// They are not at hand, or merged from several.
    Unknown,
}

/// Where proxies run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Each gateway's in its own namespace.
    Gateway,
    /// All in the controller's namespace.
    Controller(String),
}

/// A gateway.
#[derive(Clone, Debug)]
pub struct Front<'a> {
    /// The Gateway.
    pub gateway: Applied<'a>,
    /// Whose it is.
    pub controller: Controller,
    /// The settings of its proxies.
    pub settings: Settings<'a>,
    /// Where its proxies run; `None` where the chart's release is not at hand.
    pub place: Option<Place>,
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
    let releases = whole.controllers();
    whole
        .of_kind(GATEWAY_API, "Gateway")
        .map(|gateway| {
            let name = text(gateway.object, &["spec", "gatewayClassName"]);
            let class = classes.iter().find(|class| {
                class.object.name() == name && whole.may_share_cluster(class.object, gateway.object)
            });
            let controller =
                match class.map(|class| text(class.object, &["spec", "controllerName"])) {
                    Some(name) if name.starts_with("gateway.envoyproxy.io/") => {
                        Controller::EnvoyGateway
                    }
                    Some(_) => Controller::Other,
                    None => Controller::Unknown,
                };
            let mut own = releases
                .iter()
                .filter(|release| whole.may_share_cluster(release.release, gateway.object));
            let place = match (own.next(), own.next()) {
                (Some(release), None) => place(release),
                _ => None,
            };
            let class = class.map(|class| class.object);
            Front {
                gateway,
                controller,
                settings: settings(whole, &gateway, class, &proxies),
                place,
            }
        })
        .collect()
}

/// The text at a path; empty where there is none.
pub fn text<'a>(object: &'a Object, path: &[&str]) -> &'a str {
    let node = object.node.path(path);
    node.and_then(Node::as_str).unwrap_or_default()
}

/// The EnvoyProxy of a gateway: its own, else its class'.
fn settings<'a>(
    whole: &Whole<'a>,
    gateway: &Applied<'a>,
    class: Option<&'a Object>,
    proxies: &[Applied<'a>],
) -> Settings<'a> {
    let own = gateway
        .object
        .node
        .path(&["spec", "infrastructure", "parametersRef"]);
    let shared = class.and_then(|class| class.node.path(&["spec", "parametersRef"]));
    let (reference, namespace) = match (own, shared) {
        (Some(own), _) => (own, gateway.object.namespace()),
        (None, Some(shared)) => {
            let namespace = shared.get("namespace").and_then(Node::as_str);
            (shared, namespace.unwrap_or_default())
        }
        (None, None) if class.is_some() => return Settings::None,
        (None, None) => return Settings::Unknown,
    };
    let wanted = reference
        .get("name")
        .and_then(Node::as_str)
        .unwrap_or_default();
    let found = proxies.iter().find(|proxy| {
        let there = proxy.object.namespace();
        proxy.object.name() == wanted
            && (there == namespace || there.is_empty() || namespace.is_empty())
            && whole.may_share_cluster(proxy.object, gateway.object)
    });
    match found {
        // From 1.7 on an EnvoyProxy of a gateway can be merged with its class'.
        Some(proxy) if proxy.object.node.path(&["spec", "mergeType"]).is_some() => {
            Settings::Unknown
        }
        Some(proxy) => Settings::Of(proxy.object),
        None => Settings::Unknown,
    }
}

/// Where the controller that a release installs runs proxies; `None` where that is not known.
fn place(release: &ControllerRelease<'_>) -> Option<Place> {
    let mode = match release.setting(&["provider", "kubernetes", "deploy", "type"]) {
        Setting::Given(mode, _) => mode.as_str()?,
        Setting::Unset => "ControllerNamespace",
        Setting::Unknown => return None,
    };
    match mode {
        "GatewayNamespace" => Some(Place::Gateway),
        "ControllerNamespace" => Some(Place::Controller(release.namespace()?.to_owned())),
        _ => None,
    }
}

impl<'a> Front<'a> {
    /// The settings below `spec.provider.kubernetes` of its EnvoyProxy.
    pub fn setting(&self, path: &[&str]) -> Option<&'a Node> {
        let Settings::Of(proxy) = self.settings else {
            return None;
        };
        proxy
            .node
            .path(&["spec", "provider", "kubernetes"])?
            .path(path)
    }

    /// Whether the settings are known.
    pub fn has_known_settings(&self) -> bool {
        !matches!(self.settings, Settings::Unknown)
    }

    /// Whether all gateways of the class share one Service.
    pub fn is_merged(&self) -> bool {
        let Settings::Of(proxy) = self.settings else {
            return false;
        };
        let merged = proxy.node.path(&["spec", "mergeGateways"]);
        merged.is_some_and(|merged| merged.to_json() == serde_json::Value::Bool(true))
    }

    /// The namespace in which its proxies run.
    pub fn namespace(&self) -> Option<&str> {
        let namespace = match self.place.as_ref()? {
            Place::Gateway => self.gateway.object.namespace(),
            Place::Controller(namespace) => namespace,
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
        Some(match self.place.as_ref()? {
            Place::Gateway => gateway.name().to_owned(),
            Place::Controller(_) => hashed_deployment(gateway.namespace(), gateway.name()),
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
        match (self.controller, self.settings) {
            (Controller::EnvoyGateway, Settings::None | Settings::Of(_)) => {}
            _ => return None,
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
