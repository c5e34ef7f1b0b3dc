//! Objects of features that the values of another chart leave off: Cilium's announcements, cert-manager's Gateways.

use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::{has, list};
use flux_repo::ARGO_CD;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Kind, Node, Pointer};

manifest::code! {
    "reference"/"chart-switch", Warning, "An object that nothing reads, because a chart's value is not set.",
    r#"
Some features of Cilium and cert-manager are off unless a value of their chart says otherwise: Cilium's L2
announcements (`l2announcements.enabled`, which also need `kubeProxyReplacement`) and BGP (`bgpControlPlane.enabled`),
and certificates for annotated Gateways (`config.enableGatewayAPI` of cert-manager). The API server takes the objects
all the same, and nothing happens. This is reported if the HelmRelease with all of its values is among the manifests.

## Wrong

```yaml
kind: HelmRelease # of cert-manager
spec:
  values: { crds: { enabled: true } }
---
kind: Gateway
metadata:
  annotations: { cert-manager.io/cluster-issuer: letsencrypt }
```

## Right

```yaml
kind: HelmRelease # of cert-manager
spec:
  values:
    crds: { enabled: true }
    config: { enableGatewayAPI: true }
```
"#
}

/// A value that a feature needs.
struct Switch {
    chart: &'static str,
    /// The kinds of the objects of the feature, with their groups.
    kinds: &'static [(&'static str, &'static str)],
    /// Whether an object of these kinds uses the feature.
    uses: fn(&Object) -> bool,
    /// The path of the value in `values`.
    path: &'static [&'static str],
    /// Whether the feature is off unless the value says otherwise.
    is_off_by_default: bool,
    /// An argument of the program that does the same.
    argument: &'static str,
    why: &'static str,
}

const SWITCHES: &[Switch] = &[
    Switch {
        chart: "cilium",
        kinds: &[("cilium.io", "CiliumL2AnnouncementPolicy")],
        uses: |_| true,
        path: &["l2announcements", "enabled"],
        is_off_by_default: true,
        argument: "--enable-l2-announcements",
        why: "no node answers ARP requests for the addresses of Services, so nobody can reach them",
    },
    Switch {
        chart: "cilium",
        kinds: &[
            ("cilium.io", "CiliumBGPClusterConfig"),
            ("cilium.io", "CiliumBGPPeeringPolicy"),
        ],
        uses: |_| true,
        path: &["bgpControlPlane", "enabled"],
        is_off_by_default: true,
        argument: "--enable-bgp-control-plane",
        why: "Cilium starts no BGP session, so no router learns the way to any address",
    },
    Switch {
        chart: "cilium",
        kinds: &[("cilium.io", "CiliumL2AnnouncementPolicy")],
        uses: |_| true,
        path: &["kubeProxyReplacement"],
        is_off_by_default: false,
        argument: "--kube-proxy-replacement",
        why: "Cilium only announces addresses of Services that it serves itself, so nobody can reach them",
    },
    Switch {
        chart: "cert-manager",
        kinds: &[("gateway.networking.k8s.io", "Gateway")],
        uses: wants_certificates,
        path: &["config", "enableGatewayAPI"],
        is_off_by_default: true,
        argument: "--enable-gateway-api",
        why: "cert-manager doesn't look at Gateways, so it makes no certificate, and the HTTPS listeners don't work",
    },
];

/// Whether cert-manager is to make the certificates of a Gateway.
fn wants_certificates(gateway: &Object) -> bool {
    let annotations = gateway.node.path(&["metadata", "annotations"]);
    let has = |key: &str| annotations.is_some_and(|it| it.get(key).is_some());
    has("cert-manager.io/cluster-issuer") || has("cert-manager.io/issuer")
}

/// Reports objects of features that are off.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for switch in SWITCHES {
        let releases: Vec<Applied<'_>> = context.releases(switch.chart).collect();
        let kinds = switch.kinds.iter();
        let mut users = kinds.flat_map(|(group, kind)| context.of_kind(group, kind));
        let user = users.find(|it| (switch.uses)(it.object) && !is_of_another(it.object, switch));
        let Some(user) = user else { continue };
        let near = releases.iter();
        let near: Vec<&Applied<'_>> = near
            .filter(|it| context.may_share_cluster(it.object, user.object))
            .collect();
        // With several releases, one may be of another cluster.
        if let [release] = near.as_slice()
            && is_sure(context, release)
            && is_off(release.object, switch)
        {
            found.push(report(&user, release, switch));
        }
    }
    found
}

