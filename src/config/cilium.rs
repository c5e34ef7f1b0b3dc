//! `[cilium]`

use super::types::{Count, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

table! {
    /// Load balancer address pools and how addresses are announced.
    pub struct Cilium {
        /// The address pools, as CIDRs (`10.10.30.0/24`) or ranges (`10.10.30.20-10.10.30.40`). The address
        /// of every gateway must be in one of them.
        pub pools: Texts,
        /// The CiliumLoadBalancerIPPool to write. Without it, `pools` describes pools that are defined
        /// elsewhere.
        pub pool: Option<Pool>,
        /// The CiliumL2AnnouncementPolicy to write.
        pub l2: Option<L2>,
        /// The BGP configuration to write.
        pub bgp: Option<Bgp>,
    }
}

object_table! {
    /// A CiliumLoadBalancerIPPool that contains all `pools`.
    pub struct Pool {
        /// The name of the pool. Default: `gateways`.
        pub name: Option<Text>,
        /// Whether the first and the last address of a CIDR may be assigned. Default: `false`.
        pub first_and_last: Option<Spanned<bool>>,
        /// Whether the pool serves only the gateways' Services, selected by their labels. Default: `true`;
        /// `false` serves all Services.
        pub only_gateways: Option<Spanned<bool>>,
    }
}

object_table! {
    /// A CiliumL2AnnouncementPolicy.
    pub struct L2 {
        /// The name of the policy. Default: `gateways`.
        pub name: Option<Text>,
        /// The network interfaces that announce, as regular expressions.
        pub interfaces: Texts,
        /// The labels of the nodes that announce addresses. Default: `kubernetes.io/os = "linux"`.
        pub nodes: Pairs,
        /// Whether only the gateways' Services are announced, selected by their labels. Default: `true`;
        /// `false` announces all Services.
        pub only_gateways: Option<Spanned<bool>>,
    }
}

table! {
    /// A CiliumBGPClusterConfig, a CiliumBGPPeerConfig and a CiliumBGPAdvertisement.
    pub struct Bgp {
        /// The name of all three objects. Default: `gateways`.
        pub name: Option<Text>,
        /// The number of the cluster's autonomous system (ASN).
        pub local_asn: Option<Spanned<Count>>,
        /// The routers that Cilium peers with.
        pub peers: Vec<Peer>,
        /// The labels of the nodes that run BGP. Default: `kubernetes.io/os = "linux"`.
        pub nodes: Pairs,
        /// Merged over the `spec` of the CiliumBGPClusterConfig.
        pub cluster_spec: Option<Node>,
        /// Merged over the `spec` of the CiliumBGPPeerConfig.
        pub peer_spec: Option<Node>,
        /// Merged over the `spec` of the CiliumBGPAdvertisement.
        pub advertisement_spec: Option<Node>,
    }
}

table! {
    /// A router that Cilium peers with.
    pub struct Peer {
        /// The name of the peer.
        pub name: Option<Text>,
        /// The IP address of the router.
        pub address: Option<Text>,
        /// The number of the router's autonomous system (ASN).
        pub asn: Option<Spanned<Count>>,
    }
}
