//! Cilium: its upgrade guide from 1.15 to 1.20, as far as it is about load balancers, announcements and BGP.

use super::{Change, Effect, Instead, Project, Touches, always, change, mended};

pub(super) const PROJECT: Project = Project {
    name: "cilium",
    title: "Cilium",
    covers: ("1.15.0", "1.20.2"),
    changes: CHANGES,
};

const POOL: &[&str] = &["CiliumLoadBalancerIPPool"];

/// The kinds that have been in `v2` since 1.18.
const GROWN: &[&str] = &[
    "CiliumLoadBalancerIPPool",
    "CiliumBGPAdvertisement",
    "CiliumBGPClusterConfig",
    "CiliumBGPNodeConfigOverride",
    "CiliumBGPPeerConfig",
];

const CHANGES: &[Change] = &[
    mended(
        change(
            &["1.16.0"],
            Effect::Breaks,
            Touches::Field(POOL, "spec.cidrs", always),
            "a pool has `blocks`, and no `cidrs`",
            "the pool has no addresses, so Services don't get any",
            "write `blocks:` with the same list",
        ),
        Instead::Key("blocks"),
    ),
    change(
        &["1.16.0"],
        Effect::Behaves,
        Touches::Field(POOL, "spec", |it| it.lacks("allowFirstLastIPs")),
        "the first and the last address of a block are given to Services, too",
        "before, they were kept back, because they are the network and the broadcast address of a subnet",
        "write `allowFirstLastIPs: \"No\"` to keep them back",
    ),
    mended(
        change(
            &["1.18.0"],
            Effect::Deprecated,
            Touches::Field(GROWN, "apiVersion", |it| it.text() == "cilium.io/v2alpha1"),
            "this kind is in `cilium.io/v2`, and `v2alpha1` is deprecated",
            "it still works; once a release drops it, the API server refuses the object",
            "write `cilium.io/v2`",
        ),
        Instead::Value("cilium.io/v2"),
    ),
    change(
        &["1.19.0"],
        Effect::Breaks,
        Touches::Field(&["CiliumBGPPeeringPolicy"], "kind", always),
        "there is no CiliumBGPPeeringPolicy",
        "the CRD is gone, and with it all that was announced by it",
        "write CiliumBGPClusterConfig, CiliumBGPPeerConfig and CiliumBGPAdvertisement before the upgrade; `[cilium.bgp]` of cluster.toml renders them",
    ),
];
