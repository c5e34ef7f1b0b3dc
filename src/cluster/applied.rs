//! Computes what Flux applies from a rendered tree: the folder of each Flux Kustomization as kustomize builds it, with
//! the changes by Flux.
//!
//! If a kustomization contains something that [`flux_repo`] does not follow, [`Bundle::unread`] says so, and nothing
//! is guessed.

use std::collections::BTreeMap;

use flux_repo::is_kustomize_kind;
use manifest::Object;
use manifest::value::path::{below, join_within};
use manifest::value::{Kind, Node};

mod build;

use build::KustomizeInputs;

pub use flux_repo::{FLUX, is_flux_kustomization};

/// A Flux Kustomization, as named in the labels of the objects that it applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Owner {
    /// The labels that it adds to everything that it applies (kustomize-controller 1.9).
    pub fn labels(&self) -> [(String, &str); 2] {
        [
            (format!("{FLUX}/name"), self.name.as_str()),
            (format!("{FLUX}/namespace"), self.namespace.as_str()),
        ]
    }
}

/// What a single Flux Kustomization applies.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// The Flux Kustomization; `None` for what is applied from outside of the tree: the Namespace and `ks.yaml`.
    pub owner: Option<Owner>,
    /// The folder that it applies.
    pub folder: String,
    /// Whether it deletes objects that are no longer in the folder.
    pub prunes: bool,
    /// The namespace that it gives all objects (`spec.targetNamespace`).
    pub target: Option<String>,
    /// The variables that it substitutes, as written (`spec.postBuild`).
    pub post_build: Option<Node>,
    /// The objects that it applies.
    pub objects: Vec<Object>,
    /// What could not be followed, each with its reason. If there is anything, it is not known what would be pruned.
    pub unread: Vec<String>,
}

/// The rendered tree, and access to the files beside it.
pub struct Tree<'a> {
    /// The rendered objects.
    pub objects: &'a [Object],
    /// The texts of the rendered files, by path.
    pub texts: BTreeMap<&'a str, &'a str>,
    /// Reads another file below the root.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// The namespace of objects that have none.
    pub namespace: &'a str,
}

impl Tree<'_> {
    /// The applied objects for each Flux Kustomization. The first bundle is what is applied from outside of the tree.
    pub fn bundles(&self) -> Vec<Bundle> {
        let mut inputs = KustomizeInputs::of(self);
        let rendered = inputs.delivery();
        let fluxes: Vec<(usize, &Object, String)> = (0..)
            .zip(self.objects)
            .filter(|(_, object)| is_flux_kustomization(object))
            .map(|(at, object)| {
                let folder = rendered.folder(at).map(str::to_owned);
                (at, object, folder.unwrap_or_else(|| path_of(object)))
            })
            .collect();
        for (_, _, folder) in &fluxes {
            inputs.read_folder(folder);
        }
        let outside = |object: &&Object| {
            !is_kustomize_kind(object)
                && fluxes
                    .iter()
                    .all(|(_, _, folder)| below(folder, &object.file).is_none())
        };
        let objects = self.objects.iter().filter(outside).map(|object| {
            let mut object = object.clone();
            if object.namespace().is_empty() {
                set(&mut object.node, &["metadata", "namespace"], self.namespace);
            }
            object
        });
        let mut all = vec![Bundle {
            objects: objects.collect(),
            ..Bundle::default()
        }];
        let delivery = inputs.delivery();
        let own = fluxes.iter().map(|(at, object, _)| {
            let (objects, unread) = inputs.applied(&delivery, *at);
            self.bundle(object, objects, unread)
        });
        all.extend(own);
        all
    }

    fn bundle(&self, flux: &Object, mut objects: Vec<Object>, mut unread: Vec<String>) -> Bundle {
        let spec = |key: &str| flux.node.path(&["spec", key]);
        let namespace = match flux.namespace() {
            "" => self.namespace,
            namespace => namespace,
        };
        for key in ["patches", "images", "components"] {
            if spec(key).is_some() {
                unread.push(format!(
                    "`spec.{key}` of Kustomization {} is not supported here",
                    flux.name()
                ));
            }
        }
        let owner = Owner {
            namespace: namespace.to_owned(),
            name: flux.name().to_owned(),
        };
        for object in &mut objects {
            for (key, value) in owner.labels() {
                set(&mut object.node, &["metadata", "labels", &key], value);
            }
        }
        Bundle {
            owner: Some(owner),
            folder: path_of(flux),
            prunes: spec("prune").and_then(Node::as_bool) == Some(true),
            target: spec("targetNamespace")
                .and_then(Node::as_str)
                .map(str::to_owned),
            post_build: spec("postBuild").cloned(),
            objects,
            unread,
        }
    }
}

