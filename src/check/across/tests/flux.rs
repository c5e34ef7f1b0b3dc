//! Substitution, dependencies, CRDs and monitors.

use super::*;

/// A Flux Kustomization `apps` of the folder `app`, with a kustomization that lists `x.yaml`.
fn delivered(post_build: &str, x: &str) -> String {
    format!(
        "
# ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec:
  path: ./app
  targetNamespace: network
  {post_build}
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [x.yaml]
configMapGenerator:
  - name: scripts
    files: [block.lua]
# app/x.yaml
{x}"
    )
}

const SUBSTITUTES: &str = "postBuild: {substitute: {DOMAIN: example.com}}";

#[test]
fn scripts_and_dashboards_keep_their_own_variables() {
    let script = |text: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  run.sh: |\n    target=/x\n    {text}\n"
        )
    };
    let says = |post_build: &str, x: &str| found(&delivered(post_build, x));
    let own = script("cp a ${target}");
    assert_eq!(
        says(SUBSTITUTES, &own),
        [
            "warning flux/replaced-in-script app/x.yaml:6 Flux replaces ${target}, which is a variable of the text itself"
        ]
    );
    assert_eq!(says("", &own), [""; 0]);
    assert_eq!(
        says(SUBSTITUTES, &script("cp a $${target} ${DOMAIN}")),
        [""; 0]
    );
    let left = own.replace(
        "name: a}",
        "name: a, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}",
    );
    assert_eq!(says(SUBSTITUTES, &left), [""; 0]);
    assert_eq!(
        says(SUBSTITUTES, &script("echo ${hosts[0]} x")),
        ["error flux/unreadable-variable app/x.yaml:6 Flux can't parse `${hosts[0]}`"]
    );
    let nothing = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n# app/block.lua\nlocal name = 1\nreturn \"${name}\"\n";
    assert_eq!(
        says(SUBSTITUTES, nothing),
        [
            "error flux/replaced-in-script app/block.lua:2 Flux replaces ${name}, which is a variable of the text itself"
        ]
    );
}

#[test]
fn variables_are_substituted_by_somebody() {
    let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {listeners: [{hostname: '${DOMAIN}'}]}\n";
    let parent = |rest: &str| {
        format!(
            "
# flux/parent.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: cluster, namespace: flux-system}}
spec:
  path: ./ks
  {rest}"
        )
    };
    let under = |rest: &str, post_build: &str| {
        let below = delivered(post_build, gateway).replace("# ks.yaml", "# ks/ks.yaml");
        found(&format!("{}{below}", parent(rest)))
    };
    assert_eq!(
        under("", ""),
        [
            "error flux/not-substituted app/x.yaml:4 ${DOMAIN} is not substituted here, and stays as it is"
        ]
    );
    assert_eq!(under("", SUBSTITUTES), [""; 0]);
    assert_eq!(
        under("patches: [{target: {kind: Kustomization}, patch: x}]", ""),
        [""; 0]
    );
    assert_eq!(
        found(&delivered("", gateway)),
        [""; 0],
        "a parent that is not given may patch it"
    );
}

fn ks(name: &str, rest: &str) -> String {
    format!(
        "
# net/{name}.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: network}}
spec:
  path: ./{name}
  {rest}"
    )
}

fn listing(names: &str) -> String {
    format!(
        "
# net/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{names}]"
    )
}

#[test]
fn what_flux_waits_for_is_there() {
    let says = |names: &str, needs: &str| {
        let parts = [
            listing(names),
            ks("envoy", ""),
            ks("config", &format!("dependsOn: [{needs}]")),
        ];
        found(&format!("{}\n", parts.concat()))
    };
    let all = "envoy.yaml, config.yaml";
    assert_eq!(says(all, "{name: envoy}"), [""; 0]);
    assert_eq!(
        says(all, "{name: issuers, namespace: cert-manager}"),
        [""; 0]
    );
    assert_eq!(
        says("envoy.yaml, config.yaml, absent.yaml", "{name: envoi}"),
        [""; 0]
    );
    assert_eq!(
        says(all, "{name: envoi}"),
        [
            "error flux/missing-dependency net/config.yaml:6 there is no Flux Kustomization envoi in the namespace network"
        ]
    );
}

