//! Addresses of gateways that BGP doesn't advertise, because one of Cilium's objects doesn't select the next.

use std::collections::BTreeSet;

use crate::lint::{Applied, LintContext};
use envoy_gateway::proxies::Controller;
use envoy_gateway::read::{list, text};
use envoy_gateway::selector::{Labels, selects};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "network"/"not-advertised", Warning, "An address that BGP doesn't advertise.",
    r#"
Cilium's objects for BGP refer to each other: a peer of a CiliumBGPClusterConfig names its CiliumBGPPeerConfig, a
family in there selects CiliumBGPAdvertisements by their labels, and an advertisement of the type `Service` selects
Services by their labels. If one link is missing, the session is established, but the router learns no route to the
addresses. An advertisement of Services without a `selector` advertises none of them; to advertise all, write a
selector that every Service satisfies.

## Wrong

```yaml
kind: CiliumBGPAdvertisement
spec:
  advertisements:
    - advertisementType: Service
      service: { addresses: [LoadBalancerIP] }
```

## Right

```yaml
kind: CiliumBGPAdvertisement
spec:
  advertisements:
    - advertisementType: Service
      service: { addresses: [LoadBalancerIP] }
      selector:
        matchExpressions:
          - { key: example.com/not-advertised, operator: DoesNotExist }
```
"#
}

const CILIUM: &str = "cilium.io";
const UNKNOWN_WAY: &str = "the router learns no route to these addresses, so nobody can reach them";

/// A selector that every Service satisfies.
const ALL: &str =
    "`selector: {matchExpressions: [{key: example.com/not-advertised, operator: DoesNotExist}]}`";

/// Reports missing links between Cilium's objects for BGP.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let of = |kind| -> Vec<Applied<'_>> { context.of_kind(CILIUM, kind).collect() };
    let clusters = of("CiliumBGPClusterConfig");
    let advertisements = of("CiliumBGPAdvertisement");
    let mut found: Vec<Diagnostic> = Vec::new();
    let configs = of("CiliumBGPPeerConfig");
    for cluster in &clusters {
        found.extend(unknown_configs(context, cluster, &configs));
    }
    for config in &configs {
        found.extend(unselected(context, config, &advertisements));
    }
    for advertisement in &advertisements {
        found.extend(without_selector(advertisement));
    }
    if found.is_empty() && !clusters.is_empty() {
        found.extend(gateways(context, &advertisements));
    }
    found
}

