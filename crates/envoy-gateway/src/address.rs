//! The addresses that a gateway's Service asks for.

use super::read::{list, text};
use super::view::Gateway;
use manifest::value::Node;

/// Annotations by which a Service asks for addresses, with the one by which it agrees to share them, and
/// whether they are given out of Cilium's pools.
pub const ANNOTATIONS: [(&str, &str, bool); 5] = [
    ("lbipam.cilium.io/ips", "lbipam.cilium.io/sharing-key", true),
    (
        "io.cilium/lb-ipam-ips",
        "io.cilium/lb-ipam-sharing-key",
        true,
    ),
    (
        "metallb.io/loadBalancerIPs",
        "metallb.io/allow-shared-ip",
        false,
    ),
    (
        "metallb.universe.tf/loadBalancerIPs",
        "metallb.universe.tf/allow-shared-ip",
        false,
    ),
    ("kube-vip.io/loadbalancerIPs", "", false),
];

impl Gateway<'_> {
    /// The addresses that are asked for, each once, as written: the EnvoyProxy's, which win over the gateway's own
    /// annotations, then `spec.addresses`.
    pub fn addresses(&self) -> Vec<String> {
        let service = ["provider", "kubernetes", "envoyService"];
        let service = self.settings.as_ref().and_then(|it| it.path(&service));
        let mut found = annotated(service.and_then(|it| it.get("annotations")));
        let single = service.and_then(|it| text(it, &["loadBalancerIP"]));
        found.extend(single.map(str::to_owned));
        if found.is_empty() {
            let own = ["spec", "infrastructure", "annotations"];
            found = annotated(self.object.node.path(&own));
        }
        let listed = list(&self.object.node, &["spec", "addresses"]);
        let listed = listed.iter().filter_map(|it| text(it, &["value"]));
        found.extend(listed.map(str::to_owned));
        let mut seen = std::collections::HashSet::new();
        found.retain(|it| seen.insert(it.clone()));
        found
    }
}

fn annotated(annotations: Option<&Node>) -> Vec<String> {
    let texts = ANNOTATIONS
        .iter()
        .filter_map(|(key, ..)| annotations?.get(key)?.as_str());
    let parts = texts.flat_map(|text| text.split(','));
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
