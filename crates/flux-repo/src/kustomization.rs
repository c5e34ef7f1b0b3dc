//! A kustomization: what it lists, sets and generates.
//!
//! The fields come from kustomize's `api/types` (v0.21, in kustomize 5.8).

use std::collections::BTreeMap;

use super::build::usual_spelling;
use super::generator::Generator;
use super::remote::{is_repository, is_url};
use manifest::Object;
use manifest::meaning::KUSTOMIZATIONS;
use manifest::value::path::{folder, join, name};
use manifest::value::{Node, Pointer, variable};

/// The API group of kustomize's own kinds.
pub const KUSTOMIZE: &str = "kustomize.config.k8s.io";

/// The files in which kustomize looks for the kustomization of a folder, in this order.
pub fn kustomization_files(folder: &str) -> impl Iterator<Item = String> {
    KUSTOMIZATIONS.iter().map(move |name| join(folder, name))
}

/// Whether a file is the kustomization of its folder, judged by its name.
pub fn is_kustomization_file(file: &str) -> bool {
    KUSTOMIZATIONS.contains(&name(file))
}

/// Whether an object is only for kustomize and so never reaches the API server.
pub fn is_kustomize_kind(object: &Object) -> bool {
    let is_kind = matches!(object.kind(), "Kustomization" | "Component");
    is_kind && object.group() == KUSTOMIZE || is_kustomization(object)
}

/// Whether an object is the kustomization, or the component, of its folder. `apiVersion` and `kind` may be missing,
/// because kustomize doesn't need them.
pub fn is_kustomization(object: &Object) -> bool {
    let is_kind = match object.kind() {
        "" => object.api_version().is_empty(),
        "Kustomization" | "Component" => {
            object.group() == KUSTOMIZE || object.api_version().is_empty()
        }
        _ => false,
    };
    is_kind && is_kustomization_file(&object.file)
}

/// A kustomization as kustomize understands it: it adds `apiVersion` and `kind` where they are missing, and reads keys
/// without regard to capital letters. Other objects stay as they are.
pub fn completed(mut object: Object) -> Object {
    if !is_kustomization(&object) {
        return object;
    }
    let kind = match object.kind() {
        "" => "Kustomization",
        kind => kind,
    };
    let group_and_version = match kind {
        "Component" => format!("{KUSTOMIZE}/v1alpha1"),
        _ => format!("{KUSTOMIZE}/v1beta1"),
    };
    let kind = kind.to_owned();
    let Some(map) = object.node.as_map_mut() else {
        return object;
    };
    let keys: Vec<String> = map.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        let usual = usual_spelling(&key).filter(|usual| *usual != key && !map.contains_key(usual));
        if let Some(usual) = usual
            && let Some(entry) = map.remove(&key)
        {
            map.insert_entry(usual.to_owned(), entry);
        }
    }
    for (key, text) in [("apiVersion", group_and_version), ("kind", kind)] {
        let is_missing = map
            .get(key)
            .and_then(Node::as_str)
            .is_none_or(str::is_empty);
        if is_missing {
            map.insert(key, Node::string(text));
        }
    }
    object
}

/// What kustomize does with a path that a kustomization names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRole {
    /// It applies the objects there: those of a file, or those of a folder with a kustomization.
    Resource,
    /// It uses the component there.
    Component,
    /// It reads the settings of a generator, a transformer or a validator there.
    Plugin,
    /// It reads a patch or other settings there.
    Setting,
    /// It generates a ConfigMap or Secret from the file or its lines.
    Source,
}

impl EntryRole {
    /// Whether the path may be a folder, which then needs its own kustomization, or a Git repository.
    pub fn may_be_folder(self) -> bool {
        matches!(
            self,
            EntryRole::Resource | EntryRole::Component | EntryRole::Plugin
        )
    }

    /// Whether objects in the file are applied. Otherwise, they are patches, settings or plain text.
    pub fn is_applied(self) -> bool {
        matches!(self, EntryRole::Resource | EntryRole::Component)
    }
}

/// In [`PATHS`], means every item of a list.
const EACH: &str = "*";

