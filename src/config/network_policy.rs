//! `[network_policies]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::{Text, Texts};
use manifest::diagnostic::Spanned;

/// The kind of policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum NetworkPolicyKind {
    /// Kubernetes' own, which most networks know.
    #[default]
    NetworkPolicy,
    /// Cilium's.
    CiliumNetworkPolicy,
}

table! {
    /// What may reach the Pods of the proxies and of the controller. There is a policy for each gateway and one for the
    /// controller; everything that they don't list is refused. What these Pods may reach isn't restricted.
    pub struct NetworkPolicies {
        /// `NetworkPolicy` or `CiliumNetworkPolicy`. Default: `NetworkPolicy`.
        pub kind: Option<Spanned<NetworkPolicyKind>>,
        /// The networks, as CIDRs, whose clients may reach the listeners. With `external_traffic_policy = "Cluster"`, the
        /// address of a connection may be that of a node. Default: all, unless `client_namespaces` is given.
        pub clients: Texts,
        /// The namespaces whose Pods may reach the listeners, such as that of cloudflared. Default: all, unless `clients` is
        /// given.
        pub client_namespaces: Texts,
        /// The namespaces whose Pods may read metrics, such as that of Prometheus. Default: none.
        pub metrics_from: Texts,
        /// The policy of the controller.
        pub controller: ControllerNetworkPolicy,
    }
}

object_table! {
    /// The policy of the controller: proxies may get their configuration, and the API server may call the webhook.
    pub struct ControllerNetworkPolicy {
        /// `false` doesn't write it. Default: `true`, if the release of the controller is written, too.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the policy. Default: the name of the chart.
        pub name: Option<Text>,
    }
}

object_table! {
    /// The policy of a gateway's proxies.
    pub struct GatewayNetworkPolicy {
        /// `false` doesn't write it. Default: `true` with [network_policies].
        pub enabled: Option<Spanned<bool>>,
        /// The name of the policy. Default: the name of the gateway.
        pub name: Option<Text>,
        /// The networks whose clients may reach the listeners, instead of those for all gateways.
        pub clients: Texts,
        /// The namespaces whose Pods may reach the listeners, instead of those for all gateways.
        pub client_namespaces: Texts,
    }
}