#[test]
fn flux_kustomizations_do_not_wait_for_each_other() {
    let parts = [
        ks("a", "dependsOn: [{name: b}, {name: c}]"),
        ks("b", "dependsOn: [{name: c}]"),
        ks("c", "dependsOn: [{name: a}]"),
        ks("d", "dependsOn: [{name: d}]"),
    ];
    assert_eq!(
        found(&format!("{}\n", parts.concat())),
        [
            "error flux/circular-dependency net/a.yaml:6 a, b, c wait for each other",
            "error flux/circular-dependency net/d.yaml:6 d depends on itself",
        ]
    );
}

#[test]
fn crds_come_before_what_needs_them() {
    let tree = |needs: &str, values: &str| {
        let parts = [
            ks("envoy", ""),
            ks("config", needs),
            "
# envoy/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  chart: {spec: {chart: gateway-helm}}
  "
            .to_owned(),
            values.to_owned(),
            "
# config/proxy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: network}"
                .to_owned(),
        ];
        format!("{}\n", parts.concat())
    };
    assert_eq!(
        found(&tree("", "")),
        [
            "warning flux/missing-crds net/config.yaml:3 config applies EnvoyProxy envoy, but does not depend on envoy, which installs the CRD"
        ]
    );
    assert_eq!(found(&tree("dependsOn: [{name: envoy}]", "")), [""; 0]);
    assert_eq!(found(&tree("dependsOn: [{name: other}]", "")), [""; 0]);
    assert_eq!(found(&tree("", "install: {crds: Skip}")), [""; 0]);
    let bootstrapped = format!("{}# bootstrap/helmfile.yaml\n", tree("", ""));
    assert_eq!(found(&bootstrapped), [""; 0]);
}

#[test]
fn monitors_look_where_something_runs() {
    let monitor = |kind: &str, namespace: &str, labels: &str, rest: &str| {
        format!(
            "
# monitor.yaml
apiVersion: monitoring.coreos.com/v1
kind: {kind}
metadata: {{name: m, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{{labels}}}}}
  {rest}"
        )
    };
    let proxies = "app.kubernetes.io/component: proxy, app.kubernetes.io/name: envoy";
    let says = |namespace: &str, labels: &str, rest: &str| {
        with(&[&monitor("PodMonitor", namespace, labels, rest)])
    };
    assert_eq!(says("network", proxies, ""), [""; 0]);
    assert_eq!(
        says("o11y", proxies, "namespaceSelector: {any: true}"),
        [""; 0]
    );
    assert_eq!(
        says(
            "o11y",
            proxies,
            "namespaceSelector: {matchNames: [network]}"
        ),
        [""; 0]
    );
    assert_eq!(
        says("o11y", "app.kubernetes.io/component: proxy", ""),
        [""; 0]
    );
    assert_eq!(
        says("o11y", proxies, ""),
        [
            "warning flux/monitor-elsewhere monitor.yaml:3 m looks in o11y, but proxies run in network"
        ]
    );
    assert_eq!(
        says(
            "network",
            "gateway.envoyproxy.io/owning-gateway-name: internal",
            ""
        ),
        ["warning flux/monitor-elsewhere monitor.yaml:5 m selects the proxies of no gateway"]
    );
    let controller = |namespace: &str| {
        with(&[&monitor(
            "ServiceMonitor",
            namespace,
            "control-plane: envoy-gateway",
            "",
        )])
    };
    assert_eq!(controller("network"), [""; 0]);
    assert_eq!(
        controller("o11y"),
        [
            "warning flux/monitor-elsewhere monitor.yaml:3 m looks in o11y, but the controller runs in network"
        ]
    );
}