/// The folder of a Flux Kustomization, as written in `spec.path`.
fn path_of(flux: &Object) -> String {
    let path = flux.node.path(&["spec", "path"]).and_then(Node::as_str);
    join_within("", path.unwrap_or_default()).unwrap_or_default()
}

/// Sets the string at a path, and creates the maps on the way.
pub fn set(node: &mut Node, path: &[&str], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        *node = Node::string(value);
        return;
    };
    let Some(map) = node.as_map_mut() else { return };
    if map
        .get(first)
        .is_none_or(|below| matches!(below.kind, Kind::Null))
    {
        map.insert(*first, Node::map());
    }
    if let Some(below) = map.get_mut(first) {
        set(below, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::build::objects_of;
    use super::*;

    const KS: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app}
spec:
  path: ./apps/app
  prune: true
  targetNamespace: network
  commonMetadata: {labels: {team: edge}}
";
    const INDEX: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [./a.yaml, ../own, https://example.com/x.yaml]
configMapGenerator:
  - {name: script, files: [resources/a.lua]}
generatorOptions: {disableNameSuffixHash: true, annotations: {x: z}}
patches: []
";

    fn bundles(files: &[(&str, &str)], disk: &[(&str, &str)]) -> Vec<Bundle> {
        let objects: Vec<Object> = files
            .iter()
            .filter(|(path, _)| path.ends_with(".yaml"))
            .flat_map(|(path, text)| objects_of(path, text))
            .collect();
        let disk: BTreeMap<String, String> = disk
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        Tree {
            objects: &objects,
            texts: files.iter().copied().collect(),
            read: &|path| disk.get(path).cloned(),
            namespace: "flux",
        }
        .bundles()
    }

    #[test]
    fn a_folder_becomes_what_flux_applies() {
        let all = bundles(
            &[
                ("apps/ks.yaml", KS),
                ("apps/app/kustomization.yaml", INDEX),
                (
                    "apps/app/a.yaml",
                    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
                ),
                ("apps/app/resources/a.lua", "return 1"),
            ],
            &[
                ("apps/own/kustomization.yaml", "resources: [b.yaml]\n"),
                (
                    "apps/own/b.yaml",
                    "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n",
                ),
            ],
        );
        let names = |bundle: &Bundle| -> Vec<String> {
            bundle
                .objects
                .iter()
                .map(|it| it.identity().to_string())
                .collect()
        };
        assert_eq!(names(&all[0]), ["Kustomization flux/app"]);
        assert_eq!(
            names(&all[1]),
            [
                "Service network/a",
                "Secret network/b",
                "ConfigMap network/script"
            ]
        );
        assert!(all[1].prunes);
        let script = all[1].objects[2].node.to_json();
        assert_eq!(script["data"]["a.lua"], "return 1");
        assert_eq!(script["metadata"]["annotations"]["x"], "z");
        assert_eq!(script["metadata"]["labels"]["team"], "edge");
        assert_eq!(
            script["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/namespace"],
            "flux"
        );
        assert_eq!(
            all[1].unread,
            [
                "https://example.com/x.yaml, which apps/app/kustomization.yaml lists, is not in the tree",
                "`patches` of apps/app/kustomization.yaml is not supported here",
            ]
        );
    }

    #[test]
    fn circles_and_paths_out_of_the_root_are_not_followed() {
        let circle = "resources: [../app, ../../../etc/passwd]\n";
        let all = bundles(
            &[
                ("apps/ks.yaml", KS),
                ("apps/app/kustomization.yaml", circle),
            ],
            &[],
        );
        assert_eq!(all[1].unread.len(), 2, "{:?}", all[1].unread);
        assert!(all[1].objects.is_empty());
    }
}
