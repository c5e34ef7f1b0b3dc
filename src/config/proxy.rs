//! `[proxy]`, `[class]`, `[classes.NAME]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::{Count, Text};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

/// What runs the proxies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Workload {
    /// A number of replicas.
    #[default]
    Deployment,
    /// One on every node.
    DaemonSet,
}

object_table! {
    /// An EnvoyProxy: how the proxies run.
    pub struct Proxy {
        /// `false`: no shared EnvoyProxy. Default: one, unless every gateway has its own.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the EnvoyProxy. Default: `envoy`; of a gateway's own, the gateway's name.
        pub name: Option<Text>,
        /// `Deployment` or `DaemonSet`. Default: `Deployment`.
        pub kind: Option<Spanned<Workload>>,
        /// How many proxies run for each gateway.
        pub replicas: Option<Spanned<Count>>,
        /// Requests and limits of the proxies' container, as Kubernetes writes them.
        pub resources: Option<Node>,
        /// The proxies' image, with its tag.
        pub image: Option<Text>,
        /// The proxies' image without a tag: the chart's own version of Envoy from another registry.
        pub image_repository: Option<Text>,
        /// `Local` keeps the client's address, `Cluster` spreads over all nodes.
        pub external_traffic_policy: Option<Text>,
        /// How long a proxy that stops waits for its connections.
        pub drain_timeout: Option<Text>,
        /// `trace`, `debug`, `info`, `warn` or `error`.
        pub log_level: Option<Text>,
        /// Compression of the metrics that Prometheus reads: `Gzip`, `Brotli` or `Zstd`.
        pub prometheus_compression: Option<Text>,
        /// `IPv4`, `IPv6` or `DualStack`.
        pub ip_family: Option<Text>,
    }
}

object_table! {
    /// A GatewayClass.
    pub struct Class {
        /// The name of the GatewayClass. Default: `envoy`.
        pub name: Option<Text>,
        /// The controller. Default: `gateway.envoyproxy.io/gatewayclass-controller`.
        pub controller: Option<Text>,
    }
}

object_table! {
    /// A GatewayClass that some of the gateways have.
    pub struct FurtherClass {
        /// The controller. Default: `gateway.envoyproxy.io/gatewayclass-controller`.
        pub controller: Option<Text>,
        /// The EnvoyProxy of all its gateways (`parametersRef`), by name. A gateway of the class whose own it is
        /// doesn't name it again.
        pub proxy: Option<Text>,
    }
}
