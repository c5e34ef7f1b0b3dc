//! What a change of the repository opens and closes: `diff` and `exposure` with `--against git:REV`, without a
//! cluster.toml, by cluster.

use crate::common::{Project, Run};

/// A repository of one or several clusters in `clusters/NAME`, which share `apps/base`.
fn repository(clusters: &[&str]) -> Project {
    let project = Project::new();
    for name in clusters {
        let flux = |app: &str, path: &str| {
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {app}, namespace: flux-system}}
spec:
  interval: 1h
  path: ./{path}
  prune: true
  sourceRef: {{kind: GitRepository, name: flux-system}}
"
            )
        };
        project.write(
            &format!("clusters/{name}/flux/apps.yaml"),
            [
                flux("gateways", &format!("clusters/{name}/gateways")),
                flux("apps", &format!("clusters/{name}/apps")),
            ]
            .join("---\n"),
        );
        project.write(
            &format!("clusters/{name}/gateways/gateways.yaml"),
            ["envoy-external", "envoy-internal"]
                .map(|gateway| {
                    format!(
                        "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {gateway}, namespace: network}}
spec:
  gatewayClassName: envoy
  listeners:
    - name: https
      protocol: HTTPS
      port: 443
      hostname: \"*.{name}.example.com\"
      tls: {{certificateRefs: [{{name: wildcard}}]}}
      allowedRoutes: {{namespaces: {{from: All}}}}
"
                    )
                })
                .join("---\n"),
        );
        project.write(
            &format!("clusters/{name}/apps/kustomization.yaml"),
            format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: media
resources: [../../../apps/base]
patches:
  - target: {{kind: HTTPRoute, name: player}}
    patch: |
      - op: add
        path: /spec/hostnames
        value: [player.{name}.example.com]
"
            ),
        );
    }
    project.write(
        "apps/base/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [./player.yaml]\n",
    );
    project.write(
        "apps/base/player.yaml",
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: player}
spec:
  parentRefs: [{name: envoy-internal, namespace: network}]
  rules: [{backendRefs: [{name: player, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: player}
spec: {ports: [{name: http, port: 80}, {name: admin, port: 8080}]}
",
    );
    project
        .shell("git init -q && git add -A && git commit -qm first")
        .success();
    project
}

fn since_head(project: &Project, command: &str) -> Run {
    project.run([command, "--against", "git:HEAD"])
}

#[test]
fn a_route_that_moves_to_the_other_gateway_is_told_first() {
    let project = repository(&["home"]);
    since_head(&project, "diff").success();
    since_head(&project, "exposure")
        .success()
        .says("nothing changes in who can reach what");
    project.edit("apps/base/player.yaml", "envoy-internal", "envoy-external");
    snapshot!("moved", since_head(&project, "diff").code(1));
    let markdown = project.run(["diff", "--against", "git:HEAD", "--format", "markdown"]);
    snapshot!("moved_markdown", markdown.code(1));
    since_head(&project, "exposure")
        .code(1)
        .says("wider: player.home.example.com now on external network/envoy-external; previously only on network/envoy-internal");
}

#[test]
fn a_patch_of_one_cluster_changes_only_that_cluster() {
    let project = repository(&["home", "lab"]);
    project.edit(
        "clusters/lab/apps/kustomization.yaml",
        "player.lab.example.com",
        "music.lab.example.com",
    );
    let told = since_head(&project, "exposure").code(1);
    snapshot!("patched", told);
    let json = project.run(["exposure", "--against", "git:HEAD", "--format", "json"]);
    json.code(1).says("\"cluster\": \"lab\"");
    project
        .run(["exposure", "--against", "git:HEAD", "--cluster", "home"])
        .success();
}

#[test]
fn another_backend_and_a_lost_guard_are_told() {
    let project = repository(&["home"]);
    let policy = "clusters/home/gateways/policy.yaml";
    project.write(
        policy,
        "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: home-only, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-internal}]
  authorization:
    defaultAction: Deny
    rules: [{action: Allow, principal: {clientCIDRs: [10.10.30.0/24]}}]
",
    );
    project
        .shell("git add -A && git commit -qm second")
        .success();
    std::fs::remove_file(project.path(policy)).expect("the policy is there");
    project.edit("apps/base/player.yaml", "port: 80}", "port: 8080}");
    snapshot!("weaker", since_head(&project, "exposure").code(1));
}

#[test]
fn harmless_changes_change_no_exposure() {
    let changes: [(&str, &str, &str); 4] = [
        (
            "apps/base/player.yaml",
            "metadata: {name: player}",
            "metadata: {name: player, labels: {a: b}}",
        ),
        (
            "clusters/home/flux/apps.yaml",
            "interval: 1h",
            "interval: 30m",
        ),
        (
            "apps/base/kustomization.yaml",
            "./player.yaml",
            "player.yaml",
        ),
        (
            "clusters/home/gateways/gateways.yaml",
            "kind: Gateway\n",
            "# A remark.\nkind: Gateway\n",
        ),
    ];
    for (file, from, to) in changes {
        let project = repository(&["home"]);
        project.edit(file, from, to);
        since_head(&project, "exposure").success();
    }
}

#[test]
fn each_cluster_is_looked_at_by_itself() {
    let project = repository(&["home", "lab"]);
    snapshot!("clusters", project.run(["exposure"]).success());
    project
        .run(["exposure", "--cluster", "lab"])
        .success()
        .never_says("home");
    project
        .run(["exposure", "--cluster", "attic"])
        .code(2)
        .warns("--cluster attic: there is no such cluster, only home, lab");
    project
        .run(["graph"])
        .success()
        .says("Gateway home: network/envoy-internal")
        .says("Gateway lab: network/envoy-internal");
    let json = project.run(["exposure", "--format", "json"]).success();
    json.says("\"cluster\": \"lab\"");
    project.edit("apps/base/player.yaml", "envoy-internal", "envoy-inside");
    project
        .run(["validate"])
        .says("clusters: home, lab")
        .says("envoy-inside");
    project.edit("apps/base/player.yaml", "envoy-inside", "envoy-internal");
    project
        .run([
            "trace",
            "https://player.lab.example.com",
            "--cluster",
            "lab",
        ])
        .says("player.lab.example.com");
    let one = repository(&["home"]);
    one.run(["exposure", "--cluster", "home"])
        .code(2)
        .warns("--cluster home: all manifests are of one cluster");
}

#[test]
fn a_repository_needs_no_cluster_toml() {
    let project = repository(&["home"]);
    project.run(["validate"]).success().says("nothing found");
    project
        .shell("cd apps/base && \"$PROGRAM\" validate && \"$PROGRAM\" status")
        .says("nothing found");
    project.run(["graph"]).success().says("player");
    project.run(["validate", "-C", "."]).success();
    project
        .run(["exposure", "-C", "."])
        .success()
        .says("player");
    let nowhere = Project::new();
    nowhere
        .run(["validate"])
        .code(2)
        .warns("there is no cluster.toml in this folder or above, and this is no Git repository");
}

#[test]
fn only_findings_that_a_revision_did_not_have_are_reported() {
    let project = repository(&["home"]);
    project.edit("apps/base/player.yaml", "port: 80}]}]", "port: 81}]}]");
    project
        .shell("git add -A && git commit -qm second")
        .success();
    project.run(["validate"]).code(1).says("reference/port");
    // The old finding is on another line now.
    project.edit(
        "apps/base/player.yaml",
        "metadata: {name: player}\nspec:\n",
        "metadata: {name: player}\n# A remark.\nspec:\n  parents: []\n",
    );
    let run = project.run(["validate", "--against", "git:HEAD"]).code(1);
    snapshot!("only_new", run);
    project.edit("apps/base/player.yaml", "  parents: []\n", "");
    project
        .run(["validate", "--against", "git:HEAD"])
        .success()
        .warns("1 finding left out that the revision had already");
}

#[test]
fn new_findings_of_a_project_are_told_apart_from_old_ones() {
    let project = Project::new().minimal("").rendered();
    project
        .shell("git init -q && git add -A && git commit -qm first")
        .success();
    project.run(["validate", "--against", "git:HEAD"]).success();
    project.edit("cluster.toml", "10.10.30.26", "10.10.30.300");
    project
        .run(["validate", "--against", "git:HEAD"])
        .code(1)
        .says("10.10.30.300");
}

#[test]
fn what_another_version_of_the_chart_breaks_is_new() {
    let project = repository(&["home"]);
    let chart = "clusters/home/gateways/chart.yaml";
    project.write(
        chart,
        "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: network}
spec: {interval: 1h, url: 'oci://docker.io/envoyproxy/gateway-helm', ref: {tag: v1.8.3}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  interval: 1h
  chartRef: {kind: OCIRepository, name: envoy-gateway}
  install: {crds: CreateReplace}
  upgrade: {crds: CreateReplace}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: lua, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-internal}]
  lua: [{type: Inline, inline: 'function envoy_on_request(handle) end'}]
",
    );
    project
        .shell("git add -A && git commit -qm second")
        .success();
    project.edit(chart, "v1.8.3", "v1.9.0");
    project
        .run(["validate", "--against", "git:HEAD"])
        .code(1)
        .says("reference/extension-disabled");
}

#[test]
fn a_shared_route_may_name_the_gateways_of_all_clusters() {
    let project = repository(&["home", "lab"]);
    let gateways = "clusters/lab/gateways/gateways.yaml";
    project.edit(gateways, "name: envoy-internal", "name: envoy-lab");
    let told = project.run(["validate", "--format", "json"]).success();
    let report: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
    let found = report["diagnostics"].as_array().expect("a list");
    let found = found
        .iter()
        .find(|it| it["code"] == "attachment/no-gateway");
    let found = found.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(found["severity"], "note");
    assert_eq!(found["clusters"], serde_json::json!(["lab"]));
    // Where no cluster has the gateway, the route is wrong.
    project.edit(
        "clusters/home/gateways/gateways.yaml",
        "name: envoy-internal",
        "name: envoy-home",
    );
    project
        .run(["validate"])
        .code(1)
        .says("error[attachment/no-gateway]");
}
