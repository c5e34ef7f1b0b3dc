//! What `upgrade` reports before an upgrade, and which version `validate` assumes to be in force.

use crate::common::{MINIMAL, Project};
use serde_json::Value;

/// A project with this version of the chart.
fn at(version: &str, tables: &str) -> Project {
    let minimal = MINIMAL.replace("version = \"1.9.0\"", &format!("version = \"{version}\""));
    Project::new().config(format!("{minimal}\n{tables}"))
}

const SSH: &str = r#"[ssh]
namespace = "dev"
gateways = ["envoy-internal"]
backend = { name = "forgejo-ssh", port = 22 }
"#;

const SOURCE: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway}
spec: {interval: 1h, url: 'oci://example.com/envoyproxy/gateway-helm', ref: {tag: v1.8.1}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway}
spec: {interval: 1h, upgrade: {crds: CreateReplace}, chartRef: {kind: OCIRepository, name: envoy-gateway}}
";

const LUA: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-external}]
  lua: [{type: Inline, inline: 'function envoy_on_request(handle) end'}]
";

#[test]
fn what_is_rendered_otherwise_is_told_in_a_line_each_and_breaks_nothing() {
    at("1.8.3", SSH)
        .run(["upgrade", "--to", "1.9.0"])
        .success()
        .says("Envoy Gateway 1.8.3 to 1.9.0; Gateway API 1.5.1 to 1.6.1")
        .says("cluster.toml:5: `version`: 1.8.3 becomes 1.9.0")
        .says(
            "apiVersion: \"gateway.networking.k8s.io/v1alpha2\" becomes \"gateway.networking.k8s.io/v1\"",
        )
        .says("nothing breaks");
}

#[test]
fn what_the_new_version_refuses_breaks_and_points_at_its_line() {
    let spec = "[client_traffic]\nspec = { clientIPDetection = {} }\n";
    at("1.8.3", spec)
        .run(["upgrade", "--to", "1.9.0"])
        .code(1)
        .says("What breaks:")
        .says("error[rule/failed]")
        .says("--> cluster.toml:")
        .says("1 would break");
}

#[test]
fn a_gateway_api_of_its_own_is_named_among_what_to_change() {
    at(
        "1.8.3",
        &format!("[versions]\ngateway_api = \"1.5.1\"\n{SSH}"),
    )
    .run(["upgrade", "--to", "1.9.0"])
    .code(1)
    .says("error[version/gate]")
    .says("`gateway_api`: 1.5.1; the chart brings 1.6.1");
}

#[test]
fn a_version_that_is_not_known_can_not_be_looked_at() {
    at("1.8.3", "")
        .run(["upgrade", "--to", "7.0.0"])
        .code(2)
        .warns("the catalogue has no Envoy Gateway 7.0.0");
    Project::new()
        .config("domain = \"example.com\"\n")
        .run(["upgrade", "--to", "1.9.0"])
        .code(2)
        .warns("[chart] has no `version`");
}

#[test]
fn manifests_are_looked_at_too() {
    let project = Project::new()
        .file("app/a.yaml", SOURCE)
        .file("app/b.yaml", LUA);
    let run = project
        .run(["upgrade", "--to", "1.9.0", "app", "--format", "json"])
        .code(1);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["schema"], "gatewayctl/upgrade/v1");
    assert_eq!(document["versions"][0]["before"], "1.8.1");
    assert_eq!(
        document["breaks"][0]["code"],
        "reference/extension-disabled"
    );
    assert_eq!(
        document["edits"][0]["what"],
        "`spec.ref.tag`: 1.8.1 becomes 1.9.0"
    );
    assert_eq!(document["already_broken"], 0);
}

#[test]
fn a_range_and_crds_that_are_kept_are_among_what_to_change() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  interval: 1h
  chart: {spec: {chart: gateway-helm, version: '>=1.8.0 <1.9.0', sourceRef: {kind: HelmRepository, name: envoy}}}
  upgrade: {crds: Skip}
";
    let project = Project::new().file("app/a.yaml", release);
    project
        .run(["upgrade", "--to", "1.9.0", "app"])
        .success()
        .says("`spec.chart.spec.version`: >=1.8.0 <1.9.0 becomes 1.9.0")
        .says("`spec.upgrade.crds`: Skip, so the release keeps the old CRDs")
        .says("which is checked as 1.8.3; what seems broken already may only break");
}

#[test]
fn the_chart_among_the_manifests_says_which_version_is_in_force() {
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\nmetadata: {name: ssh}\nspec: {rules: \
                 [{backendRefs: [{name: ssh, port: 22}]}]}\n";
    let project = Project::new()
        .file("app/a.yaml", SOURCE)
        .file("app/b.yaml", route);
    project
        .run(["validate", "app", "--verbose"])
        .code(1)
        .says("TCPRoute needs Gateway API 1.6.1 or later; Envoy Gateway 1.8.1 brings 1.5.1")
        .warns("app/a.yaml declares 1.8.1, whose CRDs are those of 1.8.0");
    project
        .run(["validate", "app", "--use", "envoy-gateway@1.9.0"])
        .success();
}

#[test]
fn what_the_rendered_chart_does_not_read_is_told_at_its_line() {
    let minimal = MINIMAL.replace(
        "version = \"1.9.0\"",
        "version = \"1.9.0\"\nvalues = { deployment = { replica = 2 } }",
    );
    Project::new()
        .config(minimal)
        .run(["validate"])
        .success()
        .says("warning[version/chart-value]")
        .says("--> cluster.toml:6:")
        .says("write `replicas`");
}
