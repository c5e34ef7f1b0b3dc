//! Tests the settings that small repositories give the controller.

use super::*;
use flux_repo::fixture::tree;
use flux_repo::{Delivery, as_applied};

const SOURCE: &str = "
# app/source.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: network}
spec: {url: 'oci://docker.io/envoyproxy/gateway-helm', ref: {tag: v1.9.0}}
";

fn release(rest: &str) -> String {
    format!(
        "
# app/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway, namespace: network}}
spec:
  chartRef: {{kind: OCIRepository, name: envoy-gateway}}
  {rest}
"
    )
}

fn configured(configuration: &str) -> String {
    release(&format!(
        "values: {{config: {{envoyGateway: {configuration}}}}}"
    ))
}

/// Computes the settings and releases of a repository, and returns the result of `ask`.
fn look<T>(text: &str, ask: impl Fn(&Settings, &[ControllerRelease<'_>]) -> T) -> T {
    let tree = tree(text);
    let delivery = Delivery::of(&tree.objects, &tree.files);
    let files = Files {
        objects: &tree.objects,
        delivery: &delivery,
        text_of: &|_: &str| None,
    };
    let objects = as_applied(&tree.objects, &delivery);
    let settings = controller_settings(&objects, &files, None);
    let objects: Vec<&Object> = objects.iter().collect();
    let charts = HelmCharts::new(&objects, |_, _| true);
    ask(&settings, &controller_releases(&objects, &charts, &files))
}

#[test]
fn a_release_is_found_by_its_chart_or_by_its_source() {
    let versions = |text: &str| {
        look(text, |_, releases| {
            let version = |release: &ControllerRelease<'_>| {
                release.version.as_ref().map(|version| version.text.clone())
            };
            releases.iter().map(version).collect::<Vec<_>>()
        })
    };
    let by_source = format!("{SOURCE}{}", release("interval: 1h"));
    assert_eq!(versions(&by_source), [Some("1.9.0".to_owned())]);
    let range = by_source.replace("tag: v1.9.0", "semver: '>=1.8.0'");
    assert_eq!(versions(&range), [None::<String>]);
    let other = by_source.replace("/gateway-helm", "/other-helm");
    assert!(versions(&other).is_empty());
    let by_name = release("chart: {spec: {chart: gateway-helm, version: 1.8.3}}");
    assert_eq!(versions(&by_name), [Some("1.8.3".to_owned())]);
    let chart = "
# app/chart.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: envoy-gateway, namespace: network}
spec: {chart: gateway-helm, version: 1.7.0}
";
    let by_chart = release("").replace("OCIRepository", "HelmChart");
    let by_chart = format!("{chart}{by_chart}");
    assert_eq!(versions(&by_chart), [Some("1.7.0".to_owned())]);
}

#[test]
fn the_deploy_mode_is_what_all_values_together_say() {
    let mode = |text: &str| look(text, |_, releases| releases.first()?.deploy_mode());
    let in_controllers = DeployMode::ControllerNamespace("network".to_owned());
    let none = format!("{SOURCE}{}", release("interval: 1h"));
    assert_eq!(mode(&none), Some(in_controllers));
    let own = configured("{provider: {kubernetes: {deploy: {type: GatewayNamespace}}}}");
    let own = format!("{SOURCE}{own}");
    assert_eq!(mode(&own), Some(DeployMode::GatewayNamespace));
    let from = release("valuesFrom: [{kind: ConfigMap, name: values}]");
    let from = format!("{SOURCE}{from}");
    assert_eq!(mode(&from), None);
    let map = "
# app/values.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: values, namespace: network}
data:
  values.yaml: '{config: {envoyGateway: {provider: {kubernetes: {deploy: {type: GatewayNamespace}}}}}}'
";
    assert_eq!(
        mode(&format!("{from}{map}")),
        Some(DeployMode::GatewayNamespace)
    );
}

#[test]
fn a_patch_leaves_open_what_it_may_set() {
    let kustomization = "
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [source.yaml, release.yaml]
patches:
- target: {kind: HelmRelease}
  patch: |
    - {op: add, path: /spec/values/config/envoyGateway/extensionApis/enableLua, value: true}
";
    let text = format!("{SOURCE}{}{kustomization}", release("interval: 1h"));
    let states = look(&text, |_, releases| {
        let state = |feature: Feature| feature.state(&releases[0], (1, 9));
        [state(Feature::Lua), state(Feature::Backend)]
    });
    assert_eq!(states, [State::Unknown, State::Off]);
}

#[test]
fn what_the_configuration_says_besides_is_told_to_the_resolver() {
    let configuration = "{extensionApis: {enableSDSSecretRef: true}, \
                         extensionManager: {resources: [{group: example.com, version: v1, kind: Filter}]}, \
                         envoyProxy: {logging: {level: {default: debug}}}}";
    let text = format!("{SOURCE}{}", configured(configuration));
    look(&text, |settings, _| {
        assert_eq!(settings.namespace, "network");
        let features = settings.features_for(None);
        assert!(features.sds && !features.lua && !features.backend);
        let kind = ("example.com".to_owned(), "Filter".to_owned());
        assert_eq!(settings.extensions, [kind]);
        assert!(settings.proxy.is_some());
    });
}

#[test]
fn a_range_within_one_minor_version_is_as_good_as_a_version() {
    let minor = |version: &str| {
        let text = release("").replace(
            "chartRef: {kind: OCIRepository, name: envoy-gateway}",
            &format!("chart: {{spec: {{chart: gateway-helm, version: '{version}'}}}}"),
        );
        look(&text, |_, releases| releases.first()?.minor())
    };
    for version in [
        "1.8.3",
        ">=1.8.0 <1.9.0",
        "~1.8.1",
        "1.8.x",
        "1.8.*",
        ">=1.8.1, <1.9.0",
    ] {
        assert_eq!(minor(version), Some((1, 8)), "{version}");
    }
    for version in ["*", "1.x", ">=1.8.0", "^1.8.0", "<2.0.0", "not a version"] {
        assert_eq!(minor(version), None, "{version}");
    }
}

#[test]
fn a_declared_version_counts_in_place_of_that_of_the_release() {
    let tree = tree(&format!("{SOURCE}{}", configured("{}")));
    let delivery = Delivery::of(&tree.objects, &tree.files);
    let files = Files {
        objects: &tree.objects,
        delivery: &delivery,
        text_of: &|_: &str| None,
    };
    let features = |declared| files.applied_by(declared).1.features_for(None);
    let (own, older) = (features(None), features(Some((1, 8))));
    assert_eq!((own.minor, own.lua), ((1, 9), false));
    assert_eq!((older.minor, older.lua), ((1, 8), true));
}
