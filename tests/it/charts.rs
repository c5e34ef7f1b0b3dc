//! Routes in the values of Helm charts: what `trace` and `validate` say of them.

use crate::common::Project;
use serde_json::Value;

/// Two gateways, as a repository of applications has them.
const GATEWAYS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: internal, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - name: http
      port: 80
      protocol: HTTP
      allowedRoutes: {namespaces: {from: All}}
";

/// A release of app-template. Its chart is an OCIRepository, as everywhere.
const WIKI: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: wiki, namespace: apps}
spec:
  url: oci://ghcr.io/bjw-s-labs/helm/app-template
  ref: {tag: 5.1.0}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: wiki, namespace: apps}
spec:
  chartRef: {kind: OCIRepository, name: wiki}
  interval: 1h
  values:
    controllers: {wiki: {containers: {app: {image: {repository: wiki, tag: v1}}}}}
    service:
      web:
        controller: wiki
        ports: {http: {port: 3000}}
      metrics:
        controller: wiki
        ports: {metrics: {port: 9090}}
    route:
      wiki:
        hostnames: ['{{ .Release.Name }}.example.com']
        parentRefs: [{name: internal, namespace: network, sectionName: http}]
        rules:
          - backendRefs: [{identifier: web, port: http}]
          - matches: [{path: {type: PathPrefix, value: /old}}]
            filters: [{type: RequestRedirect, requestRedirect: {hostname: new.example.com}}]
          - matches: [{path: {type: PathPrefix, value: /typo}}]
            backendRefs: [{identifier: wbe, port: http}]
";

/// A release of a chart that is not known, whose route has no rules.
const OTHER: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: charts, namespace: apps}
spec:
  chart: {spec: {chart: some-chart, version: 1.0.0, sourceRef: {kind: HelmRepository, name: some}}}
  interval: 1h
  values:
    gateway:
      enabled: true
      httpRoute:
        hostnames: [charts.example.com]
        parentRefs: [{name: internal, namespace: network}]
";

fn repository(apps: &[&str]) -> Project {
    let project = Project::new();
    project.write("repo/gateways.yaml", GATEWAYS);
    for (at, app) in apps.iter().enumerate() {
        project.write(&format!("repo/app-{at}.yaml"), app);
    }
    project
}

fn trace(project: &Project, url: &str) -> String {
    project.run(["trace", url, "--in", "repo"]).stdout
}

/// How the trace ends.
fn end(project: &Project, url: &str) -> String {
    let told = trace(project, url);
    let end = told.lines().find_map(|line| line.split_once("=> "));
    end.map_or(told.clone(), |(_, end)| end.to_owned())
}

#[test]
fn a_route_of_app_template_leads_to_the_service_that_the_chart_creates() {
    let project = repository(&[WIKI]);
    assert_eq!(
        end(&project, "http://wiki.example.com/"),
        "Service apps/wiki-web:3000"
    );
    assert_eq!(
        end(&project, "http://wiki.example.com/old"),
        "302 to http://new.example.com/old"
    );
    let told = trace(&project, "http://wiki.example.com/");
    assert!(
        told.contains("HTTPRoute apps/wiki (Helm release wiki), rule 0"),
        "{told}"
    );
    assert!(told.contains("--> repo/app-0.yaml:28"), "{told}");
}

#[test]
fn places_of_a_charts_route_are_those_of_the_values() {
    let project = repository(&[WIKI]);
    let run = project.run([
        "trace",
        "http://wiki.example.com/",
        "--in",
        "repo",
        "--format",
        "json",
    ]);
    let json: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let steps = json["ways"][0]["steps"].as_array().expect("steps");
    let backend = steps
        .iter()
        .find(|it| it["stage"] == "backend")
        .expect("a backend");
    assert_eq!(backend["at"]["kind"], "HelmRelease");
    assert_eq!(
        backend["at"]["pointer"],
        "/spec/values/route/wiki/rules/0/backendRefs/0"
    );
}

#[test]
fn what_only_the_chart_knows_is_unknown_and_never_404() {
    let project = repository(&[WIKI, OTHER]);
    let unknown = end(&project, "http://wiki.example.com/typo");
    assert!(
        unknown.starts_with("unknown: a backend of the route that HelmRelease apps/wiki creates"),
        "{unknown}"
    );
    let unknown = end(&project, "http://charts.example.com/any");
    assert_eq!(
        unknown,
        "unknown: the route that HelmRelease apps/charts creates: use `helm template` to see its rules"
    );
    let patched = WIKI.replace(
        "  interval: 1h\n",
        "  interval: 1h\n  postRenderers: [{kustomize: {patches: [{target: {kind: HTTPRoute}, patch: '[]'}]}}]\n",
    );
    let unknown = end(&repository(&[&patched]), "http://wiki.example.com/");
    assert!(unknown.starts_with("unknown: "), "{unknown}");
}

#[test]
fn values_may_come_from_a_generated_config_map() {
    let (above, values) = WIKI.split_once("  values:\n").expect("values");
    let from = format!(
        "{above}  valuesFrom: [{{kind: ConfigMap, name: wiki-values}}]\n  values: {{service: {{web: {{ports: {{http: {{port: 3001}}}}}}}}}}\n"
    );
    let values: String = values
        .lines()
        .map(|line| format!("{}\n", &line[4..]))
        .collect();
    let project = repository(&[]);
    project.write("repo/wiki/release.yaml", &from);
    project.write("repo/wiki/values.yaml", &values);
    project.write(
        "repo/wiki/kustomization.yaml",
        "resources: [release.yaml]\nconfigMapGenerator: [{name: wiki-values, files: [values.yaml]}]\ngeneratorOptions: {disableNameSuffixHash: true}\n",
    );
    assert_eq!(
        end(&project, "http://wiki.example.com/"),
        "Service apps/wiki-web:3001"
    );
}

#[test]
fn parents_in_values_are_judged_like_those_of_routes() {
    let broken = WIKI.replace("sectionName: http}", "sectionName: htp}");
    let project = repository(&[&broken]);
    let run = project.run(["validate", "repo"]);
    let told = run.stdout + &run.stderr;
    assert!(told.contains("attachment/no-listener"), "{told}");
    assert!(told.contains("repo/app-0.yaml:26:"), "{told}");
    assert!(
        told.contains("/spec/values/route/wiki/parentRefs/0/sectionName"),
        "{told}"
    );
    let good = repository(&[WIKI]).run(["validate", "repo"]);
    assert!(!good.stdout.contains("attachment/"), "{}", good.stdout);
}
