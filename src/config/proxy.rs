//! `[proxy]`, `[class]`, `[classes.NAME]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::proxy_pods::{DisruptionBudget, HorizontalAutoscaler, ProxyService};
use super::types::{Count, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

/// The kind of workload that runs the proxies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Workload {
    /// A fixed or scaled number of replicas.
    #[default]
    Deployment,
    /// One proxy on every node.
    DaemonSet,
}

object_table! {
    /// An EnvoyProxy, which configures how the proxies run.
    pub struct Proxy {
        /// `false` doesn't write a shared EnvoyProxy. Default: `true`, unless every gateway has its own.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the EnvoyProxy. Default: `envoy`, or the gateway's name if it belongs to one gateway.
        pub name: Option<Text>,
        /// `Deployment` or `DaemonSet`. Default: `Deployment`.
        pub kind: Option<Spanned<Workload>>,
        /// How many proxies run for each gateway.
        pub replicas: Option<Spanned<Count>>,
        /// Resource requests and limits of the proxy container, with Kubernetes' own keys.
        pub resources: Option<Node>,
        /// The image of the proxies, with its tag.
        pub image: Option<Text>,
        /// The image of the proxies without a tag, to pull the chart's own Envoy version from another
        /// registry.
        pub image_repository: Option<Text>,
        /// `Local` preserves the client's source address; `Cluster` distributes connections over all nodes.
        pub external_traffic_policy: Option<Text>,
        /// How long a stopping proxy waits for open connections to finish.
        pub drain_timeout: Option<Text>,
        /// `trace`, `debug`, `info`, `warn` or `error`.
        pub log_level: Option<Text>,
        /// The compression of the metrics that Prometheus scrapes: `Gzip`, `Brotli` or `Zstd`.
        pub prometheus_compression: Option<Text>,
        /// `IPv4`, `IPv6` or `DualStack`.
        pub ip_family: Option<Text>,
        /// How long a stopping proxy drains connections at least, even if none is open.
        pub min_drain_duration: Option<Text>,
        /// The name of the Deployment or DaemonSet. Default: the one that Envoy Gateway derives from the gateway's
        /// name.
        pub workload_name: Option<Text>,
        /// The labels of the nodes that proxies may run on.
        pub node_selector: Pairs,
        /// The taints of nodes that the proxies tolerate, with Kubernetes' own keys.
        pub tolerations: Vec<Node>,
        /// Which nodes and pods the proxies are attracted to or kept away from, with Kubernetes' own keys.
        pub affinity: Option<Node>,
        /// How the proxies are spread over nodes and zones (`topologySpreadConstraints`), with Kubernetes' own
        /// keys.
        pub topology_spread: Vec<Node>,
        /// The PriorityClass of the proxies.
        pub priority_class: Option<Text>,
        /// The security context of the proxy container, with Kubernetes' own keys.
        pub security_context: Option<Node>,
        /// The security context of the pods, with Kubernetes' own keys.
        pub pod_security_context: Option<Node>,
        /// Labels for the pods.
        pub pod_labels: Pairs,
        /// Annotations for the pods.
        pub pod_annotations: Pairs,
        /// Environment variables of the proxy container.
        pub env: Pairs,
        /// The Secrets with the credentials of the registry that the image is pulled from.
        pub image_pull_secrets: Texts,
        /// How many proxies must keep running while nodes are drained (a PodDisruptionBudget).
        pub disruption_budget: Option<DisruptionBudget>,
        /// Scales the proxies by their use of CPU and memory (a HorizontalPodAutoscaler). `replicas` has no effect
        /// then. For triggers of KEDA, see `[autoscaling]`.
        pub hpa: Option<HorizontalAutoscaler>,
        /// The Service in front of the proxies.
        pub service: ProxyService,
    }
}

object_table! {
    /// A GatewayClass.
    pub struct Class {
        /// The name of the GatewayClass. Default: `envoy`.
        pub name: Option<Text>,
        /// The name of the controller. Default: `gateway.envoyproxy.io/gatewayclass-controller`.
        pub controller: Option<Text>,
    }
}

object_table! {
    /// An additional GatewayClass, which one or more gateways use.
    pub struct FurtherClass {
        /// The name of the controller. Default: `gateway.envoyproxy.io/gatewayclass-controller`.
        pub controller: Option<Text>,
        /// The name of the EnvoyProxy for all gateways of the class (`parametersRef`). If it is one gateway's
        /// own EnvoyProxy, that gateway doesn't refer to it a second time.
        pub proxy: Option<Text>,
    }
}
