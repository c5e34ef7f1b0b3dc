//! Tests what kustomize and Flux do with small repositories.

use super::fixture::{Tree, tree};
use super::*;

impl Tree {
    fn delivery(&self) -> Delivery {
        Delivery::of(&self.objects, &self.files)
    }

    /// Each applied object as `Kind namespace/name labels`.
    fn applied(&self) -> Vec<String> {
        as_applied(&self.objects, &self.delivery())
            .iter()
            .filter(|object| !is_kustomization(object))
            .map(|object| {
                let labels = object.node.path(&["metadata", "labels"]);
                let labels = labels.map(|labels| labels.to_json().to_string());
                format!(
                    "{} {}/{} {}",
                    object.kind(),
                    object.namespace(),
                    object.name(),
                    labels.unwrap_or_default()
                )
            })
            .collect()
    }
}

const KS: &str = "
# kubernetes/apps/network/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: network
components: [../../components/common]
resources: [./envoy/ks.yaml, ./absent/ks.yaml]
# kubernetes/components/common/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
commonAnnotations: {from: common}
resources: [./alert.yaml]
# kubernetes/components/common/alert.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: alert}
# kubernetes/apps/network/envoy/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: envoy}
spec:
  path: ./kubernetes/apps/network/envoy/app
  targetNamespace: network
  commonMetadata: {labels: {app: envoy}}
  postBuild: {substitute: {DOMAIN: example.com}}
# kubernetes/apps/network/envoy/app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: other
labels: [{pairs: {app: inner, team: net}}]
resources: [./gateway.yaml, ./more]
patches: [{path: ./patch.yaml}]
configMapGenerator:
  - name: scripts
    files: [block.lua, key=resources/other.lua]
generatorOptions:
  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}
# kubernetes/apps/network/envoy/app/gateway.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, labels: {own: 'true', app: own}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
# kubernetes/apps/network/envoy/app/patch.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external}
# kubernetes/apps/network/envoy/app/forgotten.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: forgotten}
# kubernetes/apps/network/envoy/app/more/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: in-
resources: [../extra.yaml]
# kubernetes/apps/network/envoy/app/extra.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: extra, namespace: mine}
";

#[test]
fn the_outermost_wins_and_what_is_not_listed_is_not_applied() {
    let labels = |own: &str| format!("{{{own}\"app\":\"envoy\",\"team\":\"net\"}}");
    assert_eq!(
        tree(KS).applied(),
        [
            "ConfigMap network/alert ".to_owned(),
            "Kustomization network/envoy ".to_owned(),
            format!("Gateway network/external {}", labels("\"own\":\"true\",")),
            format!("GatewayClass /envoy {}", labels("")),
            format!("ConfigMap network/in-extra {}", labels("")),
        ]
    );
}

#[test]
fn places_stay_in_what_is_applied() {
    let tree = tree(KS);
    let applied = as_applied(&tree.objects, &tree.delivery());
    let extra = applied
        .iter()
        .find(|one| one.name() == "in-extra")
        .expect("extra");
    for key in ["name", "namespace"] {
        let span = extra
            .span(&Pointer::root().key("metadata").key(key))
            .expect("a place");
        assert_eq!(tree.sources.locate(span).line, 3, "{key}");
    }
}

#[test]
fn each_object_knows_its_ways_and_what_is_missing() {
    let tree = tree(KS);
    let delivery = tree.delivery();
    let at = |name: &str| {
        let found = tree.objects.iter().position(|object| object.name() == name);
        found.expect(name)
    };
    let flux = at("envoy");
    let way = &delivery.ways(at("external"))[0];
    assert_eq!(way.flux, Some(flux));
    let lister = way.listed_by.map(|by| tree.objects[by].file.as_str());
    assert_eq!(
        lister,
        Some("kubernetes/apps/network/envoy/app/kustomization.yaml")
    );
    assert_eq!(way.patched_by.len(), 1);
    assert!(delivery.is_left_out(at("forgotten")));
    assert_eq!(
        delivery.folder(flux),
        Some("kubernetes/apps/network/envoy/app")
    );
    assert_eq!(delivery.ways(flux)[0].annotations["from"], "common");
    assert_eq!(delivery.missing().len(), 1);
    assert_eq!(
        delivery.missing()[0].path,
        "kubernetes/apps/network/absent/ks.yaml"
    );
    assert_eq!(delivery.missing()[0].pointer.to_string(), "/resources/1");
    let made = &delivery.generated()[0];
    assert!(made.generator.is_left_as_it_is(&made.ways[0]));
    assert_eq!(made.ways[0].namespace.as_deref(), Some("network"));
    let folder = "kubernetes/apps/network/envoy/app";
    assert_eq!(
        made.generator.keys,
        [
            (
                "block.lua".to_owned(),
                KeyContent::File(format!("{folder}/block.lua"))
            ),
            (
                "key".to_owned(),
                KeyContent::File(format!("{folder}/resources/other.lua"))
            ),
        ]
    );
    assert_eq!(
        Substitutes::of(&tree.objects[flux]).given["DOMAIN"],
        "example.com"
    );
}

