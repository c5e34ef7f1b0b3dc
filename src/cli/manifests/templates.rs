//! Files that look like manifests, but from which another program makes the manifests.

use super::super::walk::SkipReason;
use super::{Input, Manifests, Role};
use flux_repo::{Kustomization, is_kustomization};
use manifest::Object;
use manifest::value::path::{folder, name};
use manifest::value::{Kind, Node};

/// The file that makes a folder a Helm chart.
const CHART: &str = "Chart.yaml";

/// Whether a file describes a Helm chart. It has an `apiVersion`, but is no Kubernetes object.
pub(super) fn is_chart(file: &str) -> bool {
    name(file) == CHART
}

/// Whether a document in a folder is certainly no Kubernetes object but for another tool: it has neither an `apiVersion`
/// nor a `kind`, or only one of them and no `metadata`, or it is a kubeconfig or a document of Talos.
pub(super) fn is_of_other_tool(document: &Object) -> bool {
    let (version, kind) = (document.api_version(), document.kind());
    let has_metadata = document.node.get("metadata").is_some();
    match (version, kind) {
        ("", "") => true,
        (_, "") | ("", _) => !has_metadata,
        ("v1", "Config") => document.node.get("clusters").is_some(),
        ("v1alpha1", _) => !has_metadata,
        _ => false,
    }
}

/// The names of folders for what is not in use.
const SHELVES: [&str; 11] = [
    "archive",
    "archived",
    "attic",
    "deprecated",
    "disabled",
    "example",
    "examples",
    "graveyard",
    "samples",
    "testdata",
    "unused",
];

/// Names of such folders that applications and namespaces have, too. They only count at the top of the repository, or with
/// a mark in front, as in `_old`.
const TOP_SHELVES: [&str; 3] = ["backup", "docs", "old"];

/// Whether a file is in a folder for what is not in use.
pub(super) fn is_shelved(file: &str) -> bool {
    let mut folders = folder(file).split('/').enumerate();
    folders.any(|(depth, folder)| {
        let name = folder.trim_start_matches(['_', '.']);
        let is_set_off = depth == 0 || name != folder;
        SHELVES.contains(&name) || (is_set_off && TOP_SHELVES.contains(&name))
    })
}

/// Whether the name or another identifier in an object has the marks of a template, which no API server accepts.
pub(super) fn is_template_of_object(object: &Object) -> bool {
    let metadata = object.node.get("metadata");
    let mut own = ["name", "namespace"].iter();
    let own = own.any(|key| metadata.and_then(|it| it.get(key)).is_some_and(is_marked));
    let groups = ["gateway.networking.k8s.io", "gateway.envoyproxy.io"];
    let is_ours = groups.contains(&object.group());
    own || (is_ours && object.node.get("spec").is_some_and(has_marked_identifier))
}

/// The keys whose values are names and never free text.
const IDENTIFIERS: [&str; 8] = [
    "gatewayClassName",
    "hostname",
    "hostnames",
    "kind",
    "name",
    "namespace",
    "port",
    "sectionName",
];

fn has_marked_identifier(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(map) => map.iter().any(|(key, value)| {
            (IDENTIFIERS.contains(&key) && is_marked(value)) || has_marked_identifier(value)
        }),
        Kind::List(items) => items.iter().any(has_marked_identifier),
        _ => false,
    }
}

fn is_marked(value: &Node) -> bool {
    match &value.kind {
        Kind::String(text) => has_template_marks(text),
        Kind::List(items) => items.iter().any(is_marked),
        _ => false,
    }
}

/// Whether a text contains the marks of Go's templates or of Jinja.
fn has_template_marks(text: &str) -> bool {
    ["{{", "{%", "<%"].iter().any(|mark| text.contains(mark))
}

impl Manifests {
    /// Takes away the templates of Helm charts, unless they were named outright.
    pub(super) fn leave_out_chart_templates(&mut self, inputs: &mut Vec<Input>) {
        let names = &self.names;
        let is_template = |file: &str| {
            let mut at = folder(file);
            while !at.is_empty() {
                let above = folder(at);
                let chart = match above {
                    "" => CHART.to_owned(),
                    above => format!("{above}/{CHART}"),
                };
                if name(at) == "templates" && names.contains(&chart) {
                    return true;
                }
                at = above;
            }
            false
        };
        let skipped = &mut self.skipped;
        inputs.retain(|input| {
            let is_left_out = input.role != Role::Named && is_template(&input.name);
            if is_left_out {
                skipped.push((input.shown_path(), SkipReason::Template));
            }
            !is_left_out
        });
    }

    /// Why a file with a text that is no valid YAML is no manifest: it has the marks of a template, or nothing in it is
    /// a Kubernetes object. A file that a kustomization lists is a manifest.
    pub(super) fn reason_of_invalid(&self, file: &str, text: &str) -> Option<SkipReason> {
        let is_object = || text.contains("apiVersion") || text.contains("kind:");
        let reason = match has_template_marks(text) {
            true => SkipReason::Template,
            false if is_object() => return None,
            false => SkipReason::NotAnObject,
        };
        (!self.is_listed(file)).then_some(reason)
    }

    /// Whether a kustomization lists a file.
    pub(super) fn is_listed(&self, file: &str) -> bool {
        let lists = |object: &Object| {
            let kustomization = Kustomization::of(object);
            kustomization
                .entries()
                .iter()
                .any(|entry| entry.path == file)
        };
        let mut kustomizations = self
            .objects
            .iter()
            .filter(|object| is_kustomization(object));
        kustomizations.any(lists)
    }
}

#[cfg(test)]
mod tests {
    use super::is_shelved;

    #[test]
    fn folders_of_applications_are_not_shelves() {
        for file in ["docs/a.yaml", "apps/_old/web/a.yaml", "apps/archive/a.yaml"] {
            assert!(is_shelved(file), "{file}");
        }
        for file in [
            "apps/docs/a.yaml",
            "kubernetes/apps/backup/a.yaml",
            "docs.yaml",
        ] {
            assert!(!is_shelved(file), "{file}");
        }
    }
}
