//! Address pools that overlap with the networks of Pods and Services.

use ipnet::IpNet;

use crate::lint::{Applied, LintContext};
use crate::model::address::Range;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Kind, Node, Pointer, pointer::Step};

manifest::code! {
    "network"/"pool-in-cluster", Error, "An address pool that overlaps with the network of Pods or Services.",
    r#"
A block of a CiliumLoadBalancerIPPool overlaps with a network from which Pods or Services get their addresses. The same
address can then be given out twice, and inside the cluster, connections to a gateway may end at a Pod. The networks are
read from the values of Cilium's chart, from CiliumPodIPPools and from kubeadm's ClusterConfiguration.

## Wrong

```yaml
kind: CiliumLoadBalancerIPPool
spec:
  blocks:
    - cidr: 10.42.255.0/24
---
kind: HelmRelease # the chart `cilium`
spec:
  values:
    ipam:
      operator:
        clusterPoolIPv4PodCIDRList: [10.42.0.0/16]
```

## Right

```yaml
kind: CiliumLoadBalancerIPPool
spec:
  blocks:
    - cidr: 10.10.30.0/24
---
kind: HelmRelease # the chart `cilium`
spec:
  values:
    ipam:
      operator:
        clusterPoolIPv4PodCIDRList: [10.42.0.0/16]
```
"#
}

/// A network of the cluster.
struct ClusterNetwork<'a> {
    object: &'a Object,
    pointer: Pointer,
    range: Range,
    text: &'a str,
    what: &'static str,
}

/// Reports blocks of pools that overlap with the cluster's own networks.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let pools = context.pools();
    if pools.is_empty() {
        return Vec::new();
    }
    let networks = networks(context);
    let mut found = Vec::new();
    for pool in pools.iter().filter(|pool| !pool.is_disabled) {
        for block in &pool.blocks {
            let Some(range) = block.range else { continue };
            let overlapping = networks.iter().find(|network| {
                range.first <= network.range.last
                    && network.range.first <= range.last
                    && range.first.is_ipv4() == network.range.first.is_ipv4()
                    && context.may_share_cluster(network.object, pool.applied.object)
            });
            let Some(network) = overlapping else { continue };
            let message = format!(
                "{} of the pool {} overlaps with {}, from which {} get their addresses",
                block.text,
                pool.name(),
                network.text,
                network.what
            );
            found.push(
                finding(CODE, pool.applied.object, &block.pointer, message)
                    .related(network.object.span(&network.pointer), format!("the network of {}", network.what))
                    .why("an address can be given out twice, and connections inside the cluster may end at the wrong place")
                    .help("take a part of the nodes' network, or a network that nothing else uses"),
            );
        }
    }
    found
}

fn networks<'a>(context: &LintContext<'a>) -> Vec<ClusterNetwork<'a>> {
    const IN_CHART: [&str; 3] = [
        "clusterPoolIPv4PodCIDRList",
        "clusterPoolIPv6PodCIDRList",
        "clusterPoolIPv4PodCIDR",
    ];
    let mut all = Vec::new();
    let mut add = |one: &Applied<'a>, path: &[&str], what: &'static str| {
        let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
        if let Some(node) = one.object.node.at(&pointer) {
            each_network(one.object, node, pointer, what, &mut all);
        }
    };
    for release in context.releases("cilium") {
        for key in IN_CHART {
            let path = ["spec", "values", "ipam", "operator", key];
            add(&release, &path, "Pods");
        }
    }
    for pool in context.of_kind("cilium.io", "CiliumPodIPPool") {
        for family in ["ipv4", "ipv6"] {
            add(&pool, &["spec", family, "cidrs"], "Pods");
        }
    }
    for config in context.of_kind("kubeadm.k8s.io", "ClusterConfiguration") {
        add(&config, &["networking", "podSubnet"], "Pods");
        add(&config, &["networking", "serviceSubnet"], "Services");
    }
    all
}

/// Adds the networks in a string, in which commas separate them, or in a list of strings.
fn each_network<'a>(
    object: &'a Object,
    node: &'a Node,
    mut pointer: Pointer,
    what: &'static str,
    all: &mut Vec<ClusterNetwork<'a>>,
) {
    match &node.kind {
        Kind::String(text) => {
            for text in text.split(',').map(str::trim) {
                let Ok(net) = text.parse::<IpNet>() else {
                    continue;
                };
                all.push(ClusterNetwork {
                    object,
                    pointer: pointer.clone(),
                    range: Range {
                        first: net.network(),
                        last: net.broadcast(),
                    },
                    text,
                    what,
                });
            }
        }
        Kind::List(items) => {
            for (at, item) in items.iter().enumerate() {
                pointer.push(Step::Index(at));
                each_network(object, item, pointer.clone(), what, all);
                pointer.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::support::found_in;

    #[test]
    fn pools_are_outside_of_the_networks_of_pods() {
        let says = |block: &str| {
            found_in(&format!(
                "
# cilium.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: cilium, namespace: kube-system}}
spec:
  chart: {{spec: {{chart: cilium}}}}
  values: {{ipam: {{operator: {{clusterPoolIPv4PodCIDRList: [10.42.0.0/16]}}}}}}
---
apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {{name: a}}
spec: {{blocks: [{{cidr: {block}}}]}}
"
            ))
        };
        assert_eq!(says("10.43.0.0/24"), [""; 0]);
        assert_eq!(
            says("10.42.9.0/24"),
            [
                "error network/pool-in-cluster cilium.yaml:11 10.42.9.0/24 of the pool a overlaps with 10.42.0.0/16, from which Pods get their addresses"
            ]
        );
    }
}
