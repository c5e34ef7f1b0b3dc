//! Argo CD's Applications and ApplicationSets: which folders of the repository they apply.
//!
//! Of the generators of ApplicationSets, `list`, `git` and their `matrix` are followed; the content of files is not. An
//! Application of a chart applies no folder, and one of another repository none of this one.

mod generators;
mod patterns;

use std::collections::BTreeMap;

use super::DeliveryPath;
use super::folders::Folders;
use super::kustomization::pairs;
use manifest::Object;
use manifest::value::path::below;
use manifest::value::{Kind, Node};

pub(crate) use generators::excluded;
pub(super) use generators::flatten;
use generators::{generated, with_values};
use patterns::{alternatives, fits_path};

/// The API group of Argo CD.
pub const ARGO_CD: &str = "argoproj.io";

/// The maximum number of Applications that are generated from one ApplicationSet. More would only take time.
const MOST_GENERATED: usize = 1000;

/// What stands for a value that is not known.
const UNKNOWN: &str = "${UNKNOWN_PARAMETER}";

/// A folder that an Application applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ArgoSource {
    /// The host and path of the repository; empty if it is not known.
    pub repository: String,
    /// The folder as it is written, relative to the root of the repository.
    pub path: String,
    /// Whether manifests below the folder count, too, if it has no kustomization.
    pub is_recursive: bool,
    /// The patterns of the files that count; none if all count.
    include: Vec<String>,
    /// The patterns of the files that don't count.
    exclude: Vec<String>,
    /// What the Application sets.
    pub way: DeliveryPath,
}

impl ArgoSource {
    /// Whether a file in `folder` counts.
    pub(crate) fn is_included(&self, folder: &str, file: &str) -> bool {
        let path = below(folder, file).unwrap_or(file);
        let fits_any = |patterns: &[String]| patterns.iter().any(|one| fits_path(one, path));
        !fits_any(&self.exclude) && (self.include.is_empty() || fits_any(&self.include))
    }
}

/// The folders that an Application, or those that an ApplicationSet generates, apply.
pub(crate) fn sources(object: &Object, folders: &Folders<'_>) -> Vec<ArgoSource> {
    if object.group() != ARGO_CD {
        return Vec::new();
    }
    let Some(spec) = object.node.get("spec") else {
        return Vec::new();
    };
    match object.kind() {
        "Application" => of_application(spec),
        "ApplicationSet" => {
            let template = spec.path(&["template", "spec"]);
            let generated = generated(spec, folders).into_iter().take(MOST_GENERATED);
            generated
                .filter_map(|values| {
                    Some(template?.with_strings(&|text| Kind::String(with_values(text, &values))))
                })
                .flat_map(|spec| of_application(&spec))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn of_application(spec: &Node) -> Vec<ArgoSource> {
    let several = spec.get("sources").and_then(Node::as_list);
    let all = spec
        .get("source")
        .into_iter()
        .chain(several.unwrap_or_default());
    let known = |text: &str| match text.contains("{{") {
        true => UNKNOWN.to_owned(),
        false => text.to_owned(),
    };
    let namespace = text(spec, &["destination", "namespace"]).map(known);
    let sources = all.filter_map(|source| {
        let path = text(source, &["path"])?;
        let kustomize = |key: &str| text(source, &["kustomize", key]).map(known);
        let recurse = source.path(&["directory", "recurse"]);
        let pattern = |key: &str| text(source, &["directory", key]).map(alternatives);
        Some(ArgoSource {
            repository: text(source, &["repoURL"]).map_or_else(String::new, repository),
            path: path.to_owned(),
            is_recursive: recurse.and_then(Node::as_bool) == Some(true),
            include: pattern("include").unwrap_or_default(),
            exclude: pattern("exclude").unwrap_or_default(),
            way: DeliveryPath {
                default_namespace: namespace.clone(),
                namespace: kustomize("namespace"),
                prefix: kustomize("namePrefix").unwrap_or_default(),
                suffix: kustomize("nameSuffix").unwrap_or_default(),
                labels: pairs(source.path(&["kustomize", "commonLabels"])).collect(),
                annotations: pairs(source.path(&["kustomize", "commonAnnotations"])).collect(),
                is_partly_unknown: ["patches", "components"]
                    .iter()
                    .any(|key| source.path(&["kustomize", key]).is_some()),
                ..DeliveryPath::default()
            },
        })
    });
    sources
        .filter(|source| !source.path.contains("{{"))
        .collect()
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.path(path).and_then(Node::as_str)
}

/// The host and path of a repository's URL, which is written in several ways; empty if it is not known.
pub(super) fn repository(url: &str) -> String {
    if url.contains("{{") || url.contains('$') || url.contains('<') {
        return String::new();
    }
    let url = url.trim().trim_end_matches('/').trim_end_matches(".git");
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.replace(':', "/").to_lowercase()
}

/// The repository that most sources with a folder here name: this one. `None` if two are named equally often.
pub(crate) fn own_repository<'s>(sources: impl Iterator<Item = &'s ArgoSource>) -> Option<String> {
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources.filter(|source| !source.repository.is_empty()) {
        *votes.entry(&source.repository).or_default() += 1;
    }
    let most = votes.values().max().copied()?;
    let mut first = votes.iter().filter(|(_, votes)| **votes == most);
    match (first.next(), first.next()) {
        (Some((own, _)), None) => Some((*own).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
