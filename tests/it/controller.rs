//! The settings in the controller's chart apply to every command: `status`, `trace`, `exposure` and `validate` must
//! not contradict each other on the same folder.

use crate::common::{Project, Run};

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: network}
spec:
  hostnames: [app.example.com]
  parentRefs: [{name: external}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: network}
spec: {ports: [{port: 80}]}
";

const LUA: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: headers, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]
  lua: [{type: Inline, inline: 'function envoy_on_request(handle) end'}]
";

fn release(version: &str, values: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: envoy-gateway, namespace: network}}
spec: {{interval: 1h, url: 'oci://docker.io/envoyproxy/gateway-helm', ref: {{tag: {version}}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway, namespace: network}}
spec:
  interval: 1h
  chartRef: {{kind: OCIRepository, name: envoy-gateway}}
  {values}
"
    )
}

fn configured(settings: &str) -> String {
    format!("values: {{config: {{envoyGateway: {settings}}}}}")
}

fn project(release: &str) -> Project {
    Project::new()
        .file("app/gateway.yaml", GATEWAY)
        .file("app/lua.yaml", LUA)
        .file("app/release.yaml", release)
}

fn trace(project: &Project) -> Run {
    project.run(["trace", "http://app.example.com/", "--in", "app"])
}

/// The codes of `validate`'s findings about disabled features and about what the controller refuses.
fn refusals(project: &Project) -> Vec<String> {
    let run = project.run(["validate", "app", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let found = report["diagnostics"].as_array().expect("a list").iter();
    let codes = found.filter_map(|one| one["code"].as_str());
    let codes = codes
        .filter(|code| code.starts_with("attachment/") || *code == "reference/extension-disabled");
    codes.map(str::to_owned).collect()
}

/// Checks that every command shows the policy as refused.
fn assert_lua_is_off(project: &Project) {
    let status = project.run(["status", "app"]);
    assert_eq!(status.code, Some(1), "{status}");
    let line = status.stdout.lines().find(|line| line.contains("headers"));
    let line = line.unwrap_or_default();
    for part in [
        "EnvoyExtensionPolicy network/headers",
        "Accepted=False",
        "Invalid",
        "enableLua",
    ] {
        assert!(line.contains(part), "{part}: {status}");
    }
    let trace = trace(project);
    assert_eq!(trace.code, Some(1), "{trace}");
    for part in [
        "EnvoyExtensionPolicy network/headers is refused",
        "enableLua",
        "500",
    ] {
        assert!(trace.stdout.contains(part), "{part}: {trace}");
    }
    assert_eq!(refusals(project), ["reference/extension-disabled"]);
}

/// Checks that every command shows the policy as effective.
fn assert_lua_is_on(project: &Project) {
    let status = project.run(["status", "app"]);
    assert_eq!(status.code, Some(0), "{status}");
    assert!(
        status
            .stdout
            .contains("EnvoyExtensionPolicy network/headers"),
        "{status}"
    );
    let trace = trace(project);
    assert_eq!(trace.code, Some(0), "{trace}");
    assert!(trace.stdout.contains("network/app"), "{trace}");
    assert_eq!(refusals(project), [""; 0]);
}

#[test]
fn lua_that_the_chart_leaves_off_is_refused_by_every_command() {
    assert_lua_is_off(&project(&release("1.9.0", "values: {}")));
    let on = configured("{extensionApis: {enableLua: true}}");
    assert_lua_is_on(&project(&release("1.9.0", &on)));
}

#[test]
fn lua_is_on_by_default_before_1_9() {
    assert_lua_is_on(&project(&release("1.8.3", "values: {}")));
    let off = configured("{extensionApis: {disableLua: true}}");
    assert_lua_is_off(&project(&release("1.8.3", &off)));
}

#[test]
fn a_version_that_is_named_counts_in_place_of_that_of_the_chart() {
    let project = project(&release("1.9.0", "values: {}"));
    let older = ["--use", "envoy-gateway@1.8.3"];
    let status = project.run(["status", "app"].into_iter().chain(older));
    assert_eq!(status.code, Some(0), "{status}");
    let traced = ["trace", "http://app.example.com/", "--in", "app"];
    let traced = project.run(traced.into_iter().chain(older));
    assert_eq!(traced.code, Some(0), "{traced}");
    let unknown = project.run(["status", "app", "--use", "envoy-gateway@0.1.0"]);
    assert_eq!(unknown.code, Some(2), "{unknown}");
}

#[test]
fn without_the_chart_what_may_be_on_is_on() {
    assert_lua_is_on(&project("---\n"));
}

#[test]
fn values_that_a_kustomization_makes_count() {
    let release = release(
        "1.9.0",
        "valuesFrom: [{kind: ConfigMap, name: gateway-values}]",
    );
    let values =
        |on: bool| format!("config:\n  envoyGateway:\n    extensionApis:\n      enableLua: {on}\n");
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [gateway.yaml, lua.yaml, release.yaml]
configMapGenerator:
- name: gateway-values
  files: [values.yaml=helm.yaml]
generatorOptions: {disableNameSuffixHash: true}
";
    let project = project(&release)
        .file("app/kustomization.yaml", kustomization)
        .file("app/helm.yaml", values(false));
    assert_lua_is_off(&project);
    project.write("app/helm.yaml", values(true));
    assert_lua_is_on(&project);
    // Values that are not given may contain anything.
    project.edit(
        "app/kustomization.yaml",
        "name: gateway-values",
        "name: other-values",
    );
    assert_lua_is_on(&project);
}

#[test]
fn each_cluster_of_a_repository_has_the_features_of_its_own_release() {
    let on = configured("{extensionApis: {enableLua: true}}");
    let of_cluster = |project: Project, name: &str, release: &str| {
        project
            .file(&format!("app/{name}/gateway.yaml"), GATEWAY)
            .file(
                &format!("app/{name}/lua.yaml"),
                LUA.replace("name: headers", &format!("name: {name}")),
            )
            .file(&format!("app/{name}/release.yaml"), release)
    };
    let project = of_cluster(Project::new(), "home", &release("1.9.0", "values: {}"));
    let project = of_cluster(project, "work", &release("1.9.0", &on));
    let status = project.run(["status", "app"]);
    let line = |name: &str| {
        let mut lines = status.stdout.lines();
        lines
            .find(|line| line.contains(name))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(line("network/home").contains("enableLua"), "{status}");
    assert!(!line("network/work").contains("enableLua"), "{status}");
    assert_eq!(refusals(&project), ["reference/extension-disabled"]);
}

#[test]
fn an_envoy_proxy_for_all_gateways_in_the_values_is_in_force() {
    let proxy = "{envoyProxy: {provider: {kubernetes: {envoyService: {annotations: \
                 {lbipam.cilium.io/ips: 10.10.30.26}}}}}}";
    let project = project(&release("1.8.3", &configured(proxy)));
    let exposure = project.run(["exposure", "app"]);
    assert!(exposure.stdout.contains("10.10.30.26"), "{exposure}");
}

#[test]
fn what_the_controller_makes_is_looked_for_in_its_own_namespace() {
    let policy = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: login, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: app}]
  oidc:
    provider:
      issuer: https://id.example.com
      authorizationEndpoint: https://id.example.com/authorize
      tokenEndpoint: https://id.example.com/token
    clientID: app
    clientSecret: {name: app-oidc}
---
apiVersion: v1
kind: Secret
metadata: {name: app-oidc, namespace: network}
stringData: {client-secret: example}
---
apiVersion: v1
kind: Secret
metadata: {name: envoy-oidc-hmac, namespace: network}
stringData: {hmac-secret: example}
";
    let on = configured("{extensionApis: {enableLua: true}}");
    let project = project(&release("1.9.0", &on)).file("app/login.yaml", policy);
    let status = project.run(["status", "app", "--complete"]);
    let mut lines = status.stdout.lines();
    let line = lines
        .find(|line| line.contains("network/login"))
        .unwrap_or_default();
    assert!(line.contains("Accepted=True"), "{status}");
}
