//! Builds of small repositories: places, Flux Kustomizations, and hostile input. What kustomize makes of small
//! repositories is compared in `tests/cases.rs`.

use super::super::fixture::{Tree, tree};
use super::*;

impl Tree {
    fn build(&self, folder: &str, flux: Option<&str>) -> Build {
        let content = |file: &str| {
            let source = self.texts.get(file).copied()?;
            let bytes = self.sources.get(source).text().as_bytes().to_vec();
            Some(FileContent {
                bytes,
                source: Some(source),
            })
        };
        let flux = flux.and_then(|file| self.objects.iter().find(|object| object.file == file));
        Builder::of(&self.objects, &self.files, &content).build(folder, flux)
    }

    /// The file, line and text of the value at `pointer` in an object.
    fn place(&self, object: &Object, pointer: &str) -> String {
        let pointer = Pointer::parse(pointer)
            .expect("a pointer")
            .resolve_in(&object.node);
        let span = object
            .node
            .at(&pointer)
            .and_then(|node| node.span)
            .expect("a place");
        let location = self.sources.locate(span);
        let text = &self.sources.get(span.source).text()[span.range()];
        format!("{}:{} {text}", location.file, location.line)
    }
}

/// Each object as `Kind namespace/name`.
fn names(build: &Build) -> Vec<String> {
    let objects = build.objects.iter();
    objects
        .map(|object| object.identity().to_string())
        .collect()
}

fn errors(build: &Build) -> Vec<String> {
    let errors = build.errors.iter();
    errors
        .map(|error| format!("{}{}: {}", error.at.file, error.at.pointer, error.message))
        .collect()
}

#[test]
fn every_value_has_the_place_where_it_was_written() {
    let tree = tree(
        "# app/kustomization.yaml
namespace: web
labels: [{pairs: {tier: front}}]
resources: [a.yaml]
configMapGenerator:
  - name: m
    literals: [k=v]
    files: [t.txt]
patches:
  - path: merge.yaml
  - target: {kind: Thing}
    patch: |
      # A comment.
      - op: add
        path: /spec/json
        value: {deep: 5}
  - target: {kind: Thing}
    patch: \"[{op: add, path: /spec/quoted, value: 6}]\"
replacements:
  - source: {kind: Thing, fieldPath: spec.own}
    targets: [{select: {kind: Thing}, fieldPaths: [spec.copied], options: {create: true}}]
# app/a.yaml
kind: Thing
apiVersion: example.com/v1
metadata: {name: a}
spec: {own: 1}
# app/merge.yaml
kind: Thing
apiVersion: example.com/v1
metadata: {name: a}
spec: {merged: 2}
# app/t.txt
text",
    );
    let build = tree.build("app", None);
    assert_eq!(errors(&build), [""; 0]);
    let thing = &build.objects[0];
    for (pointer, place) in [
        ("/spec/own", "app/a.yaml:4 1"),
        ("/spec/merged", "app/merge.yaml:4 2"),
        ("/spec/json/deep", "app/kustomization.yaml:15 5"),
        ("/spec/copied", "app/a.yaml:4 1"),
        ("/metadata/namespace", "app/kustomization.yaml:1 web"),
        ("/metadata/labels/tier", "app/kustomization.yaml:2 front"),
        (
            "/spec/quoted",
            "app/kustomization.yaml:17 \"[{op: add, path: /spec/quoted, value: 6}]\"",
        ),
    ] {
        assert_eq!(tree.place(thing, pointer), place, "{pointer}");
    }
    let map = &build.objects[1];
    assert_eq!(map.file, "app/kustomization.yaml");
    assert_eq!(tree.place(map, "/data/k"), "app/kustomization.yaml:6 k=v");
    assert_eq!(
        tree.place(map, "/data/t.txt"),
        "app/kustomization.yaml:7 t.txt"
    );
}

