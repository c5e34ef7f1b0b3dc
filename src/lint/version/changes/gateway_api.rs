//! Gateway API by itself: its changelogs from 1.4 to 1.6. Schemas report fields, versions and kinds that are gone.

use super::{Change, Effect, Project, Touches, always, change, in_any};

pub(super) const PROJECT: Project = Project {
    name: "gateway-api",
    title: "Gateway API",
    covers: ("1.3.0", "1.6.1"),
    changes: CHANGES,
};

const CHANGES: &[Change] = &[
    change(
        &["1.5.0"],
        Effect::Behaves,
        Touches::Fields(&["TLSRoute"], "spec", always),
        "the CRD of TLSRoute needs Kubernetes 1.31 or later",
        "an older API server refuses the CRD, because it doesn't know its validation rules",
        "upgrade Kubernetes first",
    ),
    change(
        &["1.5.0"],
        Effect::Behaves,
        Touches::Words(
            &["Kustomization", "GitRepository"],
            &["kubernetes-sigs/gateway-api"],
            in_any,
        ),
        "a ValidatingAdmissionPolicy refuses older CRDs, and experimental ones over standard ones",
        "going back to an earlier release, or to another channel, fails",
        "delete `safe-upgrades.gateway.networking.k8s.io` before you go back or change the channel",
    ),
    change(
        &["1.6.0"],
        Effect::Breaks,
        Touches::Field(
            &["HTTPRoute", "GRPCRoute"],
            "spec.rules[].sessionPersistence.idleTimeout",
            always,
        ),
        "`sessionPersistence` has no `idleTimeout`",
        "the API server refuses it, or removes it without a word",
        "remove it; `absoluteTimeout` stays",
    ),
];