#[test]
fn it_is_the_same_wherever_the_walk_begins() {
    let whole = tree(KS).applied();
    for (from, to) in [
        ("kubernetes/apps/network/", ""),
        ("kubernetes/", "clones/home/kubernetes/"),
    ] {
        let moved = KS.replace(&format!("\n# {from}"), &format!("\n# {to}"));
        let moved = moved.replace("# kubernetes/components", "# components");
        let applied = tree(&moved).applied();
        assert!(
            whole.iter().filter(|one| applied.contains(one)).count() >= 4,
            "{applied:#?}"
        );
    }
}

#[test]
fn without_a_kustomization_flux_takes_all_files_below() {
    let text = "
# flux/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: apps, targetNamespace: a}
# apps/one.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
# apps/deep/two.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
# apps/own/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [three.yaml]
# apps/own/three.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: three}
# apps/own/four.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: four}
";
    assert_eq!(
        tree(text).applied(),
        [
            "Kustomization flux-system/apps ",
            "ConfigMap a/one ",
            "ConfigMap a/two ",
            "ConfigMap a/three "
        ]
    );
}

#[test]
fn a_component_of_two_namespaces_is_applied_to_both() {
    let app = |name: &str| {
        format!(
            "
# {name}/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {name}
components: [../shared]"
        )
    };
    let text = format!(
        "{}{}
# shared/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [policy.yaml]
# shared/policy.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: policy}}
",
        app("a"),
        app("b")
    );
    assert_eq!(
        tree(&text).applied(),
        ["ConfigMap a/policy ", "ConfigMap b/policy "]
    );
}

#[test]
fn circles_and_diamonds_end() {
    let mut text = String::new();
    for level in 0..40 {
        let below = [level + 1, level + 2].map(|below| format!("../k{}", below % 40));
        text.push_str(&format!(
            "\n# k{level}/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: p{level}-
resources: [{}, a.yaml]
# k{level}/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: a{level}}}",
            below.join(", ")
        ));
    }
    assert!(tree(&text).applied().len() > 40);
}

#[test]
fn folders_that_hold_the_same_twice_are_two_clusters() {
    let of = |cluster: &str| {
        format!(
            "
# kubernetes/{cluster}/apps/envoy/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: envoy}}
spec: {{path: ./kubernetes/{cluster}/apps/envoy/app}}"
        )
    };
    let delivery = tree(&format!("{}{}\n", of("main"), of("staging"))).delivery();
    let may = |a, b| delivery.may_share_cluster(a, b);
    assert!(!may(
        "kubernetes/main/apps/x.yaml",
        "kubernetes/staging/pool.yaml"
    ));
    assert!(may("kubernetes/main/apps/x.yaml", "kubernetes/main/y.yaml"));
    assert!(may("kubernetes/shared/x.yaml", "kubernetes/main/y.yaml"));
}

#[test]
fn patches_are_known_by_what_they_may_touch() {
    let text = "
# kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
patches:
  - target: {kind: HelmRelease}
    patch: 'x'
  - patch: |
      kind: Gateway
      metadata: {name: external}
# a.yaml
kind: HelmRelease
metadata: {name: a}
---
kind: Gateway
metadata: {name: external}
---
kind: Gateway
metadata: {name: internal}
";
    let tree = tree(text);
    let touched: Vec<bool> = tree.objects[1..]
        .iter()
        .map(|object| may_patch(&tree.objects[0], object))
        .collect();
    assert_eq!(touched, [true, true, false]);
}

#[test]
fn of_several_components_the_last_is_the_outermost_and_each_counts_once() {
    let component = |name: &str| {
        format!(
            "
# {name}/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
namespace: of-{name}
namePrefix: {name}-
labels: [{{pairs: {{by: {name}}}}}]
resources: [x.yaml]
# {name}/x.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: in-{name}}}"
        )
    };
    let text = format!(
        "
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: app-
resources: [own.yaml]
components: [../one, ../two]
configMapGenerator: [{{name: made}}]
# app/own.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: own}}{}{}
",
        component("one"),
        component("two")
    );
    let tree = tree(&text);
    assert_eq!(
        tree.applied(),
        [
            "ConfigMap of-two/app-two-one-own {\"by\":\"two\"}",
            "ConfigMap of-two/app-two-one-in-one {\"by\":\"two\"}",
            "ConfigMap of-two/app-two-in-two {\"by\":\"two\"}",
        ]
    );
    let delivery = tree.delivery();
    let made: Vec<String> = delivery.generated()[0].names().collect();
    assert_eq!(made, ["app-two-one-made"]);
}

#[test]
fn an_object_of_which_a_config_map_is_made_is_not_applied() {
    let text = "
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
configMapGenerator: [{name: values, files: [values.yaml=./crd/cluster.yaml]}]
# app/crd/cluster.yaml
apiVersion: example.com/v1
kind: Cluster
metadata: {name: in-values}
";
    let tree = tree(text);
    assert_eq!(tree.applied(), [""; 0]);
    assert!(tree.delivery().is_input(1));
}

#[test]
fn what_is_fetched_is_not_missing_and_a_circle_is_not_followed() {
    let text = "
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: x-
resources: [app.v1/a.yaml, app.v1/gone.yaml, gitlab.com/org/repo//p, 'github.com/org/repo?ref=v1', .]
# app/app.v1/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
";
    let tree = tree(text);
    assert_eq!(tree.applied(), ["ConfigMap /x-a "]);
    let delivery = tree.delivery();
    let missing: Vec<&str> = delivery
        .missing()
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(missing, ["app/app.v1/gone.yaml"]);
    let way = &delivery.ways(1)[0];
    assert!(way.is_partly_unknown);
}
