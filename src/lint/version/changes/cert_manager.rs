//! cert-manager: its upgrade notes from 1.17 to 1.21.

use super::{Change, Effect, Project, Touches, always, change, in_any};

pub(super) const PROJECT: Project = Project {
    name: "cert-manager",
    title: "cert-manager",
    covers: ("1.17.0", "1.21.1"),
    changes: CHANGES,
};

const ISSUERS: &[&str] = &["Issuer", "ClusterIssuer"];

const CHANGES: &[Change] = &[
    change(
        &["1.18.0"],
        Effect::Behaves,
        Touches::Fields(&["Certificate"], "spec", |it| {
            it.node.path(&["privateKey", "rotationPolicy"]).is_none()
        }),
        "each renewal makes a new private key",
        "what pins the key, such as a TLSA record or an application, doesn't accept the next certificate",
        "write `privateKey: {rotationPolicy: Never}` to keep the key",
    ),
    change(
        &["1.18.0"],
        Effect::Behaves,
        Touches::Fields(&["Certificate"], "spec", |it| {
            it.lacks("revisionHistoryLimit")
        }),
        "only the last CertificateRequest is kept",
        "all earlier ones are deleted at the upgrade, so they can't be looked at any more",
        "write `revisionHistoryLimit:` with the number to keep, if you need them",
    ),
    change(
        &["1.18.0"],
        Effect::Behaves,
        Touches::Field(ISSUERS, "spec.acme.solvers[].http01.ingress", always),
        "the Ingress for HTTP-01 has paths of the type `Exact`",
        "an ingress controller with strict paths refuses it, and certificates are not renewed",
        "set the feature gate `ACMEHTTP01IngressPathTypeExact=false`, or allow such paths",
    ),
    change(
        &["1.19.0"],
        Effect::Behaves,
        Touches::Words(
            &["PrometheusRule", "GrafanaDashboard", "ConfigMap"],
            &[
                "certmanager_acme_client_request_count",
                "certmanager_acme_client_request_duration_seconds",
            ],
            in_any,
        ),
        "the metrics of ACME requests have the label `action` instead of `path`",
        "queries by `path` find nothing",
        "write `action` in them",
    ),
    change(
        &["1.21.0"],
        Effect::Breaks,
        Touches::Field(
            ISSUERS,
            "spec.vault.auth.kubernetes.serviceAccountRef.name",
            |it| it.text() == "cert-manager",
        ),
        "the chart doesn't allow cert-manager to make tokens for its own ServiceAccount",
        "it can't log in to Vault any more, so certificates are not renewed",
        "make a ServiceAccount for it, with a Role that allows `create` of `serviceaccounts/token`",
    ),
    change(
        &["1.21.0"],
        Effect::Breaks,
        Touches::Field(
            ISSUERS,
            "spec.acme.solvers[].dns01.route53.auth.kubernetes.serviceAccountRef.name",
            |it| it.text() == "cert-manager",
        ),
        "the chart doesn't allow cert-manager to make tokens for its own ServiceAccount",
        "it can't log in to Route 53 any more, so certificates are not renewed",
        "make a ServiceAccount for it, with a Role that allows `create` of `serviceaccounts/token`",
    ),
];
