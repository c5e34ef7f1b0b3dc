//! Findings of the passes on small trees.

mod flux;
mod keda;
mod network;

use super::*;
use crd_validate::schema::Catalogue;
use flux_repo::fixture::tree;

/// The groups of codes that these tests are about.
const GROUPS: [&str; 3] = ["network", "flux", "keda"];

/// The findings on files, as `severity code file:line message`. In the input, a line `# path` begins each file.
pub(super) fn found(text: &str) -> Vec<String> {
    let tree = tree(text);
    let with = |whole: &Whole<'_>| {
        PASSES
            .iter()
            .flat_map(|pass| pass(whole))
            .filter(|one| GROUPS.contains(&one.code.group()))
            .map(|one| {
                let place = one.span.map(|span| tree.sources.locate(span));
                let place = place.map_or(String::new(), |place| {
                    format!("{}:{}", place.file, place.line)
                });
                assert!(one.why.is_some() && one.help.is_some(), "{one:?}");
                format!(
                    "{} {} {place} {}",
                    one.severity.as_str(),
                    one.code,
                    one.message
                )
            })
            .collect()
    };
    look(&tree, with)
}

/// Calls `look` with a tree.
pub(super) fn look<T>(tree: &flux_repo::fixture::Tree, with: impl Fn(&Whole<'_>) -> T) -> T {
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    let given = Given {
        objects: &tree.objects,
        files: &tree.files,
        walked: &[],
        texts: &tree.texts,
        sources: &tree.sources,
        model: None,
        selection: &selection,
    };
    given.whole(with)
}

/// A chart, a class and a gateway `external` in the namespace `network`, in GatewayNamespace mode.
pub(super) const FRONT: &str = "
# front.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: network}
spec: {url: oci://docker.io/envoyproxy/gateway-helm}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  chartRef: {kind: OCIRepository, name: envoy-gateway}
  values: {config: {envoyGateway: {provider: {kubernetes: {deploy: {type: GatewayNamespace}}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: network}
spec: {provider: {type: Kubernetes, kubernetes: {envoyDeployment: {replicas: 2}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  infrastructure:
    labels: {tier: front}
    annotations: {lbipam.cilium.io/ips: 10.10.30.26}
  listeners: [{name: https, port: 443, protocol: HTTPS}]
";

/// The findings on files together with [`FRONT`].
fn with(parts: &[&str]) -> Vec<String> {
    found(&format!("{FRONT}{}\n", parts.concat()))
}