/// All fields of a kustomization that can contain a path.
const PATHS: &[(EntryRole, &[&str])] = &[
    (EntryRole::Resource, &["resources", EACH]),
    (EntryRole::Resource, &["bases", EACH]),
    (EntryRole::Component, &["components", EACH]),
    (EntryRole::Plugin, &["generators", EACH]),
    (EntryRole::Plugin, &["transformers", EACH]),
    (EntryRole::Plugin, &["validators", EACH]),
    (EntryRole::Setting, &["crds", EACH]),
    (EntryRole::Setting, &["configurations", EACH]),
    (EntryRole::Setting, &["openapi", "path"]),
    (EntryRole::Setting, &["patchesStrategicMerge", EACH]),
    (EntryRole::Setting, &["patches", EACH, "path"]),
    (EntryRole::Setting, &["patchesJson6902", EACH, "path"]),
    (EntryRole::Setting, &["replacements", EACH, "path"]),
    (EntryRole::Setting, &["helmCharts", EACH, "valuesFile"]),
    (
        EntryRole::Setting,
        &["helmChartInflationGenerator", EACH, "values"],
    ),
    (
        EntryRole::Source,
        &["configMapGenerator", EACH, "files", EACH],
    ),
    (
        EntryRole::Source,
        &["configMapGenerator", EACH, "envs", EACH],
    ),
    (EntryRole::Source, &["configMapGenerator", EACH, "env"]),
    (EntryRole::Source, &["secretGenerator", EACH, "files", EACH]),
    (EntryRole::Source, &["secretGenerator", EACH, "envs", EACH]),
    (EntryRole::Source, &["secretGenerator", EACH, "env"]),
    (
        EntryRole::Setting,
        &["helmCharts", EACH, "additionalValuesFiles", EACH],
    ),
];

/// The keys of a kustomization that this crate follows, at least as far as they determine which objects exist.
const FOLLOWED: &[&str] = &[
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
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
];

/// The keys that add or change objects, and that this crate does not follow.
const UNKNOWN: [&str; 5] = [
    "generators",
    "helmCharts",
    "helmChartInflationGenerator",
    "transformers",
    "replacements",
];

/// A path in a kustomization.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its place in the kustomization.
    pub pointer: Pointer,
    /// The entry as written.
    pub text: &'a str,
    /// What kustomize does with the path.
    pub role: EntryRole,
    /// The path that it leads to, in the form that findings use.
    pub path: String,
    /// Whether it may lead out of the repository if nothing exists at `path`: kustomize would fetch it, or it is not
    /// clear what it means, for example because it contains a variable. Like kustomize, check for a file first.
    pub may_be_elsewhere: bool,
}

/// What a kustomization sets on all objects that it lists.
#[derive(Clone, Debug, Default)]
pub struct KustomizationSettings {
    pub namespace: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub prefix: String,
    pub suffix: String,
    pub patches: bool,
    pub is_partly_unknown: bool,
}

/// A kustomization whose fields can be read.
#[derive(Clone, Copy, Debug)]
pub struct Kustomization<'a> {
    /// Its file.
    pub file: &'a str,
    /// Its content.
    pub node: &'a Node,
}

impl<'a> Kustomization<'a> {
    /// Reads an object as a kustomization.
    pub fn of(object: &'a Object) -> Self {
        Kustomization {
            file: &object.file,
            node: &object.node,
        }
    }

