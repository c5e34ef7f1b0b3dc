//! Mistakes in a Flux repository, each made once in one without mistakes.

use crate::common::Project;
use serde_json::Value;

/// The files, each after a line with `###` and its name.
const RIGHT: &str = include_str!("kinds_of_flux.txt");

/// The code that must be found, the end of the file's name, and the text that is replaced by another one.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("flux/missing-dependency", "apps/eg/hr.yaml", "[{name: db, namespace: network}]", "[{name: dbb, namespace: network}]"),
    ("flux/missing-dependency", "apps/eg/hr.yaml", "[{name: db, namespace: network}]", "[{name: db, namespace: data}]"),
    ("flux/missing-dependency", "apps/shop/hr.yaml", "[{name: envoy-gateway}]", "[{name: envoy-gatway}]"),
    ("flux/circular-dependency", "apps/eg/hr.yaml", "[{name: db, namespace: network}]", "[{name: shop, namespace: network}]"),
    ("flux/circular-dependency", "apps/eg/hr.yaml", "[{name: db, namespace: network}]", "[{name: envoy-gateway}]"),
    ("flux/missing-dependency", "apps/shop-ks.yaml", "- name: envoy-gateway", "- name: envoy-gatewy"),
    ("flux/missing-dependency", "apps/shop-ks.yaml", "name: db, namespace: flux-system", "name: db, namespace: network"),
    ("flux/circular-dependency", "apps/db-ks.yaml", "  interval", "  dependsOn: [{name: shop}]\n  interval"),
    ("flux/missing-path", "apps/db-ks.yaml", "./kubernetes/apps/db", "./kubernetes/apps/dbs"),
    ("flux/missing-path", "apps/shop-ks.yaml", "../components/common", "../components/comon"),
    ("flux/missing-path", "apps/shop-ks.yaml", "../components/common", "../../components/common"),
    ("flux/unknown-object", "apps/eg-ks.yaml", "name: envoy-gateway, namespace: network}", "name: envoy-gateway, namespace: networking}"),
    ("flux/unknown-object", "apps/eg-ks.yaml", "name: envoy-gateway, namespace: network}", "name: envoy-gatway, namespace: network}"),
    ("flux/unknown-object", "apps/eg-ks.yaml", "name: settings", "name: setings"),
    ("flux/unknown-object", "apps/eg-ks.yaml", "kind: ConfigMap, name: settings", "kind: Secret, name: settings"),
    ("flux/unknown-object", "apps/settings.yaml", "namespace: flux-system", "namespace: network"),
    ("flux/unknown-object", "apps/db/hr.yaml", "name: db-values", "name: db-valuess"),
    ("flux/unset-variable", "apps/eg/gw.yaml", "${DOMAIN}", "${DOMIAN}"),
    ("flux/idle-patch", "apps/eg/kustomization.yaml", "kind: Gateway, name: edge", "kind: Gateway, name: edgy"),
    ("flux/idle-patch", "apps/eg/kustomization.yaml", "kind: Gateway, name: edge", "kind: Gatway"),
    ("reference/missing-file", "apps/eg/kustomization.yaml", "- gw.yaml", "- gateway.yaml"),
    ("flux/unknown-source", "apps/db/hr.yaml", "kind: OCIRepository, name: db}", "kind: OCIRepository, name: db, namespace: flux-system}"),
    ("attachment/no-listener", "apps/shop/hr.yaml", "sectionName: https", "sectionName: websecure"),
    ("reference/unknown-identifier", "apps/shop/hr.yaml", "identifier: app, port: 80", "identifier: ap, port: 80"),
    ("reference/unknown-identifier", "apps/shop/hr.yaml", "identifier: app, port: 80", "identifier: app, port: web"),
    ("reference/unknown-identifier", "apps/shop/hr.yaml", "service: {app: {ports", "service: {app: {controller: shop, ports"),
    ("reference/misspelt-value", "apps/shop/hr.yaml", "parentRefs: [{", "parentRef: [{"),
    ("reference/misspelt-value", "apps/shop/hr.yaml", "sectionName: https", "sectionname: https"),
    ("attachment/no-gateway", "apps/shop/route.yaml", "namespace: network", "namespace: netwrok"),
    ("attachment/no-gateway", "apps/shop/hr.yaml", "name: edge, namespace: network", "name: edge, namespace: networking"),
    ("reference/misspelt-annotation", "apps/eg/gw.yaml", "metadata: {name: edge}", "metadata: {name: edge, annotations: {external-dns.kubernetes.io/hostnme: a.example.com}}"),
    ("reference/misspelt-annotation", "apps/shop/route.yaml", "metadata: {name: extra}", "metadata: {name: extra, annotations: {external-dns.kubernets.io/target: a.example.com}}"),
    ("flux/unknown-source", "apps/shop-ks.yaml", "name: flux-system}\n  dependsOn", "name: flux-sytem}\n  dependsOn"),
];

/// Changes after which nothing must be found.
#[rustfmt::skip]
const NO_MISTAKES: &[(&str, &str, &str)] = &[
    ("apps/eg-ks.yaml", "name: settings}", "name: other-settings, optional: true}"),
    ("apps/eg-ks.yaml", "helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: envoy-gateway", "apps/v1, kind: Deployment, name: envoy-gateway"),
    ("apps/db/hr.yaml", "kind: ConfigMap, name: db-values", "kind: Secret, name: db-secrets"),
    ("apps/eg/kustomization.yaml", "kind: Gateway, name: edge", "kind: Gateway, name: edg."),
];

/// The codes of what is found after a change in the file whose name ends like this.
fn found(file: &str, from: &str, to: &str) -> Vec<String> {
    let mut project = Project::new();
    let mut is_changed = false;
    for part in RIGHT.split("### ").filter(|part| !part.is_empty()) {
        let (name, text) = part.split_once('\n').expect("a name");
        let is_it = !file.is_empty() && name.ends_with(file) && text.contains(from);
        is_changed |= is_it;
        let text = if is_it {
            text.replacen(from, to, 1)
        } else {
            text.to_owned()
        };
        project = project.file(name, &text);
    }
    assert!(is_changed || file.is_empty(), "{file}: {from}");
    let run = project.run(["validate", "--format", "json", "."]);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let all = report["diagnostics"].as_array().expect("a list");
    let counted = all.iter().filter(|one| one["severity"] != "note");
    let code = |one: &Value| one["code"].as_str().unwrap_or_default().to_owned();
    counted.map(code).collect()
}

#[test]
fn each_mistake_in_a_repository_is_found() {
    assert_eq!(found("", "", ""), [""; 0]);
    let mut wrong = Vec::new();
    for (code, file, from, to) in MISTAKES {
        let found = found(file, from, to);
        if !found.iter().any(|one| one == code) {
            wrong.push(format!("{file}, {to}: no {code}, but {found:?}"));
        }
    }
    for (file, from, to) in NO_MISTAKES {
        let found = found(file, from, to);
        if !found.is_empty() {
            wrong.push(format!("{file}, {to}: {found:?}"));
        }
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}
