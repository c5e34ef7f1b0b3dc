//! The tables inside `[proxy]` about pods and their Service.

use super::types::{Count, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

table! {
    /// How many proxies must keep running while nodes are drained. Set one of the two keys.
    pub struct DisruptionBudget {
        /// How many proxies must be available: a number, or a percentage such as `"50%"`.
        pub min_available: Option<Node>,
        /// How many proxies may be unavailable: a number, or a percentage such as `"50%"`.
        pub max_unavailable: Option<Node>,
    }
}

table! {
    /// Scales the proxies by their use of CPU and memory.
    pub struct HorizontalAutoscaler {
        /// The minimum number of proxies.
        pub min: Option<Spanned<Count>>,
        /// The maximum number of proxies.
        pub max: Option<Spanned<Count>>,
        /// The average use of CPU to aim at, in percent of what is requested.
        pub cpu: Option<Spanned<Count>>,
        /// The average use of memory to aim at, in percent of what is requested.
        pub memory: Option<Spanned<Count>>,
        /// More metrics, with Kubernetes' own keys.
        pub metrics: Vec<Node>,
        /// How fast proxies are added and removed, with Kubernetes' own keys.
        pub behavior: Option<Node>,
    }
}

table! {
    /// The Service in front of the proxies. Its address is set in the gateways' tables.
    pub struct ProxyService {
        /// The name of the Service. Default: the one that Envoy Gateway derives from the gateway's name.
        pub name: Option<Text>,
        /// `LoadBalancer`, `NodePort` or `ClusterIP`. Default: `LoadBalancer`.
        pub r#type: Option<Text>,
        /// Labels for the Service.
        pub labels: Pairs,
        /// Annotations for the Service.
        pub annotations: Pairs,
        /// The class of the load balancer (`loadBalancerClass`).
        pub load_balancer_class: Option<Text>,
        /// The networks, as CIDRs, from which the load balancer accepts connections
        /// (`loadBalancerSourceRanges`).
        pub source_ranges: Texts,
        /// `false` allocates no ports on the nodes (`allocateLoadBalancerNodePorts`).
        pub node_ports: Option<Spanned<bool>>,
    }
}

impl ProxyService {
    /// The settings of one gateway, completed with the shared ones.
    pub fn inherit(self, shared: Self) -> Self {
        ProxyService {
            name: self.name.or(shared.name),
            r#type: self.r#type.or(shared.r#type),
            labels: Pairs([shared.labels.0, self.labels.0].concat()),
            annotations: Pairs([shared.annotations.0, self.annotations.0].concat()),
            load_balancer_class: self.load_balancer_class.or(shared.load_balancer_class),
            source_ranges: match self.source_ranges.is_given() {
                true => self.source_ranges,
                false => shared.source_ranges,
            },
            node_ports: self.node_ports.or(shared.node_ports),
        }
    }
}