/// The names contain the hashes that kustomize prints for these bytes.
#[test]
fn bytes_that_are_no_text_are_base64_in_lines() {
    let tree = tree(
        "# kustomization.yaml
configMapGenerator: [{name: m, files: [b.bin]}]
secretGenerator: [{name: s, files: [b.bin]}]
",
    );
    let content = |file: &str| {
        let bytes = (128..255).chain(128..255).collect();
        let source = None;
        (file == "b.bin").then_some(FileContent { bytes, source })
    };
    let build = Builder::of(&tree.objects, &tree.files, &content).build("", None);
    assert_eq!(
        names(&build),
        ["ConfigMap m-k8mc4kffmf", "Secret s-b62hkg5t44"]
    );
}

const FLUX: &str = "
# ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  path: ./app
  targetNamespace: target
  namePrefix: x-
  commonMetadata: {labels: {app: common}, annotations: {note: common}}
  components: [../component, ../absent]
  ignoreMissingComponents: true
  images: [{name: example.com/web, newTag: '2'}]
  patches:
    - target: {kind: Pod}
      patch: |
        - op: add
          path: /spec/patched
          value: true
# component/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
commonAnnotations: {component: 'yes'}
";

#[test]
fn a_flux_kustomization_is_merged_into_the_kustomization_of_its_folder() {
    let tree = tree(&format!(
        "{FLUX}# app/kustomization.yaml
namespace: own
unknown: dropped by Flux
images: [{{name: example.com/web, newTag: '1'}}]
resources: [pod.yaml]
# app/pod.yaml
apiVersion: v1
kind: Pod
metadata: {{name: pod, labels: {{app: own}}}}
spec: {{containers: [{{name: web, image: example.com/web}}]}}
"
    ));
    let build = tree.build("app", Some("ks.yaml"));
    assert_eq!(errors(&build), [""; 0]);
    assert_eq!(names(&build), ["Pod target/x-pod"]);
    assert_eq!(
        build.objects[0].node.to_json(),
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "x-pod",
                "namespace": "target",
                "labels": {"app": "common"},
                "annotations": {"component": "yes", "note": "common"},
            },
            "spec": {"containers": [{"name": "web", "image": "example.com/web:2"}], "patched": true},
        })
    );
    assert_eq!(
        tree.place(&build.objects[0], "/spec/patched"),
        "ks.yaml:17 true"
    );
    // Without Flux, the unknown field is a mistake.
    assert_eq!(errors(&tree.build("app", None)).len(), 1);
}

#[test]
fn a_folder_without_a_kustomization_gets_one_from_flux() {
    let tree = tree(&format!(
        "{FLUX}# app/b.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: b}}
# app/.sops.yaml
creation_rules: []
# app/text.txt
none
# app/sub/c.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: c}}
# app/owned/kustomization.yaml
namePrefix: owned-
resources: [d.yaml]
# app/owned/d.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: d}}
# app/owned/unlisted/e.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: e}}
"
    ));
    let build = tree.build("app", Some("ks.yaml"));
    assert_eq!(errors(&build), [""; 0]);
    assert_eq!(
        names(&build),
        [
            "ConfigMap target/x-b",
            "ConfigMap target/x-owned-d",
            "ConfigMap target/x-c"
        ]
    );
}

#[test]
fn what_is_not_followed_is_named() {
    let tree = tree(
        "# kustomization.yaml
resources: ['https://example.com/a.yaml', 'https://github.com/example/repo//base?ref=v1', a.yaml]
components: ['github.com/example/repo/component?ref=v1']
helmCharts: [{name: chart}]
vars: [{name: X}]
transformers: [t.yaml]
# a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
",
    );
    let build = tree.build("", None);
    assert_eq!(errors(&build), [""; 0]);
    let named: Vec<String> = build
        .not_followed
        .iter()
        .map(|one| format!("{:?} {} {}", one.feature, one.at.pointer, one.text))
        .collect();
    assert_eq!(
        named,
        [
            "Remote /resources/0 https://example.com/a.yaml",
            "Remote /resources/1 https://github.com/example/repo//base?ref=v1",
            "Remote /components/0 github.com/example/repo/component?ref=v1",
            "HelmCharts /helmCharts ",
            "Transformers /transformers ",
            "Vars /vars ",
        ]
    );
    assert_eq!(names(&build), ["ConfigMap a"]);
}