    /// The folder that contains its file.
    pub fn folder(&self) -> &'a str {
        folder(self.file)
    }

    /// The paths in it. Patches and settings that are written inline are not among them.
    pub fn entries(&self) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        for (role, steps) in PATHS {
            each_at(self.node, Pointer::root(), steps, &mut |pointer, node| {
                let text = node.as_str();
                entries.extend(text.and_then(|text| self.entry(*role, pointer, text)));
            });
        }
        entries
    }

    fn entry(&self, role: EntryRole, pointer: Pointer, text: &'a str) -> Option<Entry<'a>> {
        let is_inline = text.contains('\n') || text.contains(": ");
        if is_inline && matches!(role, EntryRole::Plugin | EntryRole::Setting) {
            return None;
        }
        let path = match role {
            EntryRole::Source => super::generator::key_and_path(text).1,
            _ => text,
        };
        let is_fetched = is_url(path) || role.may_be_folder() && is_repository(path);
        let is_unclear = path.trim().is_empty() || path.starts_with('/') || variable::in_text(path);
        Some(Entry {
            pointer,
            text,
            role,
            path: join(self.folder(), path),
            may_be_elsewhere: is_fetched || is_unclear,
        })
    }

    /// What it sets itself, without its components.
    pub fn settings(&self) -> KustomizationSettings {
        let text = |key: &str| self.node.get(key).and_then(Node::as_str).map(str::to_owned);
        let has_any = |key: &&str| {
            let list = self.node.get(key).and_then(Node::as_list);
            list.is_some_and(|list| !list.is_empty())
        };
        let labels = self.node.get("labels").and_then(Node::as_list);
        let labels = labels.unwrap_or_default().iter();
        KustomizationSettings {
            namespace: text("namespace").filter(|namespace| !namespace.is_empty()),
            labels: labels
                .flat_map(|one| pairs(one.get("pairs")))
                .chain(pairs(self.node.get("commonLabels")))
                .collect(),
            annotations: pairs(self.node.get("commonAnnotations")).collect(),
            prefix: text("namePrefix").unwrap_or_default(),
            suffix: text("nameSuffix").unwrap_or_default(),
            patches: super::patches::patches_anything(self.node),
            is_partly_unknown: UNKNOWN.iter().any(has_any),
        }
    }

    /// The ConfigMaps and Secrets that it generates.
    pub fn generators(&self) -> Vec<Generator> {
        Generator::all(self)
    }

    /// The keys in it that this crate does not follow.
    pub fn not_followed(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let keys = self.node.as_map().into_iter().flat_map(|map| map.iter());
        let keys = keys.map(|(key, _)| key);
        keys.filter(|key| !FOLLOWED.contains(key))
    }
}

/// Calls `with` for each node that the steps lead to.
fn each_at<'a>(
    node: &'a Node,
    pointer: Pointer,
    steps: &[&str],
    with: &mut impl FnMut(Pointer, &'a Node),
) {
    let Some((step, rest)) = steps.split_first() else {
        return with(pointer, node);
    };
    if *step == EACH {
        let items = node.as_list().unwrap_or_default();
        for (at, item) in items.iter().enumerate() {
            each_at(item, pointer.index(at), rest, with);
        }
    } else if let Some(below) = node.get(step) {
        each_at(below, pointer.key(*step), rest, with);
    }
}

/// The keys and values of a map; values that are not strings are left out.
pub(super) fn pairs(node: Option<&Node>) -> impl Iterator<Item = (String, String)> {
    let map = node.and_then(Node::as_map).into_iter();
    map.flat_map(|map| map.iter())
        .filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::tree;
    use super::*;

    #[test]
    fn every_place_where_a_path_may_stand_counts() {
        let tree = tree(
            "# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [./a.yaml, 'https://example.com/b.yaml', k=v.yaml, '${X}/c.yaml', /d.yaml]
components: [../c]
patches: [{path: p.yaml}, {patch: 'inline'}]
patchesStrategicMerge: ['kind: Secret', s.yaml]
openapi: {path: o.json}
configMapGenerator:
- {name: m, files: [resources/m.lua, lua=n.lua, github.com/a/b], literals: [k=v]}
- {name: h, envs: [e.env], env: f.env}
",
        );
        let entries = Kustomization::of(&tree.objects[0]).entries();
        let local = entries.iter().filter(|entry| !entry.may_be_elsewhere);
        let local: Vec<&str> = local.map(|entry| entry.path.as_str()).collect();
        assert_eq!(
            local,
            [
                "app/a.yaml",
                "app/k=v.yaml",
                "c",
                "app/o.json",
                "app/s.yaml",
                "app/p.yaml",
                "app/resources/m.lua",
                "app/n.lua",
                "app/github.com/a/b",
                "app/e.env",
                "app/f.env",
            ]
        );
        assert_eq!(entries.len(), local.len() + 3);
        assert_eq!(entries[0].pointer.to_string(), "/resources/0");
    }

    #[test]
    fn a_kustomization_is_known_by_its_name_and_kind() {
        let tree = tree(
            "# a/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
# a/other.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
# b/kustomization.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
# c/kustomization.yaml
resources: [a.yaml]
",
        );
        let found: Vec<bool> = tree.objects.iter().map(is_kustomization).collect();
        assert_eq!(found, [true, false, false, true]);
        assert!(is_kustomization_file("a.v1/Kustomization"));
        assert!(!is_kustomization_file("a/kustomization.yaml/b"));
    }
}
