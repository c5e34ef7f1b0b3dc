//! `[cilium]`

use super::types::{Count, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

table! {
    /// Load balancer addresses and how they are announced.
    pub struct Cilium {
        /// The address pools: CIDRs (`10.10.30.0/24`) or ranges (`10.10.30.20-10.10.30.40`). Every gateway's
        /// address must be in one.
        pub pools: Texts,
        /// The CiliumLoadBalancerIPPool to write. Without it the pools are facts about objects made elsewhere.
        pub pool: Option<Pool>,
        /// The CiliumL2AnnouncementPolicy to write.
        pub l2: Option<L2>,
        /// The BGP configuration to write.
        pub bgp: Option<Bgp>,
    }
}

object_table! {
    /// A CiliumLoadBalancerIPPool with all `pools`.
    pub struct Pool {
        /// Its name. Default: `gateways`.
        pub name: Option<Text>,
        /// Whether the first and last address of a CIDR are given out. Default: `false`.
        pub first_and_last: Option<Spanned<bool>>,
        /// `false`: for all Services. Default: only for the gateways' Services, by their labels.
        pub only_gateways: Option<Spanned<bool>>,
    }
}

object_table! {
    /// A CiliumL2AnnouncementPolicy.
    pub struct L2 {
        /// Its name. Default: `gateways`.
        pub name: Option<Text>,
        /// The network interfaces, as regular expressions.
        pub interfaces: Texts,
        /// The labels of the nodes that announce. Default: `kubernetes.io/os = "linux"`.
        pub nodes: Pairs,
        /// `false`: for all Services. Default: only for the gateways' Services, by their labels.
        pub only_gateways: Option<Spanned<bool>>,
    }
}

table! {
    /// A CiliumBGPClusterConfig, CiliumBGPPeerConfig and CiliumBGPAdvertisement.
    pub struct Bgp {
        /// The name of all three. Default: `gateways`.
        pub name: Option<Text>,
        /// The cluster's autonomous system.
        pub local_asn: Option<Spanned<Count>>,
        /// The routers.
        pub peers: Vec<Peer>,
        /// The labels of the nodes that speak BGP. Default: `kubernetes.io/os = "linux"`.
        pub nodes: Pairs,
        /// Laid over the `spec` of the CiliumBGPClusterConfig.
        pub cluster_spec: Option<Node>,
        /// Laid over the `spec` of the CiliumBGPPeerConfig.
        pub peer_spec: Option<Node>,
        /// Laid over the `spec` of the CiliumBGPAdvertisement.
        pub advertisement_spec: Option<Node>,
    }
}

table! {
    /// A router.
    pub struct Peer {
        /// Its name.
        pub name: Option<Text>,
        /// Its address.
        pub address: Option<Text>,
        /// Its autonomous system.
        pub asn: Option<Spanned<Count>>,
    }
}
