//! The kinds of mistakes that people report and make, each made once in a front door without mistakes.

use crate::common::Project;
use serde_json::Value;

const RIGHT: &str = include_str!("kinds.yaml");

/// The code and the line that must be found, and the text that is replaced by another one.
pub type Mistake = (&'static str, i64, &'static str, &'static str);

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    ("flux/unknown-source", 13, "{kind: OCIRepository, name: envoy-gateway}", "{kind: OCIRepository, name: envoy-gatway}"),
    ("flux/unknown-source", 13, "kind: OCIRepository\nmetadata: {name: envoy-gateway, namespace: network}", "kind: OCIRepository\nmetadata: {name: envoy-gateway, namespace: flux-system}"),
    ("flux/unknown-source", 13, "chartRef: {kind: OCIRepository", "chartRef: {kind: HelmChart"),
    ("flux/unknown-source", 30, "name: kedacore, namespace: flux-system}}}", "name: kedacore}}}"),
    ("flux/unknown-source", 30, "name: kedacore, namespace: flux-system}}}", "name: kedacor, namespace: flux-system}}}"),
    ("version/unknown-release", 5, "ref: {tag: v1.9.0}", "ref: {tag: v1.19.0}"),
    ("version/chart-value", 18, "ref: {tag: v1.9.0}", "ref: {tag: v1.8.3}"),
    ("version/chart-value", 18, "extensionApis: {enableLua: true}", "extensionApis: {enabledLua: true}"),
    ("reference/parameters", 37, "name: envoy-proxy, namespace: network}\n---", "name: envoy-proxi, namespace: network}\n---"),
    ("reference/parameters", 37, "kind: EnvoyProxy, name", "kind: EnvoyProxies, name"),
    ("reference/unknown-class", 48, "gatewayClassName: envoy\n", "gatewayClassName: envoy-gateway\n"),
    ("attachment/not-allowed", 86, "protocol: HTTPS\n", "protocol: TLS\n"),
    ("attachment/refused", 52, "      tls: {certificateRefs: [{name: example-tls}]}\n", ""),
    ("rule/failed", 57, "certificateRefs: [{name: example-tls}]", "mode: Terminate"),
    ("schema/list-key", 52, "{name: http, protocol: HTTP", "{name: https, protocol: HTTP"),
    ("rule/failed", 51, "    - name: https\n", "    - {name: other, protocol: HTTPS, port: 443, hostname: \"*.example.com\", tls: {certificateRefs: [{name: example-tls}]}}\n    - name: https\n"),
    ("attachment/redirect-loop", 63, "{name: envoy-external, sectionName: http}", "{name: envoy-external}"),
    ("reference/unknown-issuer", 74, "issuerRef: {kind: ClusterIssuer, name: letsencrypt}", "issuerRef: {name: letsencrypt}"),
    ("reference/unknown-issuer", 74, "issuerRef: {kind: ClusterIssuer, name: letsencrypt}", "issuerRef: {kind: ClusterIssuer, name: letsencypt}"),
    ("reference/unknown-certificate", 57, "secretName: example-tls", "secretName: example"),
    ("reference/unknown-certificate", 57, "kind: Certificate\nmetadata: {name: example, namespace: network}", "kind: Certificate\nmetadata: {name: example, namespace: web}"),
    ("network/certificate-names", 55, "dnsNames: [\"*.example.com\"]", "dnsNames: [example.com]"),
    ("attachment/no-hostname", 85, "hostnames: [grafana.example.com]", "hostnames: [grafana.example.org]"),
    ("attachment/no-gateway", 86, "{name: envoy-external, namespace: network, sectionName: https}", "{name: envoy-externl, namespace: network, sectionName: https}"),
    ("attachment/no-gateway", 86, "{name: envoy-external, namespace: network, sectionName: https}", "{name: envoy-external, sectionName: https}"),
    ("attachment/no-listener", 86, "{name: envoy-external, namespace: network, sectionName: https}", "{name: envoy-external, namespace: network, sectionName: web}"),
    ("attachment/no-listener", 86, "{name: envoy-external, namespace: network, sectionName: https}", "{name: envoy-external, namespace: network, port: 8443}"),
    ("rule/failed", 87, "value: /}}", "value: grafana}}"),
    ("reference/port", 87, "backendRefs: [{name: grafana, port: 80}]", "backendRefs: [{name: grafana, port: 3000}]"),
    ("reference/unknown-object", 87, "backendRefs: [{name: grafana, port: 80}]", "backendRefs: [{name: grafna, port: 80}]"),
    ("reference/not-permitted", 105, "metadata: {name: web, namespace: data}", "metadata: {name: web, namespace: web}"),
    ("reference/not-permitted", 105, "kind: HTTPRoute, namespace: web}], to:", "kind: HTTPRoute, namespace: network}], to:"),
    ("attachment/no-target", 111, "kind: HTTPRoute, name: grafana}]\n  cors", "kind: GRPCRoute, name: grafana}]\n  cors"),
    ("attachment/no-target", 111, "kind: HTTPRoute, name: grafana}]\n  cors", "kind: HTTPRoute, name: grafna}]\n  cors"),
    ("rule/failed", 111, "targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: grafana}]\n  cors", "targetRefs: [{group: gateway.envoyproxy.io, kind: HTTPRoute, name: grafana}]\n  cors"),
    ("attachment/no-target", 111, "kind: SecurityPolicy\nmetadata: {name: grafana, namespace: web}", "kind: SecurityPolicy\nmetadata: {name: grafana, namespace: network}"),
    ("attachment/no-target", 118, "name: grafana}]\n  retry", "name: grafana, sectionName: first}]\n  retry"),
    ("schema/unknown-field", 119, "numRetries: 2", "numRetry: 2"),
    ("schema/unknown-field", 119, "retry: {numRetries: 2, retryOn: {triggers: [connect-failure]}}", "numRetries: 2"),
    ("attachment/no-target", 125, "sectionName: https}]\n  tls", "sectionName: tls}]\n  tls"),
    ("attachment/no-target", 125, "name: envoy-external, sectionName: https}]\n  tls", "name: envoy, sectionName: https}]\n  tls"),
    ("schema/value", 126, "minVersion: \"1.2\"", "minVersion: TLSv1.2"),
    ("reference/lua-script", 133, "handle:headers():add", "handle:header():add"),
    ("reference/lua-script", 133, "envoy_on_response", "envoy_on_respond"),
    ("reference/lua-script", 133, "'b') end", "'b' end"),
    ("keda/unknown-deployment", 139, "scaleTargetRef: {name: envoy-external}", "scaleTargetRef: {name: envoy-externl}"),
    ("keda/minimum-above-maximum", 140, "minReplicaCount: 1", "minReplicaCount: 5"),
    ("keda/unknown-trigger", 143, "type: prometheus", "type: prometheous"),
    ("keda/unknown-trigger", 144, ", threshold: \"100\"", ""),
    ("schema/type", 144, "threshold: \"100\"", "threshold: 100"),
    ("flux/unscraped-endpoint", 151, "port: metrics, path: /stats/prometheus", "port: metrics"),
    ("flux/unscraped-endpoint", 151, "port: metrics, path: /stats/prometheus", "port: http-metrics, path: /stats/prometheus"),
    ("flux/unscraped-endpoint", 156, "endpoints: [{port: metrics}]", "endpoints: [{port: http}]"),
    ("network/address-outside-pools", 49, "start: 192.0.2.10", "start: 192.0.2.11"),
    ("network/pool-selector", 49, "owning-gateway-name: envoy-external", "owning-gateway-name: external"),
    ("network/not-announced", 46, "owning-gateway-namespace: network", "owning-gateway-namespace: web"),
    ("network/not-announced", 46, "loadBalancerIPs: true", "externalIPs: true"),
    ("network/address-annotation", 49, "lbipam.cilium.io/ips: 192.0.2.10", "lbipam.cilium.io/ip: 192.0.2.10"),
    ("network/address-annotation", 49, "lbipam.cilium.io/ips: 192.0.2.10", "lbipam.cilium.io/ips: 192.0.2.300"),
    ("reference/unknown-issuer", 46, "metadata: {name: envoy-external, namespace: network}\nspec:\n  gatewayClassName", "metadata: {name: envoy-external, namespace: network, annotations: {cert-manager.io/cluster-issuer: letsencryp}}\nspec:\n  gatewayClassName"),
    ("reference/unknown-issuer", 46, "metadata: {name: envoy-external, namespace: network}\nspec:\n  gatewayClassName", "metadata: {name: envoy-external, namespace: network, annotations: {cert-manager.io/issuer: letsencrypt}}\nspec:\n  gatewayClassName"),
    ("attachment/no-hostname", 103, "hostnames: [database.example.com]", "hostnames: [database.example.com, database.example.org]"),
    ("keda/unknown-deployment", 139, "scaleTargetRef: {name: envoy-external}", "scaleTargetRef: {kind: StatefulSet, name: envoy-external}"),
    ("keda/unknown-deployment", 139, "scaleTargetRef: {name: envoy-external}", "scaleTargetRef: {kind: Gateway, name: envoy-external}"),
    ("keda/unknown-deployment", 139, "metadata: {name: envoy-external, namespace: network}\nspec:\n  scaleTargetRef", "metadata: {name: envoy-external, namespace: web}\nspec:\n  scaleTargetRef"),
    ("flux/monitor-elsewhere", 150, "component: proxy}}", "component: proxies}}"),
    ("flux/monitor-elsewhere", 150, "app.kubernetes.io/name: envoy, app", "app.kubernetes.io/name: envoy-gateway, app"),
];

