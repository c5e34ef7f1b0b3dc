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

const KEDA: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: keda, namespace: observability}
spec:
  interval: 1h
  chart: {spec: {chart: keda, version: 2.17.2, sourceRef: {kind: HelmRepository, name: kedacore}}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: a, namespace: network}
spec:
  scaleTargetRef: {name: a}
  triggers:
    - type: cpu
      metadata: {type: Utilization, value: '70'} # of one processor
";

#[test]
fn other_projects_are_looked_at_too() {
    let project = Project::new().file("app/a.yaml", KEDA);
    project
        .run(["upgrade", "--to", "keda@2.20.2", "app"])
        .code(1)
        .says("KEDA 2.17.2 to 2.20.2")
        .says("error[version/removed]: from KEDA 2.18.0 on, a trigger on CPU or memory has no `type` in its metadata")
        .says("app/a.yaml:6: `spec.chart.spec.version`: 2.17.2 becomes 2.20.2");
    let pool = "apiVersion: cilium.io/v2alpha1
kind: CiliumLoadBalancerIPPool
metadata: {name: a}
spec: {blocks: [{cidr: 192.0.2.0/28}], allowFirstLastIPs: 'No'}
---
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata: {name: a}
spec: {virtualRouters: []}
";
    Project::new()
        .file("app/a.yaml", pool)
        .run(["upgrade", "--to", "cilium@1.19.0", "app"])
        .code(1)
        .says("note: nothing says which Cilium runs, so this is what changes since 1.18")
        .says("error[version/removed]: from Cilium 1.19.0 on, there is no CiliumBGPPeeringPolicy");
}

#[test]
fn flux_has_versions_of_its_own() {
    let text = "apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec: {distribution: {version: 2.7.x, registry: ghcr.io/fluxcd}}
---
apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: a, namespace: b}
spec: {interval: 1h, chartRef: {kind: OCIRepository, name: a}}
";
    let project = Project::new().file("app/a.yaml", text);
    project
        .run(["upgrade", "--to", "flux@2.8.0", "--fix", "app"])
        .code(1)
        .says("Flux 2.7.x to 2.8.0")
        .says("from Flux 2.8.0 on, there is no HelmRelease in `v2beta2`")
        .says("What was changed:");
    let after = project.read("app/a.yaml");
    assert!(after.contains("version: 2.8.x,"), "{after}");
    assert!(
        after.contains("apiVersion: helm.toolkit.fluxcd.io/v2\n"),
        "{after}"
    );
}

#[test]
fn a_range_says_what_it_allows_and_a_digest_says_nothing() {
    let with = |reference: &str| {
        let source = SOURCE.replace("{tag: v1.8.1}", reference);
        Project::new().file("app/a.yaml", source)
    };
    with("{semver: '>=1.8.0'}")
        .run(["upgrade", "--to", "1.9.0", "app"])
        .says("Envoy Gateway >=1.8.0 to 1.9.0")
        .says("app/a.yaml allows several versions; the first one counts here, 1.8.0")
        .says("`spec.ref.semver`: >=1.8.0 allows 1.9.0, so it is installed without a change");
    with("{semver: 1.8.x}")
        .run(["upgrade", "--to", "1.9.0", "app"])
        .says("Envoy Gateway 1.8.x to 1.9.0")
        .says("`spec.ref.semver`: 1.8.x becomes 1.9.x");
    with("{digest: 'sha256:aaaa'}")
        .run(["upgrade", "--to", "1.9.0", "app"])
        .says("Envoy Gateway to 1.9.0")
        .says("app/a.yaml doesn't say which Envoy Gateway runs, so this is what changes since 1.8")
        .says("`spec.ref.digest`: set it to that of 1.9.0, or write `tag: 1.9.0` instead");
    with("{tag: v1.9.0-rc.1}")
        .run(["upgrade", "--to", "1.9.0", "app"])
        .says("Envoy Gateway 1.9.0-rc.1 to 1.9.0");
}

#[test]
fn patch_releases_bring_changes_too() {
    let policy = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}]
  apiKeyAuth: {credentialRefs: [{name: keys}], extractFrom: [{headers: [x-key], params: [key]}]}
";
    let project = Project::new()
        .file("app/a.yaml", SOURCE)
        .file("app/b.yaml", policy);
    project
        .run(["upgrade", "--to", "1.8.3", "app"])
        .code(1)
        .says("Envoy Gateway 1.8.1 to 1.8.3")
        .says("error[rule/failed]: an item of `extractFrom` needs exactly one of");
    project
        .run(["upgrade", "--to", "1.8.1", "app"])
        .says("Envoy Gateway 1.8.1, as before");
}

#[test]
fn the_changes_that_need_no_decision_are_written_once() {
    let release = "# The controller.
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec: # its settings
  # Every hour.
  interval: 1h
  chart:
    spec:
      chart: gateway-helm
      version: \"v1.8.3\" # renovate
      sourceRef: {kind: HelmRepository, name: envoy}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: ssh}
spec: {parentRefs: [{name: a}], rules: [{backendRefs: [{name: ssh, port: 22}]}]}
";
    let project = Project::new().file("app/a.yaml", release);
    project
        .run(["upgrade", "--to", "1.9.0", "--fix", "app"])
        .code(1)
        .says("What was changed:")
        .says("app/a.yaml:11: `spec.chart.spec.version`: 1.8.3 becomes 1.9.0");
    let want = release
        .replace("\"v1.8.3\"", "\"v1.9.0\"")
        .replace(
            "# Every hour.",
            "upgrade: {crds: CreateReplace}\n  # Every hour.",
        )
        .replace("v1alpha2", "v1");
    assert_eq!(project.read("app/a.yaml"), want);
    project
        .run(["upgrade", "--to", "1.9.0", "--fix", "app"])
        .success()
        .says("Envoy Gateway 1.9.0, as before");
    assert_eq!(project.read("app/a.yaml"), want);
}

#[test]
fn the_configuration_is_changed_at_its_places() {
    let project = at(
        "1.8.3",
        "[versions] # of the CRDs\nkeda = '2.18.3' # as installed\n",
    );
    project
        .run(["upgrade", "--to", "1.9.0", "--to", "keda@2.20.2", "--fix"])
        .success()
        .says("Envoy Gateway 1.8.3 to 1.9.0; KEDA 2.18.3 to 2.20.2")
        .says("What was changed:");
    let after = project.read("cluster.toml");
    assert!(after.contains("version = \"1.9.0\""), "{after}");
    assert!(after.contains("keda = '2.20.2' # as installed"), "{after}");
}

#[cfg(unix)]
#[test]
fn nothing_is_changed_outside_of_the_root() {
    let outside = tempfile::tempdir().expect("a folder");
    let file = outside.path().join("a.yaml");
    std::fs::write(&file, KEDA).expect("a file");
    let project = Project::new().config(MINIMAL);
    let path = file.to_string_lossy().into_owned();
    project
        .run(["upgrade", "--to", "keda@2.20.2", "--fix", &path])
        .code(2)
        .warns("so it is not changed");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), KEDA);
}

#[test]
fn what_is_known_is_listed() {
    Project::new()
        .run(["upgrade", "--list"])
        .success()
        .says("PROJECT")
        .says("keda");
    Project::new()
        .run(["upgrade", "--to", "keta@2.20.2"])
        .code(2);
}
