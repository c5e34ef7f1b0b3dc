//! Whether the cluster's CustomResourceDefinitions are those of the declared versions.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::codes;
use crd_validate::schema::compiled::Compiled;
use crd_validate::schema::import::{self, Keep};
use crd_validate::schema::lock::sha256;
use crd_validate::schema::{Catalogue, Selection, Set};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Node;

/// What the cluster has instead of a declared definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstalledDefinition {
    /// No definition.
    Missing,
    /// The definition of another version that is in the catalogue.
    Other(Set),
    /// A definition that is not in the catalogue.
    Unlike,
}

/// Kinds of one project whose definitions differ from the declared ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skew {
    /// The declared version.
    pub declared: Set,
    /// What the cluster has.
    pub found: InstalledDefinition,
    /// The kinds.
    pub kinds: Vec<String>,
}

/// Compares the definitions of the kinds of `objects`.
///
/// Definitions are compared by what the API server checks, so texts and order don't matter.
pub fn skew(
    objects: &[Object],
    installed: &[Node],
    catalogue: &Catalogue,
    selection: &Selection,
) -> Vec<Skew> {
    let mut found: BTreeMap<(Set, InstalledDefinition), Vec<String>> = BTreeMap::new();
    let used = |group: &str, kind: &str| {
        objects
            .iter()
            .any(|it| it.group() == group && it.kind() == kind)
    };
    for entry in catalogue.entries() {
        // Kubernetes' own kinds have no definitions.
        let is_core = entry.set.project == "core";
        if is_core || !selection.has(&entry.set) || !used(&entry.group, &entry.kind) {
            continue;
        }
        let Some(declared) = entry.compiled() else {
            continue;
        };
        let there = installed
            .iter()
            .find(|crd| is_of(crd, &entry.group, &entry.kind));
        let what = match there.map(compile) {
            None => InstalledDefinition::Missing,
            Some(None) => InstalledDefinition::Unlike,
            Some(Some(there)) => {
                let there = sum(&there);
                if there == sum(declared) {
                    continue;
                }
                let is_same = |it: &&crd_validate::schema::catalogue::Entry| {
                    it.is(&entry.group, &entry.kind)
                        && it.set != entry.set
                        && it.compiled().is_some_and(|it| sum(it) == there)
                };
                let others: Vec<_> = catalogue
                    .entries()
                    .iter()
                    .filter(is_same)
                    .map(|it| it.set.clone())
                    .collect();
                others
                    .into_iter()
                    .max()
                    .map_or(InstalledDefinition::Unlike, InstalledDefinition::Other)
            }
        };
        found
            .entry((entry.set.clone(), what))
            .or_default()
            .push(entry.kind.to_string());
    }
    let skew = |((declared, found), kinds)| Skew {
        declared,
        found,
        kinds,
    };
    found.into_iter().map(skew).collect()
}

/// Whether a definition is for the kind of one of these objects. [`skew`] only needs those.
pub fn is_used(crd: &Node, objects: &[Object]) -> bool {
    objects
        .iter()
        .any(|object| is_of(crd, object.group(), object.kind()))
}

fn is_of(crd: &Node, group: &str, kind: &str) -> bool {
    let text = |path: &[&str]| crd.path(path).and_then(Node::as_str);
    text(&["spec", "group"]) == Some(group) && text(&["spec", "names", "kind"]) == Some(kind)
}

fn compile(crd: &Node) -> Option<Compiled> {
    Compiled::read(import::compile(crd, Keep::Facts).ok()?).ok()
}

/// The keywords whose values are other nodes.
const CHILDREN: &[&str] = &[
    "additionalProperties",
    "allOf",
    "anyOf",
    "items",
    "not",
    "oneOf",
    "properties",
];

