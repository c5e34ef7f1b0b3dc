//! Where projects document their kinds.

use super::catalogue::Entry;

/// The address of the documentation of each project's kinds. `{group}`, `{version}`, `{kind}` and `{lower}` (the kind in lower
/// case) are replaced.
const PAGES: &[(&str, &str)] = &[
    (
        "argo-cd",
        "https://argo-cd.readthedocs.io/en/stable/operator-manual/",
    ),
    (
        "cert-manager",
        "https://cert-manager.io/docs/reference/api-docs/#{group}/{version}.{kind}",
    ),
    ("cilium", "https://docs.cilium.io/en/stable/"),
    (
        "cloudnative-pg",
        "https://cloudnative-pg.io/docs/current/cloudnative-pg.v1/",
    ),
    (
        "core",
        "https://kubernetes.io/docs/reference/kubernetes-api/",
    ),
    (
        "envoy-gateway",
        "https://gateway.envoyproxy.io/docs/api/extension_types/#{lower}",
    ),
    (
        "external-dns",
        "https://kubernetes-sigs.github.io/external-dns/latest/docs/sources/crd/",
    ),
    (
        "external-secrets",
        "https://external-secrets.io/latest/api/spec/#{group}/{version}.{kind}",
    ),
    ("flux", "https://fluxcd.io/flux/components/"),
    (
        "flux-operator",
        "https://fluxoperator.dev/docs/crd/{lower}/",
    ),
    (
        "gateway-api",
        "https://gateway-api.sigs.k8s.io/reference/spec/#{lower}",
    ),
    (
        "grafana-operator",
        "https://grafana.github.io/grafana-operator/docs/api/#{lower}",
    ),
    (
        "helm-controller",
        "https://fluxcd.io/flux/components/helm/helmreleases/",
    ),
    ("keda", "https://keda.sh/docs/latest/reference/"),
    (
        "kustomize-controller",
        "https://fluxcd.io/flux/components/kustomize/kustomizations/",
    ),
    ("metallb", "https://metallb.io/apis/"),
    (
        "prometheus-operator",
        "https://prometheus-operator.dev/docs/api-reference/api/#{group}/{version}.{kind}",
    ),
    (
        "source-controller",
        "https://fluxcd.io/flux/components/source/",
    ),
    ("volsync", "https://volsync.readthedocs.io/en/stable/"),
];

/// The address of the project's own documentation of a kind, if it is known.
pub fn page(entry: &Entry, version: &str) -> Option<String> {
    let (_, page) = PAGES.iter().find(|(name, _)| *name == entry.set.project)?;
    let page = page
        .replace("{group}", &entry.group)
        .replace("{version}", version)
        .replace("{kind}", &entry.kind)
        .replace("{lower}", &entry.kind.to_lowercase());
    Some(page)
}