/// Peers whose configuration has another name.
fn unknown_configs(
    context: &LintContext<'_>,
    cluster: &Applied<'_>,
    configs: &[Applied<'_>],
) -> Vec<Diagnostic> {
    let near = configs.iter();
    let near = near.filter(|it| context.may_share_cluster(it.object, cluster.object));
    let names: BTreeSet<&str> = near.map(|it| it.object.name()).collect();
    let spec = Pointer::root().key("spec").key("bgpInstances");
    let instances = list(&cluster.object.node, &["spec", "bgpInstances"]).iter();
    let mut found = Vec::new();
    for (nth, instance) in instances.enumerate() {
        for (at, peer) in list(instance, &["peers"]).iter().enumerate() {
            let Some(name) = text(peer, &["peerConfigRef", "name"]) else {
                continue;
            };
            if names.contains(name) || names.is_empty() || variable::in_text(name) {
                continue;
            }
            let Some(near) = nearest(name, names.iter().copied()) else {
                continue;
            };
            let place = spec.index(nth).key("peers").index(at);
            let place = place.key("peerConfigRef").key("name");
            let message = format!("there is no CiliumBGPPeerConfig {name}");
            found.push(
                finding(CODE, cluster.object, &place, message)
                    .severity(Severity::Error)
                    .why("without its configuration, Cilium starts no session with the peer")
                    .help(format!("write `{near}`")),
            );
        }
    }
    found
}

/// A family whose selector no advertisement satisfies.
fn unselected(
    context: &LintContext<'_>,
    config: &Applied<'_>,
    advertisements: &[Applied<'_>],
) -> Option<Diagnostic> {
    let near = advertisements.iter();
    let near = near.filter(|it| context.may_share_cluster(it.object, config.object));
    let labels: Vec<Labels> = near.map(labels).collect();
    if labels.is_empty() {
        return None;
    }
    let families = list(&config.object.node, &["spec", "families"]).iter();
    families.enumerate().find_map(|(at, family)| {
        let selector = family.get("advertisements")?;
        let is_none = |it: &Labels| selects(Some(selector), it) == Some(false);
        if !labels.iter().all(is_none) {
            return None;
        }
        let place = Pointer::root().key("spec").key("families").index(at);
        let message = format!(
            "{} selects no CiliumBGPAdvertisement by its labels",
            config.object.name()
        );
        Some(
            finding(CODE, config.object, &place.key("advertisements"), message)
                .why("the session is established, but nothing is advertised over it")
                .help("select by labels that an advertisement has in `metadata.labels`"),
        )
    })
}

fn labels(one: &Applied<'_>) -> Labels {
    let mut labels = Labels {
        is_open: one.way.is_some_and(|way| way.is_partly_unknown),
        ..Labels::default()
    };
    labels.add(one.object.node.path(&["metadata", "labels"]));
    labels
}

/// An advertisement of Services that selects none.
fn without_selector(advertisement: &Applied<'_>) -> Option<Diagnostic> {
    let object = advertisement.object;
    let items = list(&object.node, &["spec", "advertisements"]).iter();
    let mut services = items
        .enumerate()
        .filter(|(_, item)| text(item, &["advertisementType"]) == Some("Service"));
    let (at, _) = services.find(|(_, item)| item.get("selector").is_none())?;
    let place = Pointer::root().key("spec").key("advertisements").index(at);
    let message = format!(
        "{} advertises no Service, because it has no `selector`",
        object.name()
    );
    Some(
        finding(CODE, object, &place, message)
            .why(UNKNOWN_WAY)
            .help(format!("for all Services, write {ALL}")),
    )
}

/// Gateways whose Service no advertisement selects, if nothing else announces addresses.
fn gateways(context: &LintContext<'_>, advertisements: &[Applied<'_>]) -> Vec<Diagnostic> {
    let mut others = ["CiliumL2AnnouncementPolicy", "CiliumBGPPeeringPolicy"]
        .iter()
        .flat_map(|kind| context.of_kind(CILIUM, kind));
    if others.next().is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for front in context.fronts() {
        if front.controller != Controller::EnvoyGateway || front.has_load_balancer() != Some(true) {
            continue;
        }
        let gateway = front.gateway.object;
        let near = advertisements.iter();
        let near = near.filter(|it| context.may_share_cluster(it.object, gateway));
        let selectors: Vec<_> = near
            .flat_map(|it| list(&it.object.node, &["spec", "advertisements"]))
            .filter(|item| text(item, &["advertisementType"]) == Some("Service"))
            .collect();
        let labels = front.service_labels();
        let is_none = |selector| selects(selector, &labels) == Some(false);
        if selectors.is_empty() || !selectors.iter().all(|it| is_none(it.get("selector"))) {
            continue;
        }
        let place = Pointer::root().key("metadata").key("name");
        let message = format!(
            "no CiliumBGPAdvertisement selects the Service of {}",
            gateway.name()
        );
        found.push(
            finding(CODE, gateway, &place, message)
                .why(UNKNOWN_WAY)
                .help("select by a label that the Service has, such as `app.kubernetes.io/component: proxy`, or write the label into `spec.infrastructure.labels` of the Gateway"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::support::{FRONT, found_in};

    fn says(config: &str, label: &str, selector: &str) -> Vec<String> {
        found_in(&format!(
            "{FRONT}
# bgp.yaml
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {{name: a}}
spec: {{bgpInstances: [{{name: a, peers: [{{name: a, peerConfigRef: {{name: {config}}}}}]}}]}}
---
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {{name: router}}
spec: {{families: [{{afi: ipv4, safi: unicast, advertisements: {{matchLabels: {{advertise: bgp}}}}}}]}}
---
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {{name: lb, labels: {{advertise: {label}}}}}
spec: {{advertisements: [{{advertisementType: Service, service: {{addresses: [LoadBalancerIP]}}{selector}}}]}}
"
        ))
    }

    #[test]
    fn every_link_of_bgp_is_there() {
        let all = ", selector: {matchExpressions: [{key: x, operator: DoesNotExist}]}";
        let tier = |value: &str| format!(", selector: {{matchLabels: {{tier: {value}}}}}");
        assert_eq!(says("router", "bgp", all), [""; 0]);
        assert_eq!(says("router", "bgp", &tier("front")), [""; 0]);
        assert_eq!(
            says("routers", "bgp", all),
            ["error network/not-advertised bgp.yaml:4 there is no CiliumBGPPeerConfig routers"]
        );
        assert_eq!(
            says("router", "bpg", all),
            [
                "warning network/not-advertised bgp.yaml:9 router selects no CiliumBGPAdvertisement by its labels"
            ]
        );
        assert_eq!(
            says("router", "bgp", ""),
            [
                "warning network/not-advertised bgp.yaml:14 lb advertises no Service, because it has no `selector`"
            ]
        );
        assert_eq!(
            says("router", "bgp", &tier("back")),
            [
                "warning network/not-advertised front.yaml:27 no CiliumBGPAdvertisement selects the Service of external"
            ]
        );
    }
}