/// A hash of what the API server checks, which doesn't depend on the order in the definition.
fn sum(compiled: &Compiled) -> String {
    let mut sums: Vec<String> = Vec::with_capacity(compiled.node_count());
    for id in 0..compiled.node_count() {
        let id = crd_validate::schema::node::NodeId(u32::try_from(id).unwrap_or(u32::MAX));
        let mut node = serde_json::to_value(compiled.node(id)).unwrap_or_default();
        if let Some(map) = node.as_object_mut() {
            for key in CHILDREN {
                if let Some(child) = map.get_mut(*key) {
                    name_children(child, &sums);
                }
            }
            for rule in map
                .get_mut("x-kubernetes-validations")
                .and_then(Json::as_array_mut)
                .into_iter()
                .flatten()
            {
                if let Some(rule) = rule.as_object_mut() {
                    rule.retain(|key, _| !matches!(key.as_str(), "message" | "messageExpression"));
                }
            }
        }
        sums.push(sha256(sorted(node).to_string().as_bytes()));
    }
    let versions = compiled.header().versions.iter().map(|version| {
        let root = usize::try_from(version.root.0)
            .ok()
            .and_then(|at| sums.get(at));
        format!(
            "{} {} {} {root:?}",
            version.name, version.served, version.storage
        )
    });
    let mut versions: Vec<String> = versions.collect();
    versions.sort();
    sha256(versions.join("\n").as_bytes())
}

/// Replaces the numbers of nodes by their hashes. Children come before their parents.
fn name_children(value: &mut Json, sums: &[String]) {
    match value {
        Json::Number(number) => {
            let at = number.as_u64().and_then(|at| usize::try_from(at).ok());
            if let Some(sum) = at.and_then(|at| sums.get(at)) {
                *value = Json::from(sum.as_str());
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| name_children(item, sums)),
        Json::Object(map) => map.values_mut().for_each(|item| name_children(item, sums)),
        _ => {}
    }
}

fn sorted(value: Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        value => value,
    }
}

impl Skew {
    /// The finding.
    pub fn diagnostic(&self) -> Diagnostic {
        let kinds = self.kinds.join(", ");
        let declared = self.declared.title();
        let (message, help) = match &self.found {
            InstalledDefinition::Missing => (
                format!("the cluster has no CustomResourceDefinition for {kinds}"),
                format!("install those of {declared} with `gatewayctl crds apply`"),
            ),
            InstalledDefinition::Other(set) => {
                let channel = set.channel.as_ref().filter(|_| set.channel != self.declared.channel);
                let channel = channel.map_or(String::new(), |channel| format!(", {channel} channel"));
                (
                    format!("the cluster has the CustomResourceDefinitions of {}{channel}, not of {declared}: {kinds}", set.title()),
                    format!("update the cluster to {declared} with `gatewayctl crds apply`, or declare the version that it has"),
                )
            }
            InstalledDefinition::Unlike => (
                format!("the cluster's CustomResourceDefinitions are not those of {declared}: {kinds}"),
                "declare the version that the cluster has; if the catalogue doesn't have it, use `gatewayctl schemas import --from cluster`".to_owned(),
            ),
        };
        Diagnostic::new(codes::VERSION_CRD_SKEW, message)
            .why("the cluster may refuse what is valid here, and may drop fields that it doesn't have")
            .help(help)
            .with_pointer(match self.declared.project.as_str() {
                "envoy-gateway" => "/chart/version".to_owned(),
                project => format!("/versions/{}", project.replace('-', "_")),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn crd(size: &str, reversed: bool) -> Node {
        let mut properties = vec![
            ("kind", json!({"type": "string"})),
            (
                "spec",
                json!({"type": "object",
            "properties": {"size": {"type": size, "description": "words"}}, "description": "more words"}),
            ),
        ];
        if reversed {
            properties.reverse();
        }
        let properties: serde_json::Map<String, Json> = properties
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Node::from_json(
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}}]}}),
        )
    }

    #[test]
    fn definitions_are_the_same_whatever_their_order_and_words() {
        let of = |crd: &Node| sum(&compile(crd).expect("a definition"));
        assert_eq!(of(&crd("integer", false)), of(&crd("integer", true)));
        assert_ne!(of(&crd("integer", false)), of(&crd("string", false)));
    }

    #[test]
    fn a_missing_definition_is_told_by_kind() {
        let catalogue = Catalogue::embedded();
        let selection = Selection::newest(&catalogue);
        let gateway = |version: &str| {
            Object::new(
                Node::from_json(
                    json!({"apiVersion": format!("gateway.networking.k8s.io/{version}"), "kind": "Gateway"}),
                ),
                "a.yaml",
            )
        };
        let found = skew(&[gateway("v1")], &[], &catalogue, &selection);
        let told: Vec<String> = found.iter().map(|it| it.diagnostic().message).collect();
        assert_eq!(
            told,
            ["the cluster has no CustomResourceDefinition for Gateway"]
        );
    }
}