/// The errors and warnings of a manifest, each with its line.
fn found(text: &str) -> Vec<(String, i64)> {
    let project = Project::new().file("all.yaml", text);
    let run = project.run(["validate", "--format", "json", "."]);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let all = report["diagnostics"].as_array().expect("a list");
    let counted = all.iter().filter(|one| one["severity"] != "note");
    let code = |one: &Value| one["code"].as_str().unwrap_or_default().to_owned();
    let line = |one: &Value| one["line"].as_i64().unwrap_or_default();
    counted.map(|one| (code(one), line(one))).collect()
}

/// Makes each mistake once in a text without mistakes, and fails with those that are not found.
pub fn each_is_found(right: &str, mistakes: &[Mistake]) {
    assert_eq!(found(right), []);
    let mut wrong = Vec::new();
    for (code, line, from, to) in mistakes {
        assert!(right.contains(from), "{from}");
        let found = found(&right.replacen(from, to, 1));
        if !found.iter().any(|(one, at)| one == code && at == line) {
            wrong.push(format!("{to}: no {code} at line {line}, but {found:?}"));
        }
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}

#[test]
fn each_kind_of_mistake_is_found_at_its_place() {
    each_is_found(RIGHT, MISTAKES);
}

#[test]
fn a_route_with_a_wrong_parent_is_one_mistake() {
    let parent = "{name: envoy-external, namespace: network, sectionName: https}";
    let wrong = parent.replace("envoy-external", "envoy-externl");
    let found = found(&RIGHT.replacen(parent, &wrong, 1));
    assert_eq!(found.len(), 1, "{found:?}");
}