/// Builds end, whatever the input is, and say that they have ended early.
#[test]
fn hostile_repositories_are_bounded() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n";
    // Each folder is read twice by the one above: 2^60 times in all.
    let mut doubled = String::new();
    for level in 0..60 {
        let below = level + 1;
        doubled.push_str(&format!(
            "# d{level}/kustomization.yaml\nresources: [../d{below}, ../d{below}]\n"
        ));
    }
    doubled.push_str("# d60/kustomization.yaml\nnamePrefix: x\n");
    // A value is copied into itself.
    let copies: String = (0..60)
        .map(|nth| format!("{{op: copy, from: /data, path: /data/x{nth}}},"))
        .collect();
    let copied = format!(
        "# d0/kustomization.yaml\nresources: [a.yaml]\npatches: [{{target: {{kind: ConfigMap}}, patch: \"[{copies}]\"}}]\n# d0/a.yaml\n{object}"
    );
    let replacements: String = (0..60)
        .map(|nth| {
            let target = format!(
                "{{select: {{name: a}}, fieldPaths: [data.x{nth}], options: {{create: true}}}}"
            );
            format!("- {{source: {{name: a, fieldPath: data}}, targets: [{target}]}}\n")
        })
        .collect();
    let replaced = format!(
        "# d0/kustomization.yaml\nresources: [a.yaml]\nreplacements:\n{replacements}# d0/a.yaml\n{object}"
    );
    let mut deep = String::new();
    for level in 0..200 {
        let below = level + 1;
        deep.push_str(&format!(
            "# d{level}/kustomization.yaml\nresources: [../d{below}]\n"
        ));
    }
    deep.push_str("# d200/kustomization.yaml\nnamePrefix: x\n");
    for (text, message) in [
        (doubled, "this reads more folders than any repository has"),
        (copied, "it copies more values than any object has"),
        (replaced, "this makes more objects than any cluster has"),
        (deep, "this reads more folders than any repository has"),
    ] {
        let build = tree(&text).build("d0", None);
        let said = errors(&build);
        assert!(said.iter().any(|one| one.ends_with(message)), "{said:?}");
    }
}

/// No field of a kustomization may make a build panic, whatever its value is.
#[test]
fn values_of_any_type_are_survived() {
    let values = [
        "null", "1", "text", "[]", "{}", "[null]", "[1]", "[{}]", "[[]]", "{a: b}", "[{a: b}]",
        "''",
    ];
    let fields = [
        "apiVersion",
        "kind",
        "metadata",
        "resources",
        "bases",
        "components",
        "namespace",
        "namePrefix",
        "nameSuffix",
        "labels",
        "commonLabels",
        "commonAnnotations",
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "images",
        "imageTags",
        "replicas",
        "replacements",
        "configMapGenerator",
        "secretGenerator",
        "generatorOptions",
        "configurations",
        "sortOptions",
        "vars",
        "openapi",
        "crds",
    ];
    let inner = [
        "name",
        "namespace",
        "target",
        "patch",
        "path",
        "options",
        "pairs",
        "fields",
        "source",
        "targets",
        "select",
        "fieldPaths",
        "literals",
        "files",
        "envs",
        "behavior",
        "count",
        "newTag",
    ];
    let object =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{image: x}]}\n";
    let mut built = 0;
    for field in fields {
        let lists = inner.iter().flat_map(|key| {
            values
                .iter()
                .map(move |value| format!("[{{name: a, {key}2: x, {key}: {value}}}]"))
        });
        let lists = lists.filter(|text| !text.contains("name: a, name2: x, name:"));
        for value in values.iter().map(|value| (*value).to_owned()).chain(lists) {
            let text = format!(
                "# kustomization.yaml\n{field}: {value}\n{}# a.yaml\n{object}",
                if field == "resources" {
                    ""
                } else {
                    "resources: [a.yaml]\n"
                }
            );
            tree(&text).build("", None);
            built += 1;
        }
    }
    assert!(built > 1000, "{built}");
}