/// Whether a Gateway has a certificate from elsewhere, so that the annotation is only a remainder.
fn is_of_another(object: &Object, switch: &Switch) -> bool {
    let listeners = list(&object.node, &["spec", "listeners"]);
    let has_tls = |it: &Node| !list(it, &["tls", "certificateRefs"]).is_empty();
    switch.chart == "cert-manager" && !listeners.iter().any(has_tls)
}

/// Whether the values, which are all given, leave a feature off.
fn is_off(release: &Object, switch: &Switch) -> bool {
    if release.group() == ARGO_CD || has(&release.node, &["spec", "valuesFrom"]) {
        return false;
    }
    let Some(values) = release.node.path(&["spec", "values"]) else {
        return switch.is_off_by_default;
    };
    let has_argument = ["extraArgs", "extraConfig", "agent"].iter().any(|key| {
        let mut is_it = |text: &str| text.contains(switch.argument.trim_start_matches("--"));
        let it = values.get(key);
        it.is_some_and(|it| crate::lint::words::any_text(it, &mut is_it))
    });
    let value = values.path(switch.path).map(|it| &it.kind);
    let is_off = match value {
        None | Some(Kind::Null) => switch.is_off_by_default,
        Some(Kind::Bool(is_on)) => !is_on,
        Some(Kind::String(text)) => matches!(text.as_str(), "false" | "disabled"),
        Some(_) => false,
    };
    !has_argument && is_off
}

fn report(user: &Applied<'_>, release: &Applied<'_>, switch: &Switch) -> Diagnostic {
    let path = switch.path.join(".");
    let message = format!(
        "`{path}` is not on in the values of HelmRelease {}",
        release.object.name()
    );
    let place = match user.object.kind() {
        "Gateway" => Pointer::root().key("metadata").key("annotations"),
        _ => Pointer::root().key("kind"),
    };
    let values = Pointer::root().key("spec").key("values");
    finding(CODE, user.object, &place, message)
        .related(release.object.span(&values), "the values")
        .why(switch.why)
        .help(format!(
            "set `{path}: true` in the values of the chart `{}`",
            switch.chart
        ))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn with(chart: &str, values: &str, object: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {chart}, namespace: system}}
spec:
  chart: {{spec: {{chart: {chart}, version: 1.19.1}}}}
  {values}
---
{object}"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn cilium_announces_only_if_it_is_switched_on() {
        let policy = "apiVersion: cilium.io/v2alpha1
kind: CiliumL2AnnouncementPolicy
metadata: {name: l2}
spec: {loadBalancerIPs: true}
";
        let told = with("cilium", "values: {kubeProxyReplacement: true}", policy);
        assert_eq!(
            told,
            [
                "warning reference/chart-switch /kind: `l2announcements.enabled` is not on in the values of HelmRelease cilium"
            ]
        );
        for silent in [
            "values: {l2announcements: {enabled: true}}",
            "values: {l2announcements: {enabled: '${L2}'}}",
            "values: {extraConfig: {enable-l2-announcements: 'true'}}",
            "valuesFrom: [{kind: ConfigMap, name: values}]",
        ] {
            assert_eq!(with("cilium", silent, policy), [""; 0], "{silent}");
        }
        let beside = "values: {kubeProxyReplacement: false, l2announcements: {enabled: true}}";
        assert_eq!(
            with("cilium", beside, policy),
            [
                "warning reference/chart-switch /kind: `kubeProxyReplacement` is not on in the values of HelmRelease cilium"
            ]
        );
    }

    #[test]
    fn cert_manager_reads_gateways_only_if_it_is_switched_on() {
        let gateway = |annotation: &str| {
            format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network, annotations: {{{annotation}}}}}
spec: {{listeners: [{{name: https, tls: {{certificateRefs: [{{name: a}}]}}}}]}}
"
            )
        };
        let annotated = gateway("cert-manager.io/cluster-issuer: le");
        assert_eq!(
            with(
                "cert-manager",
                "values: {crds: {enabled: true}}",
                &annotated
            ),
            [
                "warning reference/chart-switch /metadata/annotations: `config.enableGatewayAPI` is not on in the values of HelmRelease cert-manager"
            ]
        );
        let on = "values: {config: {enableGatewayAPI: true}}";
        assert_eq!(with("cert-manager", on, &annotated), [""; 0]);
        let argument = "values: {extraArgs: [--enable-gateway-api]}";
        assert_eq!(with("cert-manager", argument, &annotated), [""; 0]);
        assert_eq!(with("cert-manager", "values: {}", &gateway("")), [""; 0]);
    }
}
