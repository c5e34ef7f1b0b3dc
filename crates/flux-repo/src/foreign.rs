//! Flux Kustomizations whose source is another repository than this one, although a folder of the same name is here.

use std::collections::{BTreeMap, BTreeSet};

use super::argo::repository;
use manifest::Object;
use manifest::value::Node;

/// The API group of Flux's sources.
const SOURCES: &str = "source.toolkit.fluxcd.io";

/// The kind and the name of a source. Its namespace is often added by a patch or by a kustomization.
type SourceName<'a> = (&'a str, &'a str);

/// Of Flux Kustomizations whose folder is here, those that certainly have another repository as their source: it is
/// given, and so is the source that most of them have, and their URLs are different.
pub(super) fn of_other_repositories(
    objects: &[Object],
    all: &[(usize, &Object)],
) -> BTreeSet<usize> {
    let mut votes: BTreeMap<SourceName<'_>, usize> = BTreeMap::new();
    for source in all.iter().filter_map(|(_, object)| source(object)) {
        *votes.entry(source).or_default() += 1;
    }
    let none = BTreeSet::new();
    if votes.len() < 2 {
        return none;
    }
    let urls = urls(objects);
    let Some((own, most)) = votes.iter().max_by_key(|(_, votes)| **votes) else {
        return none;
    };
    let Some(own_url) = urls.get(own).filter(|url| !url.is_empty()) else {
        return none;
    };
    let is_other = |source: &SourceName<'_>| {
        let url = urls.get(source).filter(|url| !url.is_empty());
        let is_rare = votes.get(source).is_some_and(|votes| votes * 2 <= *most);
        source.0 == own.0 && is_rare && url.is_some_and(|url| url != own_url)
    };
    let others = all
        .iter()
        .filter(|(_, object)| source(object).is_some_and(|source| is_other(&source)));
    others.map(|(at, _)| *at).collect()
}

fn source(flux: &Object) -> Option<SourceName<'_>> {
    let field = |key: &str| {
        let text = flux.node.path(&["spec", "sourceRef", key]);
        text.and_then(Node::as_str)
    };
    Some((field("kind")?, field("name")?))
}

/// The owner and name of the repository of each source; empty if several sources of the same name differ.
fn urls(objects: &[Object]) -> BTreeMap<SourceName<'_>, String> {
    let mut urls: BTreeMap<SourceName<'_>, String> = BTreeMap::new();
    for object in objects.iter().filter(|it| it.group() == SOURCES) {
        let url = object.node.path(&["spec", "url"]).and_then(Node::as_str);
        let url = repository(url.unwrap_or_default());
        let mut parts: Vec<&str> = url.rsplit('/').take(2).collect();
        parts.reverse();
        let url = parts.join("/");
        urls.entry((object.kind(), object.name()))
            .and_modify(|there| {
                if *there != url {
                    there.clear();
                }
            })
            .or_insert(url);
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::super::Delivery;
    use super::super::fixture::tree;

    #[test]
    fn a_folder_of_another_repository_is_not_taken_for_the_one_here() {
        let flux = |name: &str, source: &str, path: &str| {
            format!(
                "---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec: {{path: {path}, sourceRef: {{kind: GitRepository, name: {source}}}}}
"
            )
        };
        let source = |name: &str, url: &str| {
            format!(
                "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: {name}, namespace: flux-system}}
spec: {{url: '{url}'}}
"
            )
        };
        let folders = |other: &str| {
            let objects = flux("apps", "home", "./apps")
                + &flux("infra", "home", "./infra")
                + &flux("crds", "other", "./config/crd")
                + &source("home", "ssh://git@github.com/example/home.git")
                + &source("other", other);
            let files = ["apps/a", "infra/a", "config/crd/a"].map(|file| {
                format!(
                    "# {file}.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n",
                    file.replace('/', "-")
                )
            });
            let tree = tree(&format!("# flux.yaml\n{objects}{}", files.concat()));
            let delivery = Delivery::of(&tree.objects, &tree.files);
            ["apps", "infra", "crds"].map(|name| {
                let at = tree.objects.iter().position(|it| it.name() == name);
                delivery.folder(at.expect("the Kustomization")).is_some()
            })
        };
        assert_eq!(
            folders("https://github.com/example/other"),
            [true, true, false]
        );
        assert_eq!(folders("https://github.com/example/home"), [true; 3]);
    }
}
